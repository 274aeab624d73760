"""Client and AsyncClient: what they hold, what a user's httpx client adds, and how they are refused."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref

import httpx
import pytest

from azml_magics import AsyncClient, Client, amap_rows, map_rows, record, replay
from azml_magics.core.client import default_client, invoke
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigError,
    KeyNotFoundError,
    RateLimitError,
    ResponseFormatError,
    ServiceUnavailableError,
    StreamInterruptedError,
)
from azml_magics.core.http.rate_limiter import RateLimiter
from azml_magics.rows.prompts import RowPrompt

from .conftest import KEY
from .server import FAULTS, chunk, delta, event, reply, streamed

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
STREAM = streamed(delta("a"), delta("b"), STOP, b"[DONE]")


def libraries():
    yield httpx
    try:
        import httpx2
    except ImportError:  # it needs a newer Python than the oldest supported one
        return
    yield httpx2


LIBRARIES = pytest.mark.parametrize("library", list(libraries()), ids=lambda library: library.__name__)


class Caller:
    """Calls one of the clients, made with the same arguments: `http_client` is a function of the library's class."""

    def __init__(self, kind):
        self.kind = kind

    def client(self, library=httpx, http=None, **options):
        if http is not None:
            options["http_client"] = (library.Client if self.kind == "sync" else library.AsyncClient)(**http)
        return (Client if self.kind == "sync" else AsyncClient)(**options)

    def hook(self, function):
        async def ahook(value):
            function(value)

        return function if self.kind == "sync" else ahook

    def texts(self, client, *calls):
        """The texts or errors of calls ("invoke", config), one after the other; then closes the user's client."""
        if self.kind == "sync":
            outcomes = [self._call(client, how, config) for how, config in calls]
            if client._http_client is not None:
                client._http_client.close()
            return outcomes

        async def run():
            outcomes = [await self._acall(client, how, config) for how, config in calls]
            if client._http_client is not None:
                await client._http_client.aclose()
            return outcomes

        return asyncio.run(run())

    def _call(self, client, how, config):
        try:
            if how == "invoke":
                return client.invoke(config, "Hi").text
            with client.stream(config, "Hi") as pieces:
                return "".join(piece.text for piece in pieces)
        except Exception as error:
            return error

    async def _acall(self, client, how, config):
        try:
            if how == "invoke":
                return (await client.invoke(config, "Hi")).text
            async with client.stream(config, "Hi") as pieces:
                return "".join([piece.text async for piece in pieces])
        except Exception as error:
            return error


@pytest.fixture(params=["sync", "async"])
def caller(request):
    return Caller(request.param)


@pytest.fixture(params=["invoke", "stream"])
def how(request):
    return request.param


# ---- a client of the user's own


@LIBRARIES
def test_http_client_sends_with_its_hooks_and_headers(server, config_of, caller, how, library):
    seen = []
    server.respond_with(STREAM if how == "stream" else HI)
    hook = caller.hook(lambda request: seen.append(request.url.path))
    client = caller.client(library, {"event_hooks": {"request": [hook]}, "headers": {"x-team": "maps"}})
    assert caller.texts(client, (how, config_of()), (how, config_of())) == ["ab" if how == "stream" else "hi"] * 2
    assert seen == ["/v1/chat/completions"] * 2
    assert [request.headers["x-team"] for request in server.received] == ["maps"] * 2
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.connections == 1


@LIBRARIES
def test_http_client_keeps_retries_and_errors_ours(server, config_of, caller, library):
    server.respond_with(reply("", 503, retry_after_ms="1"), HI, reply("", 429), HI)
    config = config_of(max_retries=1)
    first, second = caller.texts(
        caller.client(library, {}), ("invoke", config), ("invoke", config.merged(max_retries=0))
    )
    assert first == "hi"
    assert isinstance(second, RateLimitError)
    assert len(server.received) == 3


@LIBRARIES
@pytest.mark.parametrize("name", FAULTS)
def test_http_client_sends_one_post_for_a_fault(server, config_of, caller, library, name):
    server.respond_with(HI, FAULTS[name], HI)
    config = config_of(max_retries=3)
    first, second = caller.texts(caller.client(library, {}), ("invoke", config), ("invoke", config))
    assert first == "hi"
    assert isinstance(second, APIConnectionError)
    assert len(server.received) == 2


