"""Second-generation text generation: input_data.input_string, parameters beside it, one record per prompt."""

import json


def init():
    pass


def run(raw_data):
    body = json.loads(raw_data)
    style = body["parameters"].get("style", "plain")
    return [
        {"0": f"A {style} instruction of {len(prompt)} letters: {prompt}"}
        for prompt in body["input_data"]["input_string"]
    ]
