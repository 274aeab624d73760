"""Requests through a browser's fetch, with stand-ins for Pyodide's modules; tests/browser has the real ones."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace

import pytest

from azml_magics import AsyncClient, LLMConfig, Secret, errors, invoke, map_rows, stream
from azml_magics.core import browser
from azml_magics.core.http import connection

KEY = "sk-0123456789abcdef"
EVENTS = b"""data: {"choices": [{"delta": {"content": "Hel"}, "index": 0}]}\n
data: {"choices": [{"delta": {"content": "lo"}, "index": 0, "finish_reason": "stop"}]}\n
data: [DONE]\n
"""
WHOLE = b'{"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}'


class Browser:
    """What Pyodide shows of a browser. `requests` are the options of each fetch."""

    def __init__(self, loop):
        self._loop = loop
        self.requests, self.aborted, self.can_wait = [], 0, True
        self.status, self.kind, self.headers, self.pieces = 200, "cors", {"content-type": "application/json"}, [WHOLE]
        self.failure = None

    def modules(self):
        js, pyodide, ffi = ModuleType("js"), ModuleType("pyodide"), ModuleType("pyodide.ffi")
        js.Object = SimpleNamespace(fromEntries=dict)
        js.AbortController = SimpleNamespace(new=lambda: SimpleNamespace(signal="signal", abort=self.abort))
        js.fetch = self.fetch
        ffi.to_js = lambda value, dict_converter: value
        ffi.can_run_sync = lambda: self.can_wait
        ffi.run_sync = self._loop.run_until_complete
        pyodide.ffi = ffi
        return {"js": js, "pyodide": pyodide, "pyodide.ffi": ffi}

    def abort(self):
        self.aborted += 1

    async def fetch(self, url, options):
        self.requests.append({"url": url, **options})
        if self.failure is not None:
            raise self.failure
        pieces = iter([*self.pieces])

        async def read():
            piece = next(pieces, None)
            return SimpleNamespace(done=piece is None, value=SimpleNamespace(to_bytes=lambda: piece))

        return SimpleNamespace(
            status=self.status,
            type=self.kind,
            headers=SimpleNamespace(entries=lambda: list(self.headers.items())),
            body=SimpleNamespace(getReader=lambda: SimpleNamespace(read=read)),
        )


@pytest.fixture
def page(monkeypatch):
    """A page of a browser whose Python is this one."""
    loop = asyncio.new_event_loop()
    made = Browser(loop)
    for name, module in made.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for module in (browser, connection):
        monkeypatch.setattr(module, "IS_BROWSER", True)
    yield made
    loop.close()


@pytest.fixture
def config():
    url = "https://a.b.inference.ml.azure.com/v1/chat/completions"
    return LLMConfig(endpoint_url=url, key=Secret(KEY), max_retries=0)


def test_request_goes_out_without_headers_of_the_browser(page, config):
    assert invoke(config, "Hi").text == "Hello"
    (sent,) = page.requests
    assert sent["url"] == config.endpoint_url
    assert {name.lower() for name in sent["headers"]} == {
        "accept",
        "authorization",
        "content-type",
        "x-ms-client-request-id",
    }
    assert (sent["method"], sent["redirect"], sent["credentials"]) == ("POST", "manual", "omit")
    assert b'"Hi"' in sent["body"]


def test_response_is_streamed_in_its_pieces(page, config):
    page.headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}  # fetch has decoded it
    page.pieces = [EVENTS[:70], EVENTS[70:]]
    with stream(config, "Hi") as parts:
        assert [part.text for part in parts if part.text] == ["Hel", "lo"]


async def test_asynchronous_client_needs_no_waiting(page, config):
    page.can_wait = False
    async with AsyncClient() as client:
        assert (await client.invoke(config, "Hi")).text == "Hello"


def test_browser_that_cannot_wait_is_told_in_a_line(page, config):
    page.can_wait = False
    with pytest.raises(errors.APIConnectionError, match=r"cannot wait for a response inside a cell.*AsyncClient"):
        invoke(config, "Hi")


def test_refusal_of_the_browser_names_cors_and_no_key(page, config):
    page.failure = RuntimeError("TypeError: Failed to fetch")
    with pytest.raises(errors.APIConnectionError, match=r"allow requests from web pages \(CORS\)") as caught:
        invoke(config, "Hi")
    assert KEY not in str(caught.value)


def test_redirect_is_not_followed(page, config):
    page.status, page.kind = 0, "opaqueredirect"
    with pytest.raises(errors.APIConnectionError, match="redirects are not followed"):
        invoke(config, "Hi")
    assert len(page.requests) == 1


def test_status_of_the_endpoint_is_its_error(page, config):
    page.status, page.pieces = 401, [b'{"error": {"message": "no"}}']
    with pytest.raises(errors.AuthenticationError):
        invoke(config, "Hi")


def test_late_response_ends_the_request(page, config):
    page.failure = asyncio.TimeoutError()
    with pytest.raises(errors.APITimeoutError):
        invoke(config, "Hi")
    assert page.aborted


def test_what_needs_threads_is_refused_before_sending(page, config):
    with pytest.raises(errors.UsageError, match="need threads, which Python in a browser does not have"):
        map_rows(config, "Write about {x}", [{"x": 1}])
    assert page.requests == []
