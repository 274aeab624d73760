"""A Hugging Face summarization pipeline: the first sentence is the summary."""

import json


def init():
    pass


def run(raw_data):
    texts = json.loads(raw_data)["inputs"]
    return [{"summary_text": text.split(". ")[0].rstrip(".") + "."} for text in texts]
