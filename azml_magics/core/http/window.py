"""How many requests one endpoint gets at a time, and when: an adaptive concurrency window (AIMD) and its limits.

Pure: callers pass the time and the outcome of each request; rate_limiter.py does the waiting.

The window starts at 16 requests in flight. It grows by two with every success and by one every 2 ms without any: a
managed endpoint accepts 500 new connections and 500 requests a second (Azure ML, limits of online endpoints). An
overload (429, 503, or 424 around them: too many pending requests, no instance ready) halves the window and pauses all
requests, for Retry-After or for a quarter of a second, doubling. After that the window grows by one a round, until a
minute has passed without another overload. If responses count what is left of a quota
(`x-ratelimit-remaining-requests`, `-tokens`) and it runs out, requests are spaced as the quota comes back.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .feedback import Feedback
    from .quota import Quota

FIRST_WINDOW = 16.0
_RECOVERY = 60.0  # seconds without an overload after which the window grows fast again: quotas are per minute
_FAST_GROWTH = 2.0  # places that a success adds at first
_GROWTH_INTERVAL = 0.002  # seconds after which one more place opens without a response
_FIRST_PAUSE = 0.25
_MAX_PAUSE = 8.0  # without Retry-After
_MAX_RETRY_AFTER = 900.0
_BURST = 1.0  # seconds' worth of a limit that may be used at once
_MINUTE = 60.0


class PerMinuteLimit:
    """A limit of requests or tokens per minute, used evenly: `delay` until the next use, `consume` for each."""

    def __init__(self) -> None:
        self._due = -math.inf

    def delay(self, now: float, per_minute: float) -> float:
        """Seconds until more may be used; one second's worth may be used at once."""
        return max(0.0, self._due - self._burst(per_minute) - now) if self._due > now else 0.0

    @staticmethod
    def _burst(per_minute: float) -> float:
        """Nothing at once if the limit is less than one a second."""
        return _BURST if per_minute > _MINUTE else 0.0

    def consume(self, now: float, per_minute: float, amount: float = 1.0) -> None:
        """Count `amount` as used now; a negative amount is given back."""
        self._due = max(self._due, now) + amount * _MINUTE / per_minute


