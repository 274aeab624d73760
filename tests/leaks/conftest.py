"""Marked keys, a server that echoes whatever key it receives, and a search of all that an exception holds."""

from __future__ import annotations

import base64
import json
import logging
import re
import traceback
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ..core.server import Server, delta, reply, streamed
from ..notebook.conftest import _shell, notebook, shell  # noqa: F401 - fixtures

KEY = "MARKED/kQ7pLm2+xV9wR4tYb8nZc3Hd6Jf0s=="
SECOND = "SECOND-4fGh7JkLm9QwErTy2UiOpAs5"
# The front end's own frames hold the line that the user typed, as the cell above the traceback does.
FRAMES = r"/azml_magics/(?!notebook/)|/(httpx|httpcore|h11|anyio|langchain_core|pydantic)/"
FIRST_LETTERS = (KEY[:12], SECOND[:12])
SPELLINGS = [
    spelling
    for key in (KEY, SECOND)
    for spelling in (
        key,
        quote(key, safe=""),
        json.dumps(key)[1:-1].replace("/", "\\/"),
        base64.b64encode(key.encode()).decode().rstrip("=")[:-1],
        base64.b64encode(f"ann:{key}".encode()).decode().rstrip("=")[8:-2],
    )
]


def leaks_in(text: str) -> list[str]:
    """Where a marked key or its beginning stands in a text, in whatever spelling: the text around it."""
    places = ((spelling, text.find(spelling)) for spelling in (*SPELLINGS, *FIRST_LETTERS))
    return [text[max(0, at - 200) : at + len(spelling) + 20] for spelling, at in places if at >= 0]


def search(error: BaseException | None) -> str:
    """All that an exception tells: its texts, attributes, causes, and the variables of its frames."""
    parts: list[str] = []
    while error is not None:
        parts += [repr(error), str(error), repr(vars(error))]
        request = getattr(error, "_request", None)  # httpx's property `request` raises where there is none
        if request is not None:
            parts.append(f"{request!r} {getattr(request, 'headers', '')!r}")
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if re.search(FRAMES, frame.f_code.co_filename):
                parts += [_try_repr(name, value) for name, value in frame.f_locals.items()]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def _try_repr(name: str, value: object) -> str:
    try:
        return f"{name}={value!r}"
    except Exception:
        return name


# ---- a server that echoes ------------------------------------------------------------------------------------


def _received_keys(request) -> list[str]:
    """The keys that came with a request: in headers, in the query and in the body."""
    values = [value.rpartition(" ")[2] for value in request.headers.values()]
    values += [value for found in parse_qs(urlsplit(request.target).query).values() for value in found]
    values += [key for key in (KEY, SECOND) if json.dumps(key) in request.body.decode("utf-8", "replace")]
    return [key for key in (KEY, SECOND) if key in values]


def _spell_all(keys: list[str]) -> str:
    spelled = [(key, quote(key, safe=""), base64.b64encode(f"ann:{key}".encode()).decode()) for key in keys]
    return " ".join(text for texts in spelled for text in texts)


def _whole(text: str, request) -> bytes:
    key = text.partition(" ")[0]
    headers = {"x-request-id": key, "x-ms-region": key, "azureml-model-deployment": key}
    return reply({"choices": [{"message": {"content": f"You sent {text}."}, "finish_reason": "stop"}]}, **headers)


def _stream(text: str, request) -> bytes:
    said = f"You sent {text}."
    pieces = [said[start : start + 3] for start in range(0, len(said), 3)]
    return streamed(*(delta(piece) for piece in pieces), delta("", finish_reason="stop"))


def _answer(text: str, request) -> bytes:
    return (_stream if b'"stream": true' in request.body or b'"stream":true' in request.body else _whole)(text, request)


def _error(status: int):
    def make(text: str, request) -> bytes:
        body = {"error": {"message": f"The key {text} is wrong", "code": text, "details": [text]}}
        return reply(body, status, **{"x-ms-request-id": text.partition(" ")[0], "www-authenticate": f"Bearer {text}"})

    return make


def _html(text: str, request) -> bytes:
    return reply(f"<html><title>{text}</title><body>{text}</body></html>", 502, "text/html")


def _nonsense(text: str, request) -> bytes:
    return reply(f"{{{text}", 200)


ECHOES = {
    "quiet": lambda text, request: _answer("nothing", request),
    "answer": _answer,
    "401": _error(401),
    "html": _html,
    "nonsense": _nonsense,
}


REFUSALS = {
    **{str(status): _error(status) for status in (400, 403, 404, 422, 429, 500, 503)},
    "cut off": lambda text, request: _answer(text, request)[:-30],
    "error in a stream": lambda text, request: streamed(delta("You sent "), {"error": {"message": text, "code": text}}),
}


@pytest.fixture(params=list(ECHOES))
def echo(request):
    """A server that writes every key it receives into its responses."""
    server = Server()
    make = {**ECHOES, **REFUSALS}[request.param]

    def act(connection, received):
        connection.sendall(make(_spell_all(_received_keys(received)) or "no key", received))
        return False

    server.respond_with(act)
    yield server
    server.stop()


@pytest.fixture
def quiet():
    """A server that echoes nothing."""
    server = Server()

    def act(connection, received):
        connection.sendall(_answer("nothing", received))
        return False

    server.respond_with(act)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _marked(monkeypatch):
    monkeypatch.setenv("MARKED_KEY", KEY)
    monkeypatch.setenv("SECOND_KEY", SECOND)
    monkeypatch.setattr("getpass.getpass", lambda prompt="": KEY)


@pytest.fixture
def log(caplog):
    """Everything that any logger says."""
    for name in ("", "azml_magics", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    return caplog
