"""Runs code in a Python with other libraries: a line of JSON with code comes in, a line with its variable `out` goes out.

`ask(prompt, rows, **options)` is map_rows with a client whose transport repeats each prompt in capitals and counts it
in `sent`; `spark` is a session of Spark on two threads.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import traceback
from collections.abc import Iterator

import httpx

from azml_magics import Client, LLMConfig, map_rows

replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what Java prints goes elsewhere
sent: list[str] = []


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


@functools.cache
def make_spark():
    """Return a session of Spark on this machine."""
    from pyspark.sql import SparkSession

    local = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2")
    for name, value in {**local, "spark.sql.ansi.enabled": "false"}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


for line in sys.stdin:
    names = {"ask": ask, "sent": sent, "make_spark": make_spark}
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