class Window:
    """One endpoint's concurrency window. Times are seconds on any monotonic clock.

    Attributes:
        size: Requests that may be in flight; the fraction counts towards the next place.
        max_size: The most that `size` may become.
        in_flight: Requests that are in flight.
        paused_until: Time before which no request starts.
        pause_reason: Why: the status of the last overload, or "no connection".
        overloaded_since: Time of the first failure after the last success, or None.
        has_succeeded: Whether the endpoint has ever returned a 200.
        tokens_per_request: A moving average.
        reports_tokens: Whether the endpoint says what is left of its token quota.
    """

    def __init__(self, jitter: Callable[[], float] = random.random, max_size: float = math.inf) -> None:
        self.max_size = max_size
        self.size = min(FIRST_WINDOW, max_size)
        self.in_flight = 0
        self.paused_until = -math.inf
        self.pause_reason = ""
        self.overloaded_since: float | None = None
        self.has_succeeded = False
        self.tokens_per_request = 0.0
        self.reports_tokens = False
        self._jitter = jitter
        self._grows_fast = True
        self._grown_at = -math.inf
        self._reduced_at = -math.inf
        self._reductions = 0
        self._requests, self._tokens = PerMinuteLimit(), PerMinuteLimit()
        self._quota_interval = 0.0  # seconds between two requests while the endpoint's quota runs out
        self._quota_until = -math.inf

    def raise_to(self, size: int) -> None:
        """Widen the window to `size`, unless the endpoint has been overloaded."""
        if self._grows_fast:
            self.size = min(max(self.size, size), self.max_size)

    def pause_left(self, now: float) -> float:
        """Seconds until the pause after an overload ends."""
        return max(0.0, self.paused_until - now)

    def admit(
        self,
        now: float,
        ahead: int = 0,
        rpm: float | None = None,
        tpm: float | None = None,
        patience: float = math.inf,
    ) -> float:
        """Count a request as in flight if it may start now.

        Args:
            now: The time.
            ahead: How many requests are waiting already.
            rpm: Requests per minute that the user allows.
            tpm: Tokens per minute that the user allows.
            patience: The longest pause that the request waits for. It is sent in spite of a longer one: the endpoint
                may have room again, and its error says more than a long silence.

        Returns:
            0.0 if the request was admitted, else the seconds after which to try again.
        """
        wait = self.delay(now, ahead, rpm, tpm, patience)
        if wait > 0:
            return wait
        self.in_flight += 1
        if self.in_flight >= int(self.size):
            self._grown_at = max(self._grown_at, now)
        if rpm is not None:
            self._requests.consume(now, rpm)
        if tpm is not None and self.tokens_per_request:
            self._tokens.consume(now, tpm, self.tokens_per_request)
        if self._quota_interval:
            self._quota_until = now + self._quota_interval
        return 0.0

    def delay(
        self,
        now: float,
        ahead: int = 0,
        rpm: float | None = None,
        tpm: float | None = None,
        patience: float = math.inf,
    ) -> float:
        """Seconds until a request may start, with the arguments of `admit`; 0.0 if it may start now."""
        pause = self.paused_until - now
        wait = max(pause if pause <= patience else 0.0, self._quota_until - now)
        if rpm is not None:
            wait = max(wait, self._requests.delay(now, rpm))
        if tpm is not None:
            wait = max(wait, self._tokens.delay(now, tpm))
        if wait <= 0 and self.in_flight >= int(self.size):
            wait = self._grow_with_time(now, ahead)
        return max(wait, 0.0)

    def _grow_with_time(self, now: float, ahead: int) -> float:
        """Open the places that time alone opens; the seconds until there is one behind `ahead` others, or 0.0."""
        if not self._grows_fast:
            if now - self._reduced_at < _RECOVERY:
                return math.inf
            self._grows_fast, self._grown_at = True, now
        if now < self._grown_at + _GROWTH_INTERVAL:
            return self._grown_at + _GROWTH_INTERVAL * (ahead + 1) - now
        places = int((now - self._grown_at) / _GROWTH_INTERVAL)
        if int(self.size) >= self.max_size:
            return math.inf
        self.size = min(self.size + places, self.max_size)
        self._grown_at += places * _GROWTH_INTERVAL
        return 0.0

    @property
    def free_places(self) -> int:
        """How many more requests may be in flight."""
        return max(0, int(self.size) - self.in_flight)

    def release(self, now: float, started: float, feedback: Feedback) -> None:
        """Count a request that was admitted at `started` as ended, and adapt to its feedback."""
        if feedback.kind == "success":
            self._reductions, self.overloaded_since, self.has_succeeded = 0, None, True
            if self.in_flight >= int(self.size):
                more = _FAST_GROWTH if self._grows_fast else 1.0 / self.size
                self.size = min(self.size + more, self.max_size)
        elif feedback.kind in {"overloaded", "no-response"}:
            self.pause_reason = feedback.reason
            self._reduce(now, started, feedback.retry_after)
        self.in_flight -= 1
        self._apply_quota(now, feedback)

    def _reduce(self, now: float, started: float, retry_after: float | None) -> None:
        """Halve the window and pause all requests."""
        self.overloaded_since = now if self.overloaded_since is None else self.overloaded_since
        if started >= self._reduced_at:  # requests sent before the last reduction say nothing new
            self.size = max(1.0, min(self.size, self.in_flight) / 2)
            self._grows_fast, self._reduced_at = False, now
            if retry_after is None:
                pause = min(_FIRST_PAUSE * 2.0**self._reductions, _MAX_PAUSE) * (0.5 + self._jitter() / 2)
                self.paused_until = max(self.paused_until, now + pause)
                self._reductions = min(self._reductions + 1, 10)
        if retry_after is not None:
            self.paused_until = max(self.paused_until, now + min(retry_after, _MAX_RETRY_AFTER))

    def _apply_quota(self, now: float, feedback: Feedback) -> None:
        """Space requests by what the endpoint says is left of its quotas, if it says so."""
        requests, tokens = feedback.requests, feedback.tokens
        if requests is None and tokens is None:
            return
        interval = 0.0
        if requests is not None and (requests.remaining or 0) <= self.in_flight:
            interval = _interval(requests, 1.0)
        if tokens is not None:
            self.reports_tokens = True
            needed = self.tokens_per_request * (self.in_flight + 1)
            if (tokens.remaining or 0) < max(needed, 1.0):
                interval = max(interval, _interval(tokens, max(self.tokens_per_request, 1.0)))
        self._quota_interval = interval
        self._quota_until = max(self._quota_until, now + interval) if interval else -math.inf

    def record_usage(self, now: float, tokens: float, tpm: float | None = None) -> None:
        """Count the tokens of one response."""
        if tpm is not None:
            self._tokens.consume(now, tpm, tokens - self.tokens_per_request)
        self.tokens_per_request += (tokens - self.tokens_per_request) / 8 if self.tokens_per_request else tokens


def _interval(quota: Quota, amount: float) -> float:
    """Seconds between two requests that need `amount` each, so that the quota comes back as fast as it is used."""
    if quota.per_second is None:
        return min(quota.reset or amount, _MINUTE)
    return min(amount / quota.per_second, _MINUTE)