@LIBRARIES
def test_http_client_never_takes_a_second_response_for_the_next(server, config_of, caller, library):
    other = reply({"choices": [{"message": {"content": "of another request"}, "finish_reason": "stop"}]})
    server.respond_with(HI, HI + other, reply({"choices": [{"message": {"content": "mine"}, "finish_reason": "stop"}]}))
    calls = [("invoke", config_of())] * 3
    assert caller.texts(caller.client(library, {}), *calls) == ["hi", "hi", "mine"]


def test_http_client_stream_ends_at_its_end_marker(server, config_of, caller):
    def held_open(connection, request) -> bool:
        connection.sendall(STREAM.removesuffix(b"0\r\n\r\n"))
        time.sleep(3)
        return False

    server.respond_with(held_open)
    start = time.monotonic()
    assert caller.texts(caller.client(http={}), ("stream", config_of())) == ["ab"]
    assert time.monotonic() - start < 2


def test_hook_that_raises_for_status_keeps_the_status(server, config_of, caller):
    server.respond_with(reply({"message": "away"}, 503))
    raising = caller.hook(lambda response: response.raise_for_status())
    (error,) = caller.texts(caller.client(http={"event_hooks": {"response": [raising]}}), ("invoke", config_of()))
    assert isinstance(error, ServiceUnavailableError)


def test_hook_that_reads_the_response_loses_nothing(server, config_of, how):
    server.respond_with(STREAM if how == "stream" else HI)
    http_client = httpx.Client(event_hooks={"response": [lambda response: response.read()]})
    caller = Caller("sync")
    assert caller.texts(Client(http_client=http_client), (how, config_of())) == ["ab" if how == "stream" else "hi"]


def test_mock_transport_of_the_users_answers(config_of, caller):
    def answer(request):
        return httpx.Response(200, json={"choices": [{"message": {"content": "mocked"}, "finish_reason": "stop"}]})

    client = caller.client(http={"transport": httpx.MockTransport(answer)})
    assert caller.texts(client, ("invoke", config_of()), ("stream", config_of())) == ["mocked", "mocked"]


def test_users_user_agent_wins_over_ours(server, config_of, caller):
    server.respond_with(HI)
    for http in ({}, {"headers": {"User-Agent": "contoso/1"}}):
        assert caller.texts(caller.client(http=http), ("invoke", config_of())) == ["hi"]
    first, second = [request.headers["user-agent"] for request in server.received]
    assert "azml-magics" in first
    assert second == "contoso/1"


def test_redirects_are_not_followed_with_the_key(server, config_of, caller):
    server.respond_with(reply("", 302, location=f"{server.url}/elsewhere"), HI)
    (error,) = caller.texts(caller.client(http={"follow_redirects": True}), ("invoke", config_of()))
    assert "redirects elsewhere" in str(error)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Client(http_client=httpx.AsyncClient()), "The http_client is asynchronous and the calls are not"),
        (lambda: AsyncClient(http_client=httpx.Client()), "The http_client is synchronous and the calls are not"),
        (lambda: Client(http_client=object()), "http_client must be an httpx client, not object"),
        (lambda: Client(credential="token"), "credential must have get_token(scope), which str has not"),
        (lambda: Client(default_headers={"x\r\ny": "z"}), "which is not the name of an HTTP header"),
        (lambda: Client(default_headers={"x": "a\nb"}), "contains characters that HTTP headers do not allow"),
        (lambda: Client(timeout=-1), "timeout must be a positive number of seconds"),
        (lambda: Client(total_timeout=0), "total_timeout must be a positive number of seconds"),
        (lambda: Client(max_response_bytes=0), "max_response_bytes must be a positive integer"),
    ],
)
def test_wrong_argument_is_refused_in_one_line(make, line):
    with pytest.raises(ConfigError) as caught:
        make()
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_closed_clients_are_refused_in_one_line(server, config_of, caller):
    http_client = (httpx.Client if caller.kind == "sync" else httpx.AsyncClient)()
    client = (Client if caller.kind == "sync" else AsyncClient)(http_client=http_client)
    if caller.kind == "sync":
        http_client.close()
    else:
        asyncio.run(http_client.aclose())
    (error,) = caller.texts(client, ("invoke", config_of()))
    assert isinstance(error, ConfigError)
    assert str(error).startswith("The http_client is closed")

    client = caller.client()
    client.close() if caller.kind == "sync" else asyncio.run(client.aclose())
    assert client.is_closed
    (error,) = caller.texts(client, ("invoke", config_of()))
    assert str(error) == "The client is closed. Make a new one."
    fetch = client.fetch if caller.kind == "sync" else lambda *args: asyncio.run(client.fetch(*args))
    with pytest.raises(ConfigError, match="The client is closed"):
        fetch(config_of(), f"{server.url}/swagger.json")
    assert server.received == []


