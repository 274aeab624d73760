"""A Hugging Face registry container: inputs as one text, generated_text in a list."""

import json


def init():
    pass


def run(raw_data):
    body = json.loads(raw_data)
    if not isinstance(body["inputs"], str):
        raise TypeError("inputs must be one text")
    return [{"generated_text": f"{body['inputs']}, in {body['parameters'].get('max_new_tokens')} tokens or fewer"}]
