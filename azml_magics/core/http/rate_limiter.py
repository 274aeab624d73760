"""The gate before each endpoint: all work on many prompts in this process goes through it, in threads and on loops.

with pacing():                      # in this context, and in the threads that copy it
    invoke(config, prompt)          # waits for its turn, and tells the gate how it went

One call alone never waits: a person sits before it. What a gate has learnt stays for the next run.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from .. import endpoints
from . import recording
from .retry import Broken
from .window import Rate, heard, is_pushback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..config import LLMConfig
    from ..errors import AzmlError
    from ..response import Usage
    from .retry import Answer

_AWAY, _NEVER_THERE = 10.0, 2.0  # seconds to wait for an endpoint that cannot be reached, and for a wrong URL
_LONGEST_WAIT = 1.0  # seconds after which a waiter looks again whether it is still wanted
_MOST_REFUSALS = 30  # of one call, while others are answered: it may ask for more than the endpoint ever has
_BYTES_A_TOKEN = 4  # where the endpoint does not count: good enough to keep a pace, and shown nowhere


class RunCancelled(BaseException):
    """The run was stopped while a request waited for its turn; no error of anybody's."""


@dataclass(eq=False)
class RunPacing:
    """One run's wishes. rpm, tpm: requests and tokens a minute at most.

    patience: seconds for which a run asks again and again while its endpoint turns everybody away; 0.0 leaves that to
    the config's max_retries. at_once: so many may begin together while the endpoint has refused nobody. on_turn: called
    by every thread whose turn comes. `stop` ends every wait.
    """

    rpm: float | None = None
    tpm: float | None = None
    patience: float = 0.0
    on_turn: Callable[[], object] | None = None
    at_once: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    _entered: set[Gate] = field(default_factory=set)

    def stop(self) -> None:
        """Let nothing more through; whoever waits is RunCancelled at once."""
        self.stopped.set()
        for gate in list(self._entered):
            gate.wake()

    def pause(self, seconds: float) -> None:
        """Sleep, as between two tries; RunCancelled where the run is stopped meanwhile."""
        if self.stopped.wait(seconds):
            raise RunCancelled


Bell = TypeVar("Bell", bound="_Bell | _LoopBell")
_pacing: ContextVar[RunPacing | None] = ContextVar("azml_pacing", default=None)


@contextlib.contextmanager
def pacing(wishes: RunPacing | None = None) -> Iterator[RunPacing]:
    """In this block every `invoke` waits for its turn at its endpoint's gate."""
    wishes = wishes or RunPacing()
    token = _pacing.set(wishes)
    try:
        yield wishes
    finally:
        _pacing.reset(token)


