"""What many people's scoring scripts do: they return json.dumps(...), and the server encodes it a second time."""

import json


def init():
    pass


def run(raw_data):
    prompt = json.loads(raw_data)["input_data"]["input_string"][0]
    return json.dumps({"output": f'He said "{prompt}" and left: {{}} \\ ünïcödé'})
