"""How many requests one endpoint is sent, and when: a window that opens while it answers, and closes when it balks.

Pure: it is told the time and what was heard; gate.py does the waiting.

It begins with 16 requests in flight and opens two further places with every answer, and one with every 2 ms without: a
managed endpoint takes 500 new connections and 500 requests a second (Azure ML, limits of online endpoints). A refusal
for want of room (429, 503, 424 around them: too many pending requests, no instance ready) halves the window and makes
everybody wait, for Retry-After or a quarter of a second doubling; from then on the window opens by one place a round,
until a minute has passed without another. Where the replies count what is left (`x-ratelimit-remaining-requests`,
`-tokens`) and it runs out, requests go at the pace at which the minute's limit comes back.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import RateLimitError, ServiceUnavailableError
from . import status_errors
from .retry import Answer, Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import AzmlError

FIRST_WINDOW = 16.0
_FORGIVEN = 60.0  # seconds without a refusal after which it opens as at first: limits are counted by the minute
_WIDER = 2.0  # places that an answer opens at first
_STEP = 0.002  # seconds after which a further place opens by itself
_FIRST_HOLD = 0.25
_LONGEST_HOLD = 8.0  # without a word from the endpoint
_LONGEST_WAIT = 900.0  # with one
_BURST = 1.0  # so many seconds' worth of a limit may go at once
_MINUTE = 60.0
_OK = 200
_ROOMLESS = (429, 503, 424)


@dataclass(frozen=True)
class Heard:
    """What one request taught: how it ended, the seconds it was told to wait, and what is left of the limits."""

    kind: Literal["answered", "pushed-back", "broken", "failed"]
    retry_after: float | None = None
    requests_left: int | None = None
    requests_limit: int | None = None
    tokens_left: int | None = None
    tokens_limit: int | None = None


def is_pushback(error: AzmlError) -> bool:
    """Whether the endpoint has no room for the request now: it would take the same one later."""
    return isinstance(error, RateLimitError) or (
        isinstance(error, ServiceUnavailableError) and error.status in _ROOMLESS
    )


def heard(outcome: Answer | Broken | None) -> Heard:
    """What the outcome of a request teaches; None for one that was given up before it had any."""
    if outcome is None:
        return Heard("failed")
    if isinstance(outcome, Broken):
        was_left = outcome.how == "closed" and outcome.reused  # as servers do with a connection that was idle
        return Heard("failed" if was_left or outcome.how in {"untrusted", "unsendable"} else "broken")
    status, headers, body = outcome.status, outcome.headers, outcome.body
    kind: Literal["answered", "pushed-back", "failed"] = "answered" if status == _OK else "failed"
    retry_after = None
    if status in _ROOMLESS:
        error = status_errors.fault(status, headers, body)
        kind, retry_after = ("pushed-back", error.retry_after) if is_pushback(error) else ("failed", None)
    if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
        return Heard(kind, retry_after)
    left, limit = (_count(headers.get(f"x-ratelimit-{what}-requests")) for what in ("remaining", "limit"))
    tokens, most = (_count(headers.get(f"x-ratelimit-{what}-tokens")) for what in ("remaining", "limit"))
    return Heard(kind, retry_after, left, limit, tokens, most)


def _count(text: str | None) -> int | None:
    """The count in a header; None where it is missing or -1, which some routes write for "unknown"."""
    return int(text) if text and text.isdecimal() and len(text) < 12 else None  # noqa: PLR2004 - a length, no number


class Pace:
    """So many a minute: `wait` says how long until the next may go, `spend` counts what went."""

    def __init__(self) -> None:
        self._due = -math.inf

    def wait(self, now: float, per_minute: float) -> float:
        """Seconds until something may go; a second's worth may go at once."""
        return max(0.0, self._due - min(_BURST, self._burst(per_minute)) - now) if self._due > now else 0.0

    @staticmethod
    def _burst(per_minute: float) -> float:
        """Nothing at once where less than one a second may go."""
        return _BURST if per_minute > _MINUTE else 0.0

    def spend(self, now: float, per_minute: float, amount: float = 1.0) -> None:
        """`amount` went now; a negative one gives back."""
        self._due = max(self._due, now) + amount * _MINUTE / per_minute


