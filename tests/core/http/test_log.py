"""The debug log: one line for each attempt, without keys, and nothing unless asked for."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import subprocess
import sys

import pytest

from azml_magics.core.client import ainvoke, astream, invoke, stream
from azml_magics.core.errors import APIConnectionError, AzmlError

from ..conftest import KEY
from ..server import reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}, x_request_id="r-1")
BUSY = reply("", 503, retry_after_ms="1", x_request_id="r-0")


@pytest.fixture
def lines(caplog):
    """The messages of this package's logger, whose level is DEBUG."""
    caplog.set_level(logging.DEBUG, logger="azml_magics")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "azml_magics"]


def read(pieces):
    with pieces:
        return list(pieces)


async def aread(pieces):
    async with pieces:
        return [piece async for piece in pieces]


CALLS = {
    "invoke": invoke,
    "ainvoke": lambda config, prompt: asyncio.run(ainvoke(config, prompt)),
    "stream": lambda config, prompt: read(stream(config, prompt)),
    "astream": lambda config, prompt: asyncio.run(aread(astream(config, prompt))),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_attempt_is_one_line(server, config_of, lines, name):
    server.respond_with(BUSY, HI)
    CALLS[name](config_of(max_retries=1), "Hi")
    first, second = lines()
    url = re.escape(f"{server.url}/v1/chat/completions")
    assert re.fullmatch(rf"POST {url} 503 in \d+ ms, request id r-0", first)
    assert re.fullmatch(rf"POST {url} 200 in \d+ ms, request id r-1", second)


def test_failed_attempt_is_a_line_with_its_reason(config_of, lines):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1/chat/completions"
    with pytest.raises(APIConnectionError):
        invoke(config_of().merged(endpoint_url=url), "Hi")
    (line,) = lines()
    assert re.fullmatch(rf"POST {re.escape(url)} connect-error: .*refused.* in \d+ ms", line)


def test_line_has_no_query_and_no_key(server, config_of, lines, monkeypatch):
    monkeypatch.setenv("LOG_KEY", KEY)
    server.respond_with(reply("", 400, x_request_id=f"id {KEY}"))
    with pytest.raises(AzmlError):
        invoke(config_of(f"/{KEY}/v1/chat/completions?code=env:LOG_KEY&x=1"), "Hi")
    (line,) = lines()
    assert KEY not in line
    assert "?" not in line
    assert "x=1" not in line


def test_line_has_one_line_only(server, config_of, lines):
    server.respond_with(reply("", 400, x_request_id="a\x85b\x0bc"))
    with pytest.raises(AzmlError):
        invoke(config_of(), "Hi")
    (line,) = lines()
    assert len(line.splitlines()) == 1


def test_nothing_is_logged_by_default(server, config_of, caplog):
    caplog.set_level(logging.INFO, logger="azml_magics")
    server.respond_with(HI)
    invoke(config_of(), "Hi")
    assert not caplog.records


CALL = """
import sys
from azml_magics import LLMConfig, invoke
print(invoke(LLMConfig(endpoint_url=sys.argv[1], key=None), "Hi").text)
"""


@pytest.mark.parametrize(("value", "is_on"), [("DEBUG", True), ("0", False), (None, False)])
def test_environment_variable_shows_the_log(server, monkeypatch, value, is_on):
    server.respond_with(HI)
    monkeypatch.delenv("AZML_LOG", raising=False)
    if value is not None:
        monkeypatch.setenv("AZML_LOG", value)
    command = [sys.executable, "-c", CALL, f"{server.url}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "hi\n"
    assert ("POST http" in done.stderr) is is_on
    assert is_on or not done.stderr
