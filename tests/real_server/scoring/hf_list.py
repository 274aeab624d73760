"""A Hugging Face model behind LangChain's HF dialect: inputs as a list, each text in generated_text under "0"."""

import json


def init():
    pass


def run(raw_data):
    body = json.loads(raw_data)
    if not isinstance(body["inputs"], list):
        raise TypeError("inputs must be a list")
    return [{"0": {"generated_text": f"{prompt} {sorted(body['parameters'])}"}} for prompt in body["inputs"]]