class Rate:
    """One endpoint's window and pace. Seconds on any clock that only goes forward."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self.window = FIRST_WINDOW
        self.in_flight = 0
        self.held_until = -math.inf
        self.refused_since: float | None = None  # the first refusal after the last answer
        self.has_answered = False
        self.tokens_a_request = 0.0
        self.is_counted = False  # the endpoint says what is left of the tokens
        self._jitter = jitter
        self._opening = True
        self._stepped = -math.inf
        self._cut = -math.inf
        self._refusals = 0
        self._requests, self._tokens = Pace(), Pace()
        self._scarce: float = 0.0  # seconds between two requests while the endpoint's own count runs out
        self._scarce_until = -math.inf

    def open_to(self, window: int) -> None:
        """Let so many in, if nobody has been refused yet."""
        if self._opening:
            self.window = max(self.window, window)

    def admit(self, now: float, ahead: int = 0, rpm: float | None = None, tpm: float | None = None) -> float:
        """0.0 where a request may go now - it counts as in flight - else the seconds after which to ask again.

        ahead: how many wait already. rpm, tpm: the requests and tokens a minute that the person allows.
        """
        wait = max(self.held_until - now, self._scarce_until - now)
        if rpm is not None:
            wait = max(wait, self._requests.wait(now, rpm))
        if tpm is not None:
            wait = max(wait, self._tokens.wait(now, tpm))
        if wait > 0:
            return wait
        if self.in_flight >= int(self.window):
            closed = self._until_a_step(now, ahead)
            if closed > 0:
                return closed
        self.in_flight += 1
        if self.in_flight >= int(self.window):
            self._stepped = max(self._stepped, now)
        if rpm is not None:
            self._requests.spend(now, rpm)
        if tpm is not None and self.tokens_a_request:
            self._tokens.spend(now, tpm, self.tokens_a_request)
        if self._scarce:
            self._scarce_until = now + self._scarce
        return 0.0

    def _until_a_step(self, now: float, ahead: int) -> float:
        """Seconds until time alone opens a place for one with `ahead` before it; 0.0 where it has just done so."""
        if not self._opening and now - self._cut < _FORGIVEN:
            return math.inf
        if not self._opening:
            self._opening, self._stepped = True, now
        if now < self._stepped + _STEP:
            return self._stepped + _STEP * (ahead + 1) - now
        steps = int((now - self._stepped) / _STEP)
        self.window += steps
        self._stepped += steps * _STEP
        return 0.0

    def free(self) -> int:
        """How many more may be in flight."""
        return max(0, int(self.window) - self.in_flight)

    def left(self, now: float, began: float, said: Heard) -> None:
        """A request that began at `began` has ended, as `said` says."""
        was_full = self.in_flight >= int(self.window)
        if said.kind == "answered":
            self._refusals, self.refused_since, self.has_answered = 0, None, True
            if was_full:
                self.window += _WIDER if self._opening else 1.0 / self.window
        elif said.kind in {"pushed-back", "broken"}:
            self._refused(now, began, said)
        self.in_flight -= 1
        self._count(now, said)

    def _refused(self, now: float, began: float, said: Heard) -> None:
        self.refused_since = now if self.refused_since is None else self.refused_since
        if began >= self._cut:  # those that were sent before the last cut say nothing new
            self.window = max(1.0, min(self.window, self.in_flight) / 2)
            self._opening, self._cut = False, now
            if said.retry_after is None:
                hold = min(_FIRST_HOLD * 2.0**self._refusals, _LONGEST_HOLD) * (0.5 + self._jitter() / 2)
                self.held_until = max(self.held_until, now + hold)
                self._refusals = min(self._refusals + 1, 10)
        if said.retry_after is not None:
            self.held_until = max(self.held_until, now + min(said.retry_after, _LONGEST_WAIT))

    def _count(self, now: float, said: Heard) -> None:
        """Take the endpoint's own count of what is left; without one nothing changes."""
        if said.requests_left is None and said.tokens_left is None:
            return
        scarce = 0.0
        if said.requests_left is not None and said.requests_left <= self.in_flight:
            scarce = _MINUTE / (said.requests_limit or _MINUTE)
        self.is_counted = self.is_counted or said.tokens_left is not None
        wanted = self.tokens_a_request * (self.in_flight + 1)
        if said.tokens_left is not None and said.tokens_left < max(wanted, 1.0):
            limit = max(said.tokens_limit or 0, 1)
            scarce = max(scarce, min(_MINUTE, max(self.tokens_a_request, 1.0) * _MINUTE / limit))
        self._scarce = scarce
        self._scarce_until = max(self._scarce_until, now + scarce) if scarce else -math.inf

    def spent(self, now: float, tokens: float, tpm: float | None = None) -> None:
        """An answer cost so many tokens."""
        if tpm is not None:
            self._tokens.spend(now, tpm, tokens - self.tokens_a_request)
        self.tokens_a_request += (tokens - self.tokens_a_request) / 8 if self.tokens_a_request else tokens
