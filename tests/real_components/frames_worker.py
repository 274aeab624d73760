"""Runs code in a Python with other libraries: a line of JSON with code comes in, a line with its variable `out` goes out.

`ask(prompt, rows, **options)` is map_rows with a client whose transport repeats each prompt in capitals and counts it
in `sent`; `spark` is a session of Spark on two threads.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator

import httpx

from azml_magics import Client, LLMConfig, map_rows

replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what Java prints goes elsewhere
sent: list[str] = []
keys: set[str] = set()


def _reply(request: httpx.Request) -> httpx.Response:
    prompt = json.loads(request.content)["messages"][-1]["content"]
    sent.append(prompt)
    message = {"role": "assistant", "content": prompt.upper()}
    return httpx.Response(200, json={"choices": [{"message": message, "finish_reason": "stop"}]})


def ask(prompt, rows, **options):
    """Return what map_rows returns, a list of what it yields for an iterator."""
    config = LLMConfig(endpoint_url="https://frames.example/v1/chat/completions", key="none")
    sent.clear()
    with Client(http_client=httpx.Client(transport=httpx.MockTransport(_reply))) as client:
        table = map_rows(config, prompt, rows, client=client, **options)
        return list(table) if isinstance(table, Iterator) else table


class _Endpoint(http.server.BaseHTTPRequestHandler):
    """Repeats each prompt in capitals, for the executors, and counts it in `sent`; "no" is refused."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        sent.append(prompt)
        keys.add(self.headers["authorization"])
        said = json.dumps({"mood": prompt.upper(), "n": len(prompt)}) if "response_format" in body else prompt.upper()
        choices = [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        reply = json.dumps({"choices": choices, "usage": usage}).encode()
        self.send_response(400 if prompt == "no" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@functools.cache
def endpoint_url() -> str:
    """Return the URL of a running endpoint."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1/chat/completions"


def spark_config(key="env:FRAMES_KEY"):
    """Return a config whose key the executors have."""
    return LLMConfig(endpoint_url=endpoint_url(), key=key, name="prod")


@functools.cache
def make_spark():
    """Return a session of Spark on this machine, whose executors have FRAMES_KEY."""
    os.environ["FRAMES_KEY"] = "frames-key-0123456789"
    from pyspark.sql import SparkSession

    local = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2")
    for name, value in {**local, "spark.sql.ansi.enabled": "false"}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


for line in sys.stdin:
    sent.clear()
    names = {"ask": ask, "sent": sent, "make_spark": make_spark, "spark_config": spark_config, "keys": keys}
    try:
        exec(json.loads(line), names)
        reply = {"out": names["out"]}
    except Exception:
        reply = {"error": traceback.format_exc()}
    replies.write(json.dumps(reply, default=str) + "\n")
    replies.flush()

with contextlib.suppress(Exception):
    if make_spark.cache_info().currsize:
        make_spark().stop()
