"""Where a recorder may sit between the policy and the network: the transport asks it first and tells it afterwards.

The core knows only this seam; cassette.py, which keeps exchanges in files, plugs in here.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from .retry import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping, Sequence

    from .retry import Request

_OK = 200


@dataclass(frozen=True)
class Take:
    """A reply as it came: status, headers (lower-case names), and its pieces with the seconds before each.

    is_whole: False where its reader left before the end, as after a kernel interrupt. turn: a number that grows with
    the order in which requests began, which is not the order in which replies end.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[tuple[float, bytes]]
    is_whole: bool = True
    turn: int = 0

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(piece for _, piece in self.pieces)


class Tape(Protocol):
    """What may be inserted. `replays`: it answers every request itself, so that no key and no network are needed."""

    replays: bool

    def play(self, request: Request) -> Take:
        """The reply to give in place of the network's; an AzmlError where there is none. Asked only if it replays."""

    def keep(self, request: Request, take: Take) -> None:
        """Told of every exchange that went over the network; raises nothing, for the answer is there and paid for.

        Called only if it does not replay.
        """


_inserted: Tape | None = None
_turns = itertools.count()


def insert(tape: Tape | None) -> None:
    """Put `tape` in for every request of this process from now on; None takes out what is in."""
    global _inserted  # noqa: PLW0603 - one recorder a process, as the transport is one
    _inserted = tape


def inserted() -> Tape | None:
    """The tape that is in, or None."""
    return _inserted


def is_replaying() -> bool:
    """Whether requests are answered from a tape."""
    return _inserted is not None and _inserted.replays


def next_turn() -> int:
    """The number of a request that begins now."""
    return next(_turns)


def pause(seconds: float) -> float:
    """The seconds to wait before a retry that wants to wait that long: none in a replay, which nothing overloads."""
    return 0.0 if is_replaying() else seconds


# ---- what the transport does with it ---------------------------------------------------------------------------


def played(take: Take, request: Request) -> Answer:
    """The answer that a take stands for; a stream comes in its own rhythm."""

    def pieces() -> Generator[bytes, None, None]:
        for seconds, piece in take.pieces:
            time.sleep(seconds)
            yield piece

    if request.stream and take.status == _OK:
        return Answer(take.status, take.headers, stream=pieces())
    return Answer(take.status, take.headers, take.body)


def aplayed(take: Take, request: Request) -> Answer:
    """What `played` gives, for the running event loop."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for seconds, piece in take.pieces:
            await asyncio.sleep(seconds)
            yield piece

    if request.stream and take.status == _OK:
        return Answer(take.status, take.headers, stream=pieces())
    return Answer(take.status, take.headers, take.body)


def kept(recorder: Tape, request: Request, answer: Answer, turn: int = 0) -> Answer:
    """The answer, told to the recorder: at once, or once its stream has ended. `turn` is the request's."""
    if answer.stream is None:
        recorder.keep(request, Take(answer.status, answer.headers, [(0.0, answer.body)], turn=turn))
        return answer

    def pieces() -> Generator[bytes, None, None]:
        watch = _Watch(recorder, request, answer, turn)
        try:
            for piece in answer.stream:
                watch.saw(piece)
                yield piece
                watch.waits()
            watch.is_whole = True
        except Exception:
            watch.is_whole = True  # it broke off: that is how this reply ends
            raise
        finally:
            answer.stream.close()
            watch.ended()

    return replace(answer, stream=pieces())


def akept(recorder: Tape, request: Request, answer: Answer, turn: int = 0) -> Answer:
    """What `kept` gives, for the running event loop."""
    if answer.stream is None:
        return kept(recorder, request, answer, turn)

    async def pieces() -> AsyncGenerator[bytes, None]:
        watch = _Watch(recorder, request, answer, turn)
        try:
            async for piece in answer.stream:
                watch.saw(piece)
                yield piece
                watch.waits()
            watch.is_whole = True
        except Exception:
            watch.is_whole = True  # it broke off: that is how this reply ends
            raise
        finally:
            await answer.stream.aclose()
            watch.ended()

    return replace(answer, stream=pieces())


class _Watch:
    """Notes a stream's pieces, and how long each was waited for: not what its reader took in between."""

    def __init__(self, recorder: Tape, request: Request, answer: Answer, turn: int) -> None:
        self._recorder, self._request, self._answer, self._turn = recorder, request, answer, turn
        self._pieces: list[tuple[float, bytes]] = []
        self.is_whole = False
        self.waits()

    def waits(self) -> None:
        self._since = time.perf_counter()

    def saw(self, piece: bytes) -> None:
        self._pieces.append((time.perf_counter() - self._since, piece))

    def ended(self) -> None:
        take = Take(self._answer.status, self._answer.headers, self._pieces, self.is_whole, self._turn)
        self._recorder.keep(self._request, take)
