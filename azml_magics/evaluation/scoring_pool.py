"""Runs scorers: quick ones at once, others in threads, async ones on an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import queue
import threading
from typing import TYPE_CHECKING, Any

from ..core.errors import RowsError
from ..core.interrupts import unmask_interrupts
from ..core.text import one_line
from .outcome import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .outcome import Outcome
    from .outcomes import Outcomes
    from .scoring import Scorer

_THREADS = 8
_MAX_EQUAL_ERRORS = 10  # of a scorer that has never succeeded
_POLL = 0.1  # seconds


class ScoringPool:
    """Scores outcomes with scorers that may take long, in the background.

    Attributes:
        error: Why the evaluation should end: a scorer failed in the same way for each of the first ten rows.
    """

    def __init__(
        self, scorers: Sequence[Scorer], outcomes: Outcomes, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Prepare to score.

        Args:
            scorers: What measures each response.
            outcomes: Where the scores go.
            loop: A running event loop for async scorers; by default one in a thread of this pool.
        """
        self._quick = [scorer for scorer in scorers if getattr(scorer, "is_quick", False)]
        self._slow = [scorer for scorer in scorers if scorer not in self._quick]
        self._outcomes = outcomes
        self._loop = loop
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._left = 0
        self._errors: dict[str, list[str]] = {scorer.name: [] for scorer in scorers}
        self._has_succeeded: set[str] = set()
        self._stopped = threading.Event()
        self.error: RowsError | None = None

    def score_now(self, outcome: Outcome) -> dict[str, Score]:
        """Return the scores of the quick scorers; {} for a failed response."""
        if outcome.error is not None or outcome.response is None:
            return {}
        return {score.name: score for scorer in self._quick for score in self._scores_of(scorer, outcome)}

    def submit(self, position: int) -> None:
        """Score an outcome with the other scorers in the background."""
        if not self._slow:
            return
        with self._lock:
            self._left += 1
            if len(self._threads) < _THREADS:
                self._start_thread()
        self._queue.put(position)

    @property
    def left(self) -> int:
        """How many outcomes are not scored yet."""
        return self._left

    def wait(self) -> None:
        """Wait until all outcomes are scored, or a scorer cannot work."""
        while self._left and self.error is None:
            with unmask_interrupts():
                self._stopped.wait(_POLL)

    def close(self) -> None:
        """Stop scoring. A scorer that runs goes on in the background, and its scores are dropped."""
        self._stopped.set()
        for _ in self._threads:
            self._queue.put(None)
        if self._own_loop is not None:
            self._own_loop.call_soon_threadsafe(self._own_loop.stop)

    # ---- threads

    def _start_thread(self) -> None:
        context = contextvars.copy_context()  # that of the run, whose span is current
        thread = threading.Thread(target=context.run, args=(self._work,), name="azml-magics-scores", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (position := self._queue.get()) is not None and not self._stopped.is_set():
            try:
                outcome = self._outcomes[position]
                scores = [score for scorer in self._slow for score in self._scores_of(scorer, outcome)]
                if not self._stopped.is_set():
                    self._outcomes.add_scores(position, scores)
            finally:
                with self._lock:
                    self._left -= 1

    def _scores_of(self, scorer: Scorer, outcome: Outcome) -> Sequence[Score]:
        try:
            # Any: inspect does not narrow what a scorer returns
            found: Any = scorer.score(outcome)
            if inspect.isawaitable(found):
                found = asyncio.run_coroutine_threadsafe(_await(found), self._event_loop()).result()
            scores: Sequence[Score] = list(found)
        except Exception as error:  # noqa: BLE001 - the user's function: the error of its row
            text = one_line(str(getattr(error, "cause", error)), 300)
            scores = [Score(scorer.name, None, error=": ".join(filter(None, [type(error).__name__, text])))]
        self._watch(scorer.name, scores)
        return scores

    def _watch(self, name: str, scores: Sequence[Score]) -> None:
        """End the evaluation if a scorer fails for each of the first rows with the same error."""
        if name in self._has_succeeded or not scores:
            return
        with self._lock:
            if any(not score.error for score in scores):
                self._has_succeeded.add(name)
                return
            errors = self._errors[name]
            errors.append(scores[0].error)
            if len(errors) >= _MAX_EQUAL_ERRORS and len(set(errors)) == 1 and self.error is None:
                self.error = RowsError(
                    f"The scorer {name!r} failed for each of the first {len(errors)} rows: {errors[0]}",
                    remedy="Correct it and run again.",
                    error_code="scorer-failed",
                )

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = self._own_loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run_loop, args=(self._own_loop,), name="azml-magics-score-loop", daemon=True
                ).start()
            return self._loop


async def _await(awaitable: Any) -> Any:
    return await awaitable


async def _cancel_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_cancel_tasks())
    finally:
        loop.close()
