"""The curated foundation-model image with a text model: parameters inside input_data, all prompts in one record."""

import json


def init():
    pass


def run(raw_data):
    given = json.loads(raw_data)["input_data"]
    prompts, parameters = given["input_string"], given["parameters"]
    if not all(isinstance(prompt, str) for prompt in prompts):
        raise TypeError("input_string must hold texts")
    share = parameters.get("top_p", 1)
    return [{str(place): f"{prompt} (top_p {share})" for place, prompt in enumerate(prompts)}]
