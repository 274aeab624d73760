"""The runs of an evaluation: one for each setting, side by side; those at one endpoint share its concurrency."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..core.interrupts import unmask_interrupts
from ..core.messages import preview_text
from ..rows.runner import Run
from ..rows.token_budget import TokenBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..core.messages import Message
    from ..rows.journal import Journal
    from ..rows.progress import Done, Progress
    from ..rows.run_options import RunOptions
    from ..rows.table_rows import Record
    from .plan import EvaluationPlan
    from .row_source import RowSource
    from .settings import Setting

_LOOK_AHEAD = 4096  # rows of a setting that may be sent before they are stored: more would fill memory


class SettingRun:
    """The run of one setting.

    Attributes:
        setting: The setting.
        run: Its run.
        texts: The text of the last user message of each row that is not taken yet, by the row's position.
    """

    def __init__(self, setting: Setting, make_run: Callable[..., Run]) -> None:
        """Make the run of a setting.

        Args:
            setting: The setting.
            make_run: Returns the run, with one more argument: `on_messages`.
        """
        self.setting = setting
        self.texts: dict[int, str] = {}
        self.run = make_run(on_messages=self._keep_text)
        self.is_begun = self.has_ended = False

    def _keep_text(self, record: Record, messages: list[Message]) -> None:
        users = [message for message in messages if message.get("role") == "user"]
        self.texts[record.position] = preview_text(users[-1]) if users else ""

    @property
    def is_active(self) -> bool:
        """Whether it sends."""
        return self.is_begun and not self.has_ended


class SettingRuns:
    """The runs of all settings. Those at one endpoint take turns if there are more of them than requests at a time.

    Examples:
        with SettingRuns(...) as runs:
            for setting_run, rows in runs.take(seconds):
                ...

    Attributes:
        each: The run of every setting, in their order.
        budget: The limit of tokens, which they share.
    """

    def __init__(self, plan: EvaluationPlan, source: RowSource, options: RunOptions, journal: Journal | None) -> None:
        """Prepare the runs; entering the block begins them.

        Args:
            plan: The settings and their prompts.
            source: The rows.
            options: The limits for each endpoint.
            journal: The journal of all runs; they leave it open.
        """
        self.budget = TokenBudget(options.max_tokens_total)
        self._concurrency = options.concurrency
        self._news = threading.Event()
        self._cleanup = contextlib.ExitStack()
        self._groups: dict[int, list[SettingRun]] = {}
        self.each: list[SettingRun] = []
        limiters = [row_prompt.limiter for row_prompt in plan.row_prompts]
        length = plan.table.length
        total = None if length is None else length * plan.repeats
        for setting, row_prompt, limiter in zip(plan.settings, plan.row_prompts, limiters, strict=True):
            share = max(1, options.concurrency // limiters.count(limiter))
            make_run = partial(
                Run,
                row_prompt,
                source.records(plan.repeats),
                replace(options, concurrency=share),
                journal=journal,
                total=total,
                look_ahead=_LOOK_AHEAD,
                budget=self.budget,
                closes_journal=False,
            )
            self.each.append(SettingRun(setting, make_run))
            self.each[-1].run.on_over = self._news.set
            self._groups.setdefault(id(limiter), []).append(self.each[-1])

    def __enter__(self) -> SettingRuns:
        """Begin to send."""
        for group in self._groups.values():
            for setting_run in group[: self._concurrency]:
                self._begin(setting_run)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop sending, and wait a moment for responses that are about to arrive."""
        for setting_run in self.each:
            setting_run.run.stop()
        self._cleanup.close()

    def _begin(self, setting_run: SettingRun) -> None:
        setting_run.is_begun = True
        self._cleanup.enter_context(setting_run.run)

    @property
    def is_over(self) -> bool:
        """Whether no further rows come."""
        return all(setting_run.has_ended for setting_run in self.each)

    def take(self, seconds: float) -> Iterator[tuple[SettingRun, list[Done]]]:
        """Yield the rows of each setting that are done. Settings that have ended make room for others.

        Args:
            seconds: How long to wait for news.
        """
        with unmask_interrupts():
            self._news.wait(seconds)
            self._news.clear()
        for setting_run in self.each:
            if setting_run.is_active:
                run = setting_run.run
                is_last = run.is_over or run.error is not None
                yield setting_run, run.take(0)
                if is_last:
                    self._end(setting_run)

    def take_rest(self) -> Iterator[tuple[SettingRun, list[Done]]]:
        """Yield the rows that are left once the runs have ended."""
        for setting_run in self.each:
            if setting_run.is_begun:
                yield setting_run, setting_run.run.take(0)

    def progress(self) -> list[tuple[str, Progress]]:
        """Return the label and the counts of each setting."""
        return [(setting_run.setting.label, setting_run.run.progress()) for setting_run in self.each]

    def _end(self, setting_run: SettingRun) -> None:
        """Give the requests at a time of a setting that has ended to others at its endpoint."""
        setting_run.has_ended = True
        group = next(group for group in self._groups.values() if setting_run in group)
        waiting = [other for other in group if not other.is_begun]
        if waiting:
            self._begin(waiting[0])
            return
        active = [other for other in group if other.is_active]
        for other in active:
            other.run.raise_concurrency(max(1, self._concurrency // len(active)))
