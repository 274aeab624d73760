"""A pool of forked processes: each of them sends its share, and no request is sent twice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .server import Received, reply

POOL = """
import multiprocessing, sys
from azml_magics import LLMConfig, invoke, map_rows

config = LLMConfig(endpoint_url=sys.argv[1], key=None, timeout=20, max_retries=0)
COUNT = int(sys.argv[2])

def send(number):
    return invoke(config, f"prompt {number}").text

def send_rows(numbers):
    return [row["text"] for row in map_rows(config, "prompt {n}", [{"n": number} for number in numbers])]

invoke(config, "before")  # a connection and a limiter that the children must not share
map_rows(config, "before {n}", [{"n": 1}])
with multiprocessing.get_context("fork").Pool(4) as pool:
    texts = pool.map(send, range(COUNT))
    rows = pool.map(send_rows, [range(start, COUNT, 4) for start in range(4)])
expected = [f"prompt {number}" for number in range(COUNT)]
print(texts == expected, sorted(text for share in rows for text in share) == sorted(expected), invoke(config, "after").text)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_pool_of_forked_processes_sends_each_prompt_once(server):
    def echo(connection, request: Received) -> bool:
        content = request.json["messages"][-1]["content"]
        connection.sendall(reply({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}))
        return True

    server.respond_with(echo)
    command = [sys.executable, "-W", "ignore", "-c", POOL, f"{server.url}/v1/chat/completions", "500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True True after", "")
    assert len(server.received) == 2 * 500 + 3
