"""A deployed prompt flow: question and chat_history in, answer out, word by word where the client accepts a stream.

A question with the word "break" in it breaks the stream off after two words.
"""

import json

from azureml_inference_server_http.api.aml_request import rawhttp
from flask import Response


def init():
    pass


@rawhttp
def run(request):
    body = json.loads(request.get_data())
    earlier = len(body["chat_history"])
    words = f"You asked {body['question']!r} after {earlier} earlier questions — naïve, but fine.".split(" ")
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return {"answer": " ".join(words)}
    return Response(events(words, breaks="break" in body["question"]), mimetype="text/event-stream")


def events(words, *, breaks):
    for place, word in enumerate(words):
        if breaks and place == 2:
            raise ConnectionAbortedError("the flow's model went away")
        delta = word if place == 0 else f" {word}"
        yield f"data: {json.dumps({'answer': delta})}\n\n"
