"""First-generation text generation: inputs.input_string, parameters beside it, one record per prompt."""

import json

ENDING = ["and", "so", "the", "river", "found", "the", "sea", "again."]


def init():
    pass


def run(raw_data):
    body = json.loads(raw_data)
    wanted = body["parameters"].get("max_new_tokens", len(ENDING))
    return [{"0": " ".join([prompt, *ENDING[:wanted]])} for prompt in body["inputs"]["input_string"]]