# ---- what a client holds


def test_default_headers_are_below_the_configs(server, config_of, caller, monkeypatch):
    monkeypatch.setenv("APIM_KEY", "k3y-of-the-gateway")
    server.respond_with(HI)
    client = caller.client(default_headers={"x-team": "maps", "Ocp-Apim-Subscription-Key": "env:APIM_KEY", "x-b": "1"})
    assert caller.texts(client, ("invoke", config_of(headers={"X-Team": "roads"}))) == ["hi"]
    (seen,) = server.received
    assert (seen.headers["x-team"], seen.headers["x-b"]) == ("roads", "1")
    assert seen.headers["ocp-apim-subscription-key"] == "k3y-of-the-gateway"


class Credential:
    def __init__(self):
        self.scopes = []

    def get_token(self, *scopes, **options):
        self.scopes += scopes
        return type("AccessToken", (), {"token": f"t0ken-{len(self.scopes)}-0123456789", "expires_on": 0})


class AioCredential(Credential):
    async def get_token(self, *scopes, **options):
        return super().get_token(*scopes)


@pytest.mark.parametrize("kind", [Credential, AioCredential])
def test_credential_takes_the_place_of_the_key(server, config_of, caller, how, kind):
    server.respond_with(STREAM if how == "stream" else HI)
    credential = kind()
    (text,) = caller.texts(caller.client(credential=credential), (how, config_of()))
    assert text == ("ab" if how == "stream" else "hi")
    assert server.received[0].headers["authorization"] == "Bearer t0ken-1-0123456789"
    assert credential.scopes == ["https://ml.azure.com/.default"]


def test_token_is_refreshed_once_after_a_401(server, config_of):
    server.respond_with(reply("", 401), HI)
    assert Client(credential=Credential()).invoke(config_of(), "Hi").text == "hi"
    assert [seen.headers["authorization"] for seen in server.received] == [
        "Bearer t0ken-1-0123456789",
        "Bearer t0ken-2-0123456789",
    ]


def test_credential_without_a_token_is_one_line(config_of, caller):
    class Failing:
        def get_token(self, *scopes):
            raise RuntimeError("please\nsign in")

    (error,) = caller.texts(caller.client(credential=Failing()), ("invoke", config_of()))
    assert isinstance(error, KeyNotFoundError)
    assert str(error).startswith("No Entra ID token: please sign in")


def test_token_is_masked_in_errors(server, config_of, caller):
    server.respond_with(reply({"message": "bad token t0ken-1-0123456789"}, 403))
    (error,) = caller.texts(caller.client(credential=Credential()), ("invoke", config_of()))
    assert "t0ken-1-0123456789" not in f"{error} {error.body}"


def test_limiter_of_a_client_holds_all_its_calls_back(server, config_of, how):
    server.respond_with(STREAM if how == "stream" else HI)
    limiter = RateLimiter()
    admitted = []
    acquire = limiter.acquire
    limiter.acquire = lambda run: admitted.append(1) or acquire(run)
    Caller("sync").texts(Client(limiter=limiter), (how, config_of()), (how, config_of()))
    assert len(admitted) == 2


def test_clients_have_connections_of_their_own(server, config_of):
    server.respond_with(HI)
    with Client() as one, Client() as other:
        for client in (one, other, one, other):
            client.invoke(config_of(), "Hi")
        invoke(config_of(), "Hi")
    assert server.connections == 3


def test_closed_default_client_is_replaced(server, config_of):
    server.respond_with(HI)
    first = default_client()
    first.close()
    assert default_client() is not first
    assert invoke(config_of(), "Hi").text == "hi"


def test_timeout_of_a_client_is_for_configs_with_the_default(server, config_of, caller):
    let_go = threading.Event()
    server.respond_with(lambda connection, request: let_go.wait(20) and False)
    config = config_of().merged(timeout=190.0)
    try:
        (error,) = caller.texts(caller.client(timeout=0.2), ("invoke", config))
    finally:
        let_go.set()
    assert "for 0.2 s" in str(error)


# ---- total_timeout


