"""A curated text model that fails in the way its prompt names: every failure a scoring script is known for."""

import json
import sys


class Unknown:
    """Nothing that JSON could carry."""


def init():
    pass


def run(raw_data):
    way = json.loads(raw_data)["input_data"]["input_string"][0]
    if way == "raise":
        raise RuntimeError("the tokenizer does not know this word, and sk-secret is in my traceback")
    if way == "exit":
        sys.exit("the worker is going down")
    return {
        "empty object": {},
        "none": None,
        "empty list": [],
        "empty text": [{"0": ""}],
        "no text": [0.25, 0.75],
        "not a number": [float("nan")],
        "error inside": {"output": None, "error": {"status_code": 400, "body": "the context is 4096 tokens long"}},
        "error in a string": json.dumps({"error": "Error in processing request", "exception": "CUDA out of memory"}),
        "the text None": {"output": "None"},
        "an object": Unknown(),
    }[way]
