"""Recording and replaying: transports between the retry flow and the network, and the one in use by this process.

The core knows these protocols only; azml_magics.cassettes, which stores exchanges in files, implements them.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from .exchange import HTTPResponse, is_success

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence

    from .exchange import Outcome, Request

FRAMING_HEADERS = ("transfer-encoding", "content-length")


@dataclass(frozen=True)
class RecordedResponse:
    """A response as it came.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name; of a stream that broke without those of FRAMING_HEADERS.
        pieces: The body's pieces, each with the seconds before it.
        is_complete: False if its reader left before the end, as after a kernel interrupt.
        sequence: A number that grows in the order in which requests started; responses end in another order.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[tuple[float, bytes]]
    is_complete: bool = True
    sequence: int = 0

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(piece for _, piece in self.pieces)


class Recorder(Protocol):
    """Stores every exchange that goes over the network."""

    replays: Literal[False]

    def record(self, request: Request, response: RecordedResponse) -> None:
        """Store an exchange. Must not raise: the response has arrived and is paid for."""


class Player(Protocol):
    """Answers every request from recorded responses, without a network or a key."""

    replays: Literal[True]

    def replay(self, request: Request) -> RecordedResponse:
        """Return the response recorded for `request`.

        Raises:
            AzmlError: There is none.
        """


_current: Recorder | Player | None = None
_sequence = itertools.count()


def use(recorder: Recorder | Player | None) -> None:
    """Record or replay every request of this process from now on; None ends both."""
    global _current  # noqa: PLW0603 - one recorder per process, as there is one transport
    _current = recorder


def current() -> Recorder | Player | None:
    """The recorder or player in use, or None."""
    return _current


def is_replaying() -> bool:
    """Whether responses are replayed."""
    return _current is not None and _current.replays


def next_sequence() -> int:
    """The sequence number of a request that starts now."""
    return next(_sequence)


def retry_delay(seconds: float, recorder: Recorder | Player | None) -> float:
    """The seconds to wait before a retry: none while responses are replayed, which overloads nothing."""
    return 0.0 if recorder is not None and recorder.replays else seconds


# ---- transports ---------------------------------------------------------------------------------------------------


class ReplayTransport:
    """Returns the responses of a player. Streams keep their rhythm."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def send(self, request: Request) -> HTTPResponse:
        """Return the recorded response."""
        recorded = self._player.replay(request)

        def pieces() -> Generator[bytes, None, None]:
            for seconds, piece in recorded.pieces:
                time.sleep(seconds)
                yield piece

        return _to_response(recorded, request, pieces)

    async def asend(self, request: Request) -> HTTPResponse:
        """Return the recorded response, for the running event loop."""
        recorded = self._player.replay(request)

        async def pieces() -> AsyncGenerator[bytes, None]:
            for seconds, piece in recorded.pieces:
                await asyncio.sleep(seconds)
                yield piece

        return _to_response(recorded, request, pieces)


def _to_response(recorded: RecordedResponse, request: Request, stream: Callable[[], object]) -> HTTPResponse:
    if request.stream and is_success(recorded.status):
        return HTTPResponse(recorded.status, recorded.headers, stream=stream())
    return HTTPResponse(recorded.status, recorded.headers, recorded.body)


class RecordingTransport:
    """Sends requests over the network and records their responses: whole ones at once, streams when they end."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def send(self, request: Request, network: Callable[[], Outcome]) -> Outcome:
        """Return the outcome of `network()`, which sends the request."""
        take = _Take(self._recorder, request)
        outcome = network()
        if not isinstance(outcome, HTTPResponse) or take.record_whole(outcome):
            return outcome
        return replace(outcome, stream=take.record_stream(outcome))

    async def asend(self, request: Request, network: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """What `send` does, on the running event loop."""
        take = _Take(self._recorder, request)
        outcome = await network()
        if not isinstance(outcome, HTTPResponse) or take.record_whole(outcome):
            return outcome
        return replace(outcome, stream=take.arecord_stream(outcome))


class _Take:
    """One exchange while it is recorded: notes the pieces, and the time waited for each, not its reader's time."""

    def __init__(self, recorder: Recorder, request: Request) -> None:
        self._recorder, self._request = recorder, request
        self._sequence = next_sequence()
        self._pieces: list[tuple[float, bytes]] = []
        self._since = 0.0
        self._has_broken = False

    def record_whole(self, response: HTTPResponse) -> bool:
        """Record a response without a stream; False if it has one."""
        if response.stream is None:
            self._pieces = [(0.0, response.body)]
            self._record(response, is_complete=True)
        return response.stream is None

    def record_stream(self, response: HTTPResponse) -> Generator[bytes, None, None]:
        """Pass the stream through, and record it when it ends."""
        is_complete = False
        self._since = time.perf_counter()
        try:
            for piece in response.stream:
                self._note(piece)
                yield piece
                self._since = time.perf_counter()
            is_complete = True
        except Exception:
            is_complete, self._has_broken = True, True  # that is how this response ends
            raise
        finally:
            response.stream.close()
            self._record(response, is_complete=is_complete)

    async def arecord_stream(self, response: HTTPResponse) -> AsyncGenerator[bytes, None]:
        """What `record_stream` does, on the running event loop."""
        is_complete = False
        self._since = time.perf_counter()
        try:
            async for piece in response.stream:
                self._note(piece)
                yield piece
                self._since = time.perf_counter()
            is_complete = True
        except Exception:
            is_complete, self._has_broken = True, True  # that is how this response ends
            raise
        finally:
            await response.stream.aclose()
            self._record(response, is_complete=is_complete)

    def _note(self, piece: bytes) -> None:
        self._pieces.append((time.perf_counter() - self._since, piece))

    def _record(self, response: HTTPResponse, *, is_complete: bool) -> None:
        headers = response.headers
        if self._has_broken:  # what tells a whole body from one that is cut off
            headers = {name: value for name, value in headers.items() if name not in FRAMING_HEADERS}
        recorded = RecordedResponse(response.status, headers, self._pieces, is_complete, self._sequence)
        self._recorder.record(self._request, recorded)
