"""The one place that talks HTTP: a sync and an async driver for policy.py's plans, and lanes.

A lane is an httpx client with one connection. httpx's own pool looks at every connection for every queued request,
which is quadratic in their number; a stack of lanes is not, and its most recently used connection is its warmest.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from .policy import CONNECT_TIMEOUT, Answer, Broken, Plan, Request, Sleep

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Generator

_IDLE_SECONDS = 60.0
_MOST_IDLE_LANES = 256
_USER_AGENT = "azml-magics"


def broken(error: Exception, *, reused: bool = False) -> Broken:
    """httpx's exception in the policy's words."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Broken("connect-timeout", error, reused)
    if isinstance(error, httpx.TimeoutException):
        return Broken("timeout", error, reused)
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return Broken("refused", error, reused)
    if isinstance(error, httpx.TransportError):
        return Broken("closed", error, reused)
    return Broken("unsendable", error, reused)


# ---- lanes ---------------------------------------------------------------------------------------------------


def _client_options(url: str) -> dict[str, Any]:
    """Options for one lane: one connection, kept alive, no redirects, the system's trust and proxies.

    On plain http (this machine) nothing is ever encrypted, so the costly loading of certificates is left out.
    """
    return {
        "verify": _trust() if url.startswith("https:") else _no_trust(),
        "limits": httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE_SECONDS),
        "follow_redirects": False,
        "headers": {"User-Agent": _USER_AGENT},
        "trust_env": url.startswith("https:"),
    }


_contexts: dict[str, ssl.SSLContext] = {}


def _trust() -> ssl.SSLContext:
    if "system" not in _contexts:
        _contexts["system"] = httpx.create_ssl_context()
    return _contexts["system"]


def _no_trust() -> ssl.SSLContext:
    if "none" not in _contexts:
        import ssl

        _contexts["none"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _contexts["none"]


def trust(certificates: ssl.SSLContext | None) -> None:
    """Use `certificates` for every new connection of this process; None goes back to the system's."""
    close()
    if certificates is None:
        _contexts.pop("system", None)
    else:
        _contexts["system"] = certificates


@dataclass
class _Lane:
    client: Any
    served: bool = False


class _Lanes:
    """A stack of idle lanes for each origin."""

    def __init__(self) -> None:
        self._idle: dict[str, list[_Lane]] = {}
        self._lock = threading.Lock()

    def take(self, url: str, make: Callable[..., Any]) -> tuple[str, _Lane]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            idle = self._idle.get(origin)
            if idle:
                return origin, idle.pop()
        return origin, _Lane(make(**_client_options(url)))

    def give_back(self, origin: str, lane: _Lane) -> bool:
        """Whether the lane was kept; a caller closes one that was not."""
        lane.served = True
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if len(idle) < _MOST_IDLE_LANES:
                idle.append(lane)
                return True
        return False

    def empty(self) -> list[_Lane]:
        with self._lock:
            lanes = [lane for idle in self._idle.values() for lane in idle]
            self._idle.clear()
        return lanes


_lanes = _Lanes()
if hasattr(os, "register_at_fork"):  # a child must not write on its parent's sockets
    os.register_at_fork(after_in_child=lambda: globals().update(_lanes=_Lanes()))


def close() -> None:
    """Close the idle connections of the sync lanes; the next call opens new ones."""
    for lane in _lanes.empty():
        lane.client.close()


def _built(client: Any, request: Request) -> Any:
    timeout = httpx.Timeout(request.timeout, connect=min(CONNECT_TIMEOUT, request.timeout))
    return client.build_request("POST", request.url, content=request.body, headers=request.headers, timeout=timeout)


def _headers(reply: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items()}


# ---- sync ----------------------------------------------------------------------------------------------------


def send(plan: Plan, wait: Callable[[float], Any] = time.sleep) -> Answer:
    """Do what `plan` asks until it returns its answer or raises. `wait` sleeps."""
    step: Any = next(plan)
    while True:
        outcome = None
        if isinstance(step, Sleep):
            wait(step.seconds)
        else:
            outcome = _send_once(step.request)
        try:
            step = plan.send(outcome)
        except StopIteration as done:
            answer: Answer = done.value
            return answer


def _send_once(request: Request) -> Answer | Broken:
    origin, lane = _lanes.take(request.url, httpx.Client)
    try:
        reply = lane.client.send(_built(lane.client, request), stream=True)
        if request.stream and reply.status_code == httpx.codes.OK:
            return Answer(reply.status_code, _headers(reply), stream=_pieces(reply, origin, lane))
        body = reply.read()
        answer = Answer(reply.status_code, _headers(reply), body)
    except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in `attempts`
        lane.client.close()
        return broken(error, reused=lane.served)
    except BaseException:  # a kernel interrupt: the connection is in the middle of something
        lane.client.close()
        raise
    if not _lanes.give_back(origin, lane):
        lane.client.close()
    return answer


def _pieces(reply: httpx.Response, origin: str, lane: _Lane) -> Generator[bytes, None, None]:
    """The body as it arrives; the lane goes back when it is whole and is closed when it is left early."""
    whole = False
    try:
        yield from reply.iter_bytes()
        whole = True
    finally:
        reply.close()
        if not (whole and _lanes.give_back(origin, lane)):
            lane.client.close()


# ---- async ---------------------------------------------------------------------------------------------------

_lanes_of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[_Lanes, Any]] = weakref.WeakKeyDictionary()


async def _loop_lanes() -> _Lanes:
    """The lanes of the running loop. They are closed with it: the loop's shutdown of asynchronous generators
    (asyncio.run, pytest-asyncio, IPython) ends the keeper, which closes them.
    """
    loop = asyncio.get_running_loop()
    if loop not in _lanes_of_loop:
        lanes = _Lanes()
        keeper = _kept(lanes)
        _lanes_of_loop[loop] = (lanes, keeper)
        await anext(keeper)
    return _lanes_of_loop[loop][0]


async def _kept(lanes: _Lanes) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        for lane in lanes.empty():
            await lane.client.aclose()


async def asend(plan: Plan) -> Answer:
    """What `send` does, on the running event loop."""
    lanes = await _loop_lanes()
    step: Any = next(plan)
    while True:
        outcome = None
        if isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)
        else:
            outcome = await _asend_once(step.request, lanes)
        try:
            step = plan.send(outcome)
        except StopIteration as done:
            answer: Answer = done.value
            return answer


async def _asend_once(request: Request, lanes: _Lanes) -> Answer | Broken:
    origin, lane = lanes.take(request.url, httpx.AsyncClient)
    try:
        reply = await lane.client.send(_built(lane.client, request), stream=True)
        if request.stream and reply.status_code == httpx.codes.OK:
            return Answer(reply.status_code, _headers(reply), stream=_apieces(reply, origin, lane, lanes))
        body = await reply.aread()
        answer = Answer(reply.status_code, _headers(reply), body)
    except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in `attempts`
        await lane.client.aclose()
        return broken(error, reused=lane.served)
    except BaseException:  # cancelled: the connection is in the middle of something
        await asyncio.shield(lane.client.aclose())
        raise
    if not lanes.give_back(origin, lane):
        await lane.client.aclose()
    return answer


async def _apieces(reply: httpx.Response, origin: str, lane: _Lane, lanes: _Lanes) -> AsyncGenerator[bytes, None]:
    whole = False
    try:
        async for piece in reply.aiter_bytes():
            yield piece
        whole = True
    finally:
        await reply.aclose()
        if not (whole and lanes.give_back(origin, lane)):
            await lane.client.aclose()
