"""A cell after an interrupted one is answered at once: the requests of the interrupted cell are over."""

from __future__ import annotations

import signal
import threading

import pytest

from azml_magics.core.client import default_client
from azml_magics.core.errors import Interrupted

from ..core.server import Server, reply

SECONDS = 30.0
MODEL = {"model": "tiny", "choices": [{"message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}]}


@pytest.fixture
def silent(notebook, monkeypatch):
    """An endpoint, the config `main`, that never answers "wait"; it presses Stop at the second request."""
    monkeypatch.setenv("TEST_KEY", "k" * 24)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    server, changed, held = Server(), threading.Condition(), []

    def answer(connection, request):
        if "wait" not in request.json["messages"][-1]["content"]:
            connection.sendall(reply(MODEL))
            return True
        with changed:
            held.append(connection)
            if len(held) == 2:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        connection.recv(1)  # returns once the client has left
        with changed:
            held.remove(connection)
            changed.notify_all()
        return False

    server.respond_with(answer)
    notebook.ok(f"%azureml save main --url {server.url}/v1/chat/completions --key env:TEST_KEY --timeout 600")

    def assert_free():
        with changed:
            assert changed.wait_for(lambda: not held, SECONDS), "a request went on"

    yield notebook, assert_free
    server.stop()
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("main --each $words --concurrency 2", "wait for {word}"),
        ("main --sweep temperature=0,1 --no-stream", "wait"),
        ("--compare main,main --no-stream", "wait"),
        ("main -n 2", "wait"),
    ],
)
def test_cell_after_an_interrupted_one_is_answered(silent, line, body):
    notebook, assert_free = silent
    notebook.vars["words"] = ["one", "two", "three"]
    assert isinstance(notebook.run(f"%%azureml {line}\n{body}").error, Interrupted)
    assert_free()
    for limiter in default_client().limiters._by_deployment.values():
        assert limiter.window.in_flight == 0
        limiter.window.size = 1.0  # one held permit would hold everybody
    assert notebook.ok("%%azureml main\nHi").result.text == "Here."
    assert notebook.ok("%%azureml main --each $words\nHi {word}").result.texts == ["Here."] * 3
    assert notebook.ok("%%azureml main -n 2\nHi").result.texts == ["Here."] * 2
