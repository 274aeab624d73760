"""Requests of a run that was stopped end at once: their connections close, and nothing waits behind them."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import httpx
import pytest

from azml_magics.compare.fan_out import map_in_threads
from azml_magics.core.client import Client, default_client, invoke
from azml_magics.core.errors import AuthenticationError, Interrupted
from azml_magics.rows.api import map_rows
from azml_magics.rows.async_api import amap_rows
from azml_magics.rows.runner import Run

from ..core.server import reply

SECONDS = 30.0  # of a condition that comes at once
WORDS = [f"w{n}" for n in range(200)]


class Silence:
    """Makes the endpoint hold every request, until its client closes the connection or `release` is called."""

    def __init__(self, echo, expected=16, then=lambda: None):
        self.held, self.closed = 0, 0
        self._expected, self._then = expected, then
        self._changed = threading.Condition()
        self._echo = echo
        echo.server.respond_with(self._hold)

    def _hold(self, connection, request):
        with self._changed:
            self.held += 1
            is_last = self.held == self._expected
            self._changed.notify_all()
        if is_last:
            self._then()
        try:
            connection.recv(1)  # returns once the client has left
        finally:
            with self._changed:
                self.closed += 1
                self._changed.notify_all()
        return False

    def wait_until_held(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self.held >= self._expected, SECONDS)

    def assert_all_closed(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self.closed == self.held, SECONDS), "a request went on"

    def end(self):
        """Let the endpoint answer again."""
        self._echo.server.respond_with(self._echo._reply)


def press_stop():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.fixture(autouse=True)
def _sigint():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def slow_config(echo):
    """A config whose requests would go on for ten minutes."""
    return echo.config(timeout=600)


def assert_free(echo, config, silence):
    """Nothing is in flight, and a following call and run are answered."""
    silence.assert_all_closed()
    limiter = default_client().limiters.get(config)
    until = time.monotonic() + SECONDS
    while limiter.window.in_flight and time.monotonic() < until:
        time.sleep(0.01)
    assert limiter.window.in_flight == 0
    silence.end()
    assert invoke(config, "say a").text == "SAY A"
    limiter.window.size = 1.0  # as after overloads: one held permit would hold everybody
    assert [row["text"] for row in map_rows(config, "say {w}", ["b"])] == ["SAY B"]


def test_interrupted_rows_close_their_requests(echo, slow_config):
    silence = Silence(echo, then=press_stop)
    with pytest.raises(Interrupted):
        map_rows(slow_config, "say {w}", WORDS)
    assert_free(echo, slow_config, silence)


def test_interrupted_rows_free_permits_before_sockets_end(echo, slow_config, monkeypatch):
    from azml_magics.core.http.connection import Connection

    monkeypatch.setattr(Connection, "abandon", lambda self: None)  # as a client that shows no socket
    silence = Silence(echo, then=press_stop)
    with pytest.raises(Interrupted):
        map_rows(slow_config, "say {w}", WORDS)
    assert default_client().limiters.get(slow_config).window.in_flight == 0
    echo.server.close_connections()
    silence.assert_all_closed()
    assert default_client().limiters.get(slow_config).window.in_flight == 0


def test_interrupt_while_a_run_begins_closes_its_requests(echo, slow_config, tmp_path, monkeypatch):
    silence = Silence(echo, expected=1)
    begin, journal = Run._begin_thread, tmp_path / "run.jsonl"

    def begin_and_stop(run):
        begin(run)
        if threading.current_thread() is threading.main_thread():
            silence.wait_until_held()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "_begin_thread", begin_and_stop)
        with pytest.raises(Interrupted):
            map_rows(slow_config, "say {w}", WORDS, journal=journal)
    assert_free(echo, slow_config, silence)
    assert map_rows(slow_config, "say {w}", WORDS[:1], journal=journal)[0]["text"] == "SAY W0"


def test_requests_of_a_users_client_close_too(echo, slow_config):
    silence = Silence(echo, then=press_stop)
    with httpx.Client() as http_client, Client(http_client=http_client) as client, pytest.raises(Interrupted):
        map_rows(slow_config, "say {w}", WORDS, client=client)
    assert_free(echo, slow_config, silence)


async def test_cancelled_task_closes_its_requests(echo, slow_config):
    silence = Silence(echo)
    task = asyncio.create_task(amap_rows(slow_config, "say {w}", WORDS))
    await asyncio.to_thread(silence.wait_until_held)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(assert_free, echo, slow_config, silence)


def test_closed_iterator_closes_its_requests(echo, slow_config):
    silence = Silence(echo, expected=4)
    hold = silence._hold
    echo.server.respond_with(
        lambda connection, request: (echo._reply if b"say w0" in request.body else hold)(connection, request)
    )
    rows = map_rows(slow_config, "say {w}", iter(WORDS), concurrency=4)
    assert next(rows)["text"] == "SAY W0"
    silence.wait_until_held()
    rows.close()
    assert_free(echo, slow_config, silence)


def test_run_that_ends_by_an_error_closes_its_requests(echo, slow_config, monkeypatch):
    monkeypatch.setattr("azml_magics.rows.runner._WAIT_ON_ERROR", 0.1)
    silence = Silence(echo, expected=3)
    hold = silence._hold

    def first_is_refused(connection, request):
        if request.json["messages"][-1]["content"] != "say w0":
            return hold(connection, request)
        silence.wait_until_held()
        connection.sendall(reply({"detail": "no"}, 401))
        return False

    echo.server.respond_with(first_is_refused)
    with pytest.raises(AuthenticationError):
        map_rows(slow_config, "say {w}", WORDS)
    assert_free(echo, slow_config, silence)


def test_interrupted_batch_of_threads_closes_its_requests(echo, slow_config):
    silence = Silence(echo, expected=4, then=press_stop)
    with pytest.raises(KeyboardInterrupt):
        map_in_threads(lambda word: invoke(slow_config, word), WORDS, concurrency=4)
    assert_free(echo, slow_config, silence)


def test_abandoned_rows_are_not_failures(echo, slow_config, tmp_path):
    silence = Silence(echo, then=press_stop)
    journal = tmp_path / "run.jsonl"
    with pytest.raises(Interrupted) as caught:
        map_rows(slow_config, "say {w}", WORDS, journal=journal)
    silence.assert_all_closed()
    assert not [row for row in caught.value.batch if row.was_sent]
    assert len(journal.read_text().splitlines()) == 1, "the journal has an entry for a row that was abandoned"
    silence.end()
    assert map_rows(slow_config, "say {w}", WORDS[:2], journal=journal)[1]["text"] == "SAY W1"
