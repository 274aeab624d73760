"""Permits of single calls, and the rate limiters of a client, one for each deployment."""

from __future__ import annotations

import contextlib
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..endpoints import Origin
from . import waiting
from .exchange import SendFailure
from .feedback import is_overload
from .fork import reset_in_child
from .rate_limiter import RateLimiter
from .run_control import RunControl, current_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import LLMConfig
    from ..errors import AzmlError
    from ..response import Usage
    from .exchange import Outcome

_MAX_OVERLOADS = 30  # of one call while others succeed: it may need more than the endpoint ever has
_BYTES_PER_TOKEN = 4  # an estimate for endpoints that count no tokens; used for limits only, never shown
# The endpoint on a Kubernetes cluster, and the deployment of Azure OpenAI, which have limits of their own
_NAMES_IN_PATH = re.compile(r"/(?:api/v1/endpoint|openai/deployments)/([^/]+)", re.IGNORECASE)


class Permit:
    """One call's permit: acquired before each of its requests, and released with the request's outcome."""

    def __init__(self, limiter: RateLimiter, run: RunControl) -> None:
        self.limiter = limiter
        self.run = run
        self.started = 0.0
        self._overloads = 0
        self._was_unreachable = False

    def acquire(self) -> None:
        """Wait until the next request may start."""
        with self._report_waiting():
            self.started = self.limiter.acquire(self.run)
        self.run.add(self)

    async def aacquire(self) -> None:
        """What `acquire` does, on the running event loop."""
        with self._report_waiting():
            self.started = await self.limiter.aacquire(self.run)
        self.run.add(self)

    @contextlib.contextmanager
    def _report_waiting(self) -> Iterator[None]:
        """Report a pause that the request may have to wait for."""
        pause = self.limiter.pause
        if pause is None or pause.seconds > self.run.patience:
            yield
            return
        waiting.report(pause)
        try:
            yield
        finally:
            waiting.report(None)

    def release(self, outcome: Outcome | None) -> None:
        """Report the outcome of the request; None if it was given up."""
        self._was_unreachable = isinstance(outcome, SendFailure) and outcome.is_unreachable
        if self.run.remove(self):  # else it was abandoned
            self.limiter.release(self.started, outcome, self.run)

    def abandon(self) -> None:
        """Release the permit of a request that the run no longer waits for."""
        self.release(None)

    def should_retry(self, error: AzmlError) -> bool | None:
        """Whether to retry the call with its next permit; None leaves it to the config's max_retries.

        Runs with `give_up_after` retry overloads and connections that could not be opened.
        """
        if not (self.run.give_up_after and (is_overload(error) or self._was_unreachable)):
            return None
        seconds = getattr(error, "retry_after", None) or 0.0
        if seconds > self.run.give_up_after:
            waiting.say_when(error, seconds)
            return False
        self._overloads += 1
        return self._overloads < _MAX_OVERLOADS and not self.limiter.should_give_up(error, self.run.give_up_after)

    def record_usage(self, usage: Usage | None, request_bytes: int, text: str) -> None:
        """Record what the response cost: its usage, or an estimate from the lengths of the request and the text."""
        tokens = usage.total_tokens if usage else None
        self.limiter.record_usage(tokens if tokens is not None else (request_bytes + len(text)) / _BYTES_PER_TOKEN)


class RateLimiters:
    """The rate limiters of a client, made when they are first asked for.

    Args:
        limiter: The one for every endpoint; None for one for each deployment.
    """

    def __init__(self, limiter: RateLimiter | None = None) -> None:
        self._shared = limiter
        self._by_deployment: dict[tuple[Origin, str, str], RateLimiter] = {}
        self._lock = threading.Lock()
        reset_in_child(self)

    @classmethod
    def of(cls, limiter: RateLimiter | RateLimiters | None) -> RateLimiters:
        """The rate limiters that a client's argument `limiter` stands for."""
        return limiter if isinstance(limiter, RateLimiters) else cls(limiter)

    def reset_after_fork(self) -> None:
        """Replace the lock, which a thread of the parent may hold; the limiters reset themselves."""
        self._lock = threading.Lock()

    def get(self, config: LLMConfig) -> RateLimiter:
        """The rate limiter of the config's deployment, shared by every config that calls it by any path."""
        if self._shared is not None:
            return self._shared
        model = config.model or config.model_kwargs.get("model") or ""
        key = _limiter_key(config.endpoint_url, config.deployment_name or "", str(model))
        with self._lock:
            if key not in self._by_deployment:
                self._by_deployment[key] = RateLimiter()
            return self._by_deployment[key]

    def permit(self, config: LLMConfig) -> Permit | None:
        """A permit for one call with `config`; None for a single call, unless the client was given a limiter."""
        run = current_run()
        if run is None:
            if self._shared is None:
                return None
            run = RunControl()
        return Permit(self.get(config), run)

    def clear(self) -> None:
        """Forget all limits learned from responses."""
        with self._lock:
            self._by_deployment.clear()


@lru_cache(maxsize=256)
def _limiter_key(url: str, deployment: str, model: str) -> tuple[Origin, str, str]:
    """What tells rate limits apart: the server, the endpoint or deployment in the path, and that of the config.

    Names of deployments do not differ by case.
    """
    in_path = "/".join(unquote(name) for name in _NAMES_IN_PATH.findall(urlsplit(url.strip()).path))
    return Origin.of(url), in_path.lower(), ("" if in_path else deployment or model).lower()


# ---- those of this process ----------------------------------------------------------------------------------------

shared_limiters = RateLimiters()  # of every client without a limiter of its own: an endpoint's limits are the same
rate_limiter_for = shared_limiters.get
reset = shared_limiters.clear