def drip(*parts, every=0.05):
    """A server that sends the last part again and again."""

    def act(connection, request) -> bool:
        for part in parts[:-1]:
            connection.sendall(part)
        for _ in range(200):
            time.sleep(every)
            connection.sendall(parts[-1])
        return False

    return act


DRIPS = {
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n", b" "),
    "100s": drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "comments": drip(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk(event(delta("begun"))),
        chunk(b": ping\n\n"),
    ),
}


@pytest.mark.parametrize("name", DRIPS)
def test_total_timeout_bounds_a_server_that_drips(server, config_of, caller, how, name):
    server.respond_with(DRIPS[name])
    start = time.monotonic()
    (error,) = caller.texts(caller.client(), (how, config_of(total_timeout=1, max_retries=2)))
    assert time.monotonic() - start < 8  # the drops last for ten seconds
    assert isinstance(error, APITimeoutError)
    assert "was not complete within 1 s" in str(error)
    assert len(server.received) == 1
    if name == "comments" and how == "stream":
        assert error.response.text == "begun"


def test_total_timeout_of_a_client_is_for_configs_without_one(server, config_of, caller):
    server.respond_with(DRIPS["body"])
    (error,) = caller.texts(caller.client(total_timeout=0.3), ("invoke", config_of()))
    assert isinstance(error, APITimeoutError)


def test_connection_serves_the_next_call_after_a_total_timeout_was_met(server, config_of, caller):
    server.respond_with(HI)
    config = config_of(total_timeout=1)

    client = caller.client()
    if caller.kind == "sync":
        assert caller.texts(client, ("invoke", config)) == ["hi"]
        time.sleep(1.2)
        assert caller.texts(client, ("invoke", config_of())) == ["hi"]
        assert server.connections == 1


# ---- bounds


def test_response_beyond_the_limit_is_one_line(server, config_of, caller, how):
    big = reply({"choices": [{"message": {"content": "x" * 50_000}, "finish_reason": "stop"}]})
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(big.partition(b"\r\n\r\n")[2]) + b"0\r\n\r\n"
    )
    server.respond_with(big, chunked, HI)
    client = caller.client(max_response_bytes=10_000)
    first, second, third = caller.texts(client, *[(how, config_of())] * 3)
    for error in (first, second):
        assert isinstance(error, ResponseFormatError)
        assert "more than" in str(error)
        assert error.error_code == "response-too-large"
    assert third == "hi"
    assert server.connections == 3


def test_stream_beyond_the_limit_keeps_what_had_arrived(server, config_of, caller):
    server.respond_with(streamed(*[delta("word ")] * 1000, STOP, b"[DONE]"))
    (error,) = caller.texts(caller.client(max_response_bytes=5_000), ("stream", config_of()))
    assert isinstance(error, (ResponseFormatError, StreamInterruptedError))
    assert error.error_code == "response-too-large"
    assert error.response.text.startswith("word word ")


def test_refusal_is_read_to_64_kilobytes(server, config_of, caller):
    server.respond_with(reply("<html>" + "x" * 1_000_000, 503, kind="text/html"))
    (error,) = caller.texts(caller.client(max_response_bytes=1 << 30), ("invoke", config_of()))
    assert isinstance(error, ServiceUnavailableError)
    assert len(error.body) <= 64 * 1024


