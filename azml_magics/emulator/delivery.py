"""Sending a response over ASGI: at a rate, delayed, cut off or stalled."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from azml_magics.emulator.http_response import HttpResponse

_EVENTS_PER_TURN = 32
"""Events of a stream after which other requests get a turn."""

_SHORT_WAIT = 1.0
"""Seconds. A shorter wait is not ended when the client disconnects."""


class Delivery:
    """Sends one response over ASGI."""

    def __init__(
        self,
        response: HttpResponse,
        rate: float,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
        *,
        head: bool,
    ) -> None:
        self.response = response
        self.rate = rate
        self._receive = receive
        self._send = send
        self._head = head
        self._gone: asyncio.Task[None] | None = None

    async def send(self) -> None:
        """Send the response; return early if the client disconnects."""
        try:
            await self._deliver()
        finally:
            if self._gone is not None:
                self._gone.cancel()

    async def _deliver(self) -> None:
        response = self.response
        if response.events is None and self.rate > 0:
            # A whole response takes the time that its tokens would.
            response.delay += response.tokens / self.rate
        if response.delay > 0 and await self._wait_or_disconnect(response.delay):
            return
        if response.ending == "dropped":
            self._drop()
            return
        if response.events is None:
            await self._send_body()
        else:
            await self._send_events(response.events)

    async def _start(self, length: int | None) -> None:
        headers = [(b"content-type", self.response.content_type.encode("latin-1"))]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        else:
            headers.append((b"cache-control", b"no-cache"))
        headers += [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in self.response.headers.items()
        ]
        await self._send({"type": "http.response.start", "status": self.response.status, "headers": headers})

    async def _send_body(self) -> None:
        body = self.response.body
        await self._start(len(body))
        if self.response.ending == "whole":
            await self._send({"type": "http.response.body", "body": b"" if self._head else body})
            return
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await self._break_off()

    async def _send_events(self, events: Iterable[bytes]) -> None:
        await self._start(None)
        gap = self.response.gap or (1 / self.rate if self.rate > 0 else 0.0)
        began, gone = time.monotonic(), self._watch()
        for at, event in enumerate(events):
            if gone.done():  # the client has gone
                return
            # Against the clock, so that the sleeps' own lateness does not add up.
            ahead = began + at * gap - time.monotonic() if gap else 0.0
            if ahead > 0 and await self._wait_or_disconnect(ahead):
                return
            await self._send({"type": "http.response.body", "body": event, "more_body": True})
            if at % _EVENTS_PER_TURN == _EVENTS_PER_TURN - 1:
                await asyncio.sleep(0)
        if self.response.ending == "whole":
            await self._send({"type": "http.response.body", "body": b""})
            return
        await self._break_off()

    async def _break_off(self) -> None:
        if self.response.ending == "stalled":
            await self._watch()
            return
        # What was sent must leave before the connection goes.
        await asyncio.sleep(0.01)
        self._drop()

    async def _wait_or_disconnect(self, seconds: float) -> bool:
        """Wait, and return whether the client disconnected within `seconds`."""
        if seconds < _SHORT_WAIT:
            await asyncio.sleep(seconds)
            return False
        done, _ = await asyncio.wait([self._watch()], timeout=seconds)
        return bool(done)

    def _watch(self) -> asyncio.Task[None]:
        if self._gone is None:
            self._gone = asyncio.create_task(self._wait_for_disconnect())
        return self._gone

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _drop(self) -> None:
        """Close the connection as a crash would. ASGI has no message for it, so this uses uvicorn's transport."""
        cycle = getattr(self._send, "__self__", None)
        transport = getattr(cycle, "transport", None)
        if transport is None:
            raise ConnectionAbortedError(
                "this server gives no way to drop a connection; serve the emulator with uvicorn"
            )
        cycle.disconnected = True  # type: ignore[union-attr]  # uvicorn then adds no closing chunk of its own
        transport.abort()
