"""The curated foundation-model image with a chat model: messages in input_string, the answer in output."""

import json


def init():
    pass


def run(raw_data):
    given = json.loads(raw_data)["input_data"]
    messages, parameters = given["input_string"], given["parameters"]
    roles = ", ".join(message["role"] for message in messages)
    answer = f"I have read {roles}; the last said {messages[-1]['content']!r}."
    return {"output": answer[: parameters.get("max_new_tokens", 1000)]}
