"""Runs code in a Python with tools for evaluation: code comes in on standard input, its variable `out` goes out as JSON.

`evaluation(rows, **options)` evaluates rows of (letter, label, answer): the endpoint gives the row's answer. `letters`
has four such rows.
"""

from __future__ import annotations

import json
import os
import sys

import httpx

from azml_magics import Client, LLMConfig, evaluate

replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the tools print goes elsewhere

letters = [
    ("Thank you!", "glad", "glad"),
    ("Never again.", "cross", "glad"),
    ("So good.", "glad", "Glad."),
    ("Late again.", "cross", "cross"),
]


def _reply(request: httpx.Request) -> httpx.Response:
    prompt = json.loads(request.content)["messages"][-1]["content"]
    message = {"role": "assistant", "content": prompt.partition(" -> ")[2]}
    return httpx.Response(200, json={"choices": [{"message": message, "finish_reason": "stop"}]})


def evaluation(rows=letters, **options):
    """Return the evaluation of rows of a letter, its label and the answer."""
    table = [dict(zip(("letter", "label", "answer"), row, strict=True)) for row in rows]
    config = LLMConfig(endpoint_url="https://letters.example/v1/chat/completions", key="none", name="letters")
    with Client(http_client=httpx.Client(transport=httpx.MockTransport(_reply))) as client:
        return evaluate(config, "{letter} -> {answer}", table, expect="label", client=client, **options)


def values(of, name):
    """Return the values of a score."""
    return [None if name not in outcome.scores else outcome.scores[name].value for outcome in of]


names = {"evaluation": evaluation, "letters": letters, "values": values}
exec(sys.stdin.read(), names)
with replies:  # a tool may end the process without flushing
    json.dump(names["out"], replies, default=float)