@pytest.mark.parametrize("status", [200, 503])
def test_compressed_bomb_does_not_fill_memory(server, config_of, caller, status):
    import resource
    import zlib

    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(300)) + squeeze.flush()
    server.respond_with(reply(bomb, status, content_encoding="gzip"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (error,) = caller.texts(caller.client(), ("invoke", config_of()))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kilobytes
    assert isinstance(error, ResponseFormatError if status == 200 else ServiceUnavailableError)
    assert grown < 150_000


def test_encoding_that_was_not_asked_for_is_refused(server, config_of, caller):
    server.respond_with(reply(b"\x0b\x00", content_encoding="br"))
    (error,) = caller.texts(caller.client(), ("invoke", config_of()))
    assert "'br', which was not asked for" in str(error)


# ---- lifetime


def test_nothing_grows_with_event_loops(server, config_of):
    server.respond_with(HI)
    client, loops = AsyncClient(), []

    async def call():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        return (await client.invoke(config_of(), "Hi")).text

    for _ in range(20):
        assert asyncio.run(call()) == "hi"
    gc.collect()
    assert sum(loop() is not None for loop in loops) == 0


def test_loop_that_is_closed_without_shutdown_is_forgotten(server, config_of):
    server.respond_with(HI)
    client = AsyncClient()
    for _ in range(5):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(client.invoke(config_of(), "Hi")).text == "hi"
        loop.run_until_complete(client._transport.aclose())
        loop.close()
    assert len(client._transport._loops._loops) == 0


FORK = """
import os, sys, threading, time
from azml_magics import LLMConfig, invoke, map_rows

config = LLMConfig(endpoint_url=sys.argv[1], key=None, timeout=20)
invoke(config, "before")
threading.Thread(target=map_rows, args=(config, "{x}", [{"x": n} for n in range(64)]), daemon=True).start()
time.sleep(0.3)  # requests are in flight
child = os.fork()
if child == 0:
    rows = map_rows(config, "{x}", [{"x": n} for n in range(8)])
    ok = invoke(config, "in the child").text == "hi" and all(row["text"] == "hi" for row in rows)
    os._exit(0 if ok else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), invoke(config, "after").text)
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system cannot fork")
def test_forked_child_starts_over(server, config_of):
    def slow(connection, request) -> bool:
        time.sleep(0.5)
        connection.sendall(HI)
        return True

    server.respond_with(slow)
    command = [sys.executable, "-W", "ignore", "-c", FORK, f"{server.url}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("0 hi", "")


def test_stream_that_is_never_read_leaves_no_open_connection(server, config_of):
    server.respond_with(STREAM)
    code = (
        "import sys; from azml_magics import Client, LLMConfig\n"
        "client = Client(); config = LLMConfig(endpoint_url=sys.argv[1], key=None)\n"
        "stream = client.stream(config, 'Hi'); print(next(iter(stream)).text); stream.close(); client.close()\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, f"{server.url}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("a", "")


# ---- what takes a client


def test_rows_are_sent_with_a_client(server, config_of):
    server.respond_with(HI)
    with Client(default_headers={"x-team": "maps"}, limiter=RateLimiter()) as client:
        rows = map_rows(config_of(), "{x}", [{"x": 1}, {"x": 2}], client=client)
        arows = asyncio.run(amap_rows(config_of(), "{x}", [{"x": 3}], client=client))
    assert [row["text"] for row in (*rows, *arows)] == ["hi"] * 3
    assert {seen.headers["x-team"] for seen in server.received} == {"maps"}


def test_rows_with_a_credential_need_no_key(server, config_of):
    server.respond_with(HI)
    rows = map_rows(config_of(key="env:NOT_SET"), "{x}", [{"x": 1}], client=Client(credential=Credential()))
    assert rows[0]["text"] == "hi"


def test_rows_have_a_total_timeout(server, config_of, monkeypatch):
    monkeypatch.setattr("azml_magics.rows.prompts.ROW_TOTAL_TIMEOUT", 0.3)
    server.respond_with(DRIPS["body"])
    with Client() as client, pytest.raises(APITimeoutError, match=r"was not complete within 0\.3 s"):
        RowPrompt(config_of(timeout=0.2), "{x}", client=client).send([{"role": "user", "content": "Hi"}])


def test_cassette_of_one_client_leaves_others_alone(server, config_of, tmp_path):
    path = tmp_path / "one.jsonl"
    server.respond_with(HI)
    client = Client()
    with record(path, client=client) as recorder:
        invoke(config_of(), "Hi")
        assert recorder.count == 0
        client.invoke(config_of(), "Hi")
        assert recorder.count == 1
    with replay(path, client=client):
        assert client.invoke(config_of(key="env:NOT_SET"), "Hi").text == "hi"
        assert len(server.received) == 2
        invoke(config_of(), "Hi")
    assert len(server.received) == 3
    client.invoke(config_of(), "Hi")
    assert len(server.received) == 4


async def test_aiohttp_carries_an_async_client(server, config_of):
    transports = pytest.importorskip("httpx_aiohttp", reason="it is in the test extra")
    server.respond_with(HI, STREAM, reply("", 503, retry_after_ms="1"), HI)
    async with httpx.AsyncClient(transport=transports.AiohttpTransport(), timeout=None) as http_client:
        client = AsyncClient(http_client=http_client)
        assert (await client.invoke(config_of(), "Hi")).text == "hi"
        async with client.stream(config_of(), "Hi") as pieces:
            assert "".join([piece.text async for piece in pieces]) == "ab"
        assert (await client.invoke(config_of(max_retries=1), "Hi")).text == "hi"