class _Bell:
    """Wakes a thread that waits."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self) -> None:
        self.event.set()


class _LoopBell:
    """Wakes a coroutine of a loop, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.event = asyncio.Event()
        self._loop = loop

    def __call__(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
            self._loop.call_soon_threadsafe(self.event.set)


class Gate:
    """One endpoint's gate: a Rate behind a lock, and those who wait for it."""

    def __init__(self, rate: Rate | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate or Rate()
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], object]] = deque()
        self._wishes: list[RunPacing] = []

    def _admitted(self, run: RunPacing, waker: Callable[[], Bell]) -> tuple[float, float, Bell | None]:
        """(seconds to wait, now, None where the caller is in, else a bell of `waker` that rings when there is room)."""
        with self._lock:
            now = self._clock()
            if run.at_once > self.rate.window:
                self.rate.open_to(run.at_once)
            wait = self.rate.admit(now, len(self._waiting), *self._limits())
            if not wait:
                return wait, now, None
            bell = waker()
            self._waiting.append(bell)
            return wait, now, bell

    def _limits(self) -> tuple[float | None, float | None]:
        """The strictest of the runs' wishes."""
        if not self._wishes:
            return None, None
        rpm, tpm = (
            [value for value in values if value]
            for values in zip(*((wish.rpm, wish.tpm) for wish in self._wishes), strict=True)
        )
        return min(rpm, default=None), min(tpm, default=None)

    def enter(self, run: RunPacing) -> float:
        """The time, once the caller's turn has come; RunCancelled where the run is stopped before."""
        while True:
            if run.stopped.is_set():
                raise RunCancelled
            wait, now, woken = self._admitted(run, _Bell)
            if woken is None:
                if run.on_turn is not None:
                    run.on_turn()
                return now
            woken.event.wait(min(wait, _LONGEST_WAIT))
            self._forget(woken)

    async def aenter(self, run: RunPacing) -> float:
        """What `enter` does, on the running event loop."""
        loop = asyncio.get_running_loop()
        while True:
            if run.stopped.is_set():
                raise RunCancelled
            wait, now, woken = self._admitted(run, lambda: _LoopBell(loop))
            if woken is None:
                return now
            try:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(woken.event.wait(), min(wait, _LONGEST_WAIT))
            finally:
                self._forget(woken)

    def leave(self, began: float, outcome: Answer | Broken | None) -> None:
        """A request that was let in at `began` has ended; None where nothing came of it."""
        said = heard(outcome)
        with self._lock:
            self.rate.left(self._clock(), began, said)
            free = min(self.rate.free(), len(self._waiting))
            ready = [self._waiting.popleft() for _ in range(free)]
        for wake in ready:
            wake()

    def spent(self, tokens: float) -> None:
        """An answer cost so many tokens."""
        if not (self._wishes or self.rate.is_counted):
            return
        with self._lock:
            self.rate.spent(self._clock(), tokens, self._limits()[1])

    def has_been_silent(self, seconds: float) -> bool:
        """Whether the endpoint has turned everybody away for so long."""
        with self._lock:
            since = self.rate.refused_since
            return since is not None and self._clock() - since >= seconds

    def is_gone(self, error: AzmlError, patience: float) -> bool:
        """Whether a call that failed with `error` is to be the last: nobody has had an answer for too long.

        `patience` is for an endpoint that has no room; one that cannot be reached has ten seconds to come back.
        """
        if is_pushback(error):
            return self.has_been_silent(patience)
        return self.has_been_silent(min(patience, _AWAY if self.rate.has_answered else _NEVER_THERE))

    def wake(self) -> None:
        """Have everybody who waits look again."""
        with self._lock:
            ready, self._waiting = list(self._waiting), deque()
        for wake in ready:
            wake()

    def _forget(self, wake: Callable[[], object]) -> None:
        with self._lock, contextlib.suppress(ValueError):  # woken already
            self._waiting.remove(wake)

    @contextlib.contextmanager
    def wishing(self, run: RunPacing) -> Iterator[None]:
        """Hold to the run's limits for everybody until the block ends."""
        run._entered.add(self)  # noqa: SLF001 - two halves of one thing
        if run.rpm is None and run.tpm is None:
            yield
            return
        with self._lock:
            self._wishes.append(run)
        try:
            yield
        finally:
            with self._lock:
                self._wishes.remove(run)


class Turn:
    """One call's way through its endpoint's gate: what the transport's drivers and the policy ask."""

    def __init__(self, gate: Gate, run: RunPacing) -> None:
        self.gate = gate
        self.run = run
        self.began = 0.0
        self._refusals = 0
        self._was_unreachable = False

    def take(self) -> None:
        """Wait for the turn of the next request."""
        self.began = self.gate.enter(self.run)

    async def atake(self) -> None:
        """What `take` does, on the running event loop."""
        self.began = await self.gate.aenter(self.run)

    def end(self, outcome: Answer | Broken | None) -> None:
        """The request has ended so; None where nothing came of it."""
        self._was_unreachable = isinstance(outcome, Broken) and outcome.how in {"refused", "connect-timeout"}
        self.gate.leave(self.began, outcome)

    def again(self, error: AzmlError) -> bool | None:
        """Whether the call that failed with `error` is to ask once more when its next turn comes; None for "as ever".

        A run with patience asks again where there was no room, and where no connection opened.
        """
        if not (self.run.patience and (is_pushback(error) or self._was_unreachable)):
            return None
        self._refusals += 1
        return self._refusals < _MOST_REFUSALS and not self.gate.is_gone(error, self.run.patience)

    def spent(self, usage: Usage | None, request_bytes: int, text: str) -> None:
        """The answer cost that much."""
        counted = usage.total_tokens if usage else None
        self.gate.spent(counted if counted is not None else (request_bytes + len(text)) / _BYTES_A_TOKEN)


# ---- the gates of this process ---------------------------------------------------------------------------------

_gates: dict[str, Gate] = {}
_gates_lock = threading.Lock()


def gate_of(config: LLMConfig) -> Gate:
    """The gate of the config's endpoint; every config that leads there shares it."""
    place = _place(config.endpoint_url, config.deployment_name or config.model or "")
    with _gates_lock:
        if place not in _gates:
            _gates[place] = Gate()
        return _gates[place]


@lru_cache(maxsize=256)
def _place(url: str, deployment: str) -> str:
    """What tells one endpoint from another: the URL without its route, and the deployment, which has its own limits."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(endpoints.route_of(url)).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path} {deployment}"


def turn_for(config: LLMConfig) -> Turn | None:
    """The turn that a call with `config` must take; None for a call alone, and where a tape answers."""
    run = _pacing.get()
    if run is None or recording.is_replaying():
        return None
    return Turn(gate_of(config), run)


def forget() -> None:
    """Forget what was learnt of every endpoint."""
    with _gates_lock:
        _gates.clear()
