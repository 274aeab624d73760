"""Runs an evaluation: the rows by all settings, their scores, then the judge; one journal, one token limit."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import Interrupted, RowsError
from ..core.interrupts import unmask_interrupts
from ..core.text import one_line
from ..core.tracing import trace_block
from ..rows.journal import Journal
from ..rows.journal_summary import summarize_journal
from ..rows.mapper import TICK
from .evaluation import Evaluation
from .judging import Judging
from .outcome import Outcome
from .outcomes import Outcomes
from .progress import EvaluationProgress
from .row_source import RowSource
from .scoring_pool import ScoringPool
from .setting_runs import SettingRuns

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from ..core.secret import Secret
    from ..core.tracing import AnyBlockSpan
    from ..rows.journal_summary import JournalSummary
    from ..rows.progress import Done, Progress
    from ..rows.run_options import RunOptions
    from .plan import EvaluationPlan
    from .scoring import Judge
    from .setting_runs import SettingRun

    OnProgress = Callable[[EvaluationProgress], Any]
    OnBegin = Callable[["JournalSummary | None"], Any]


class _EngineStopped(Exception):
    """The evaluation was stopped from another thread."""


class Engine:
    """One run of an evaluation.

    Examples:
        evaluation = Engine(plan, options).run()
    """

    def __init__(
        self,
        plan: EvaluationPlan,
        options: RunOptions,
        *,
        on_progress: OnProgress | None = None,
        on_begin: OnBegin | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            plan: What to send, checked.
            options: The limits for each endpoint, and the journal of all.
            on_progress: Called with the counts about ten times a second.
            on_begin: Called before anything is sent with what the journal has; None if it has nothing.
            loop: A running event loop for async scorers.
        """
        self._plan = plan
        self._options = options
        self._on_progress = on_progress
        self._on_begin = on_begin
        self._outcomes = Outcomes(plan.settings, plan.repeats)
        self._source = RowSource(plan.table, self._outcomes, plan.expectations)
        self._pool = ScoringPool(plan.scorers, self._outcomes, loop)
        self._journal: Journal | None = None
        self._runs: SettingRuns | None = None
        self._judgings: list[Judging] = []
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._reported = 0.0

    def stop(self) -> None:
        """Stop the run from another thread: `run` raises Interrupted there."""
        self._stopped.set()

    def run(self) -> Evaluation:
        """Send the rows, score and judge the responses, and return the evaluation.

        A setting whose endpoint fails ends alone, as the evaluation's note says.

        Raises:
            Interrupted: The user stopped the run; `batch` has the evaluation so far.
            RowsError: All settings ended early, or a scorer cannot work; `batch` has the evaluation so far.
            KeyNotFoundError: A config's key cannot be found.
            JournalError: The journal cannot be used.
        """
        self._open_journal()
        self._began = time.monotonic()
        with self._trace() as span:
            evaluation = self._run()
            progress = evaluation.progress
            span.set(**{"rows.done": progress.done, "rows.failed": progress.failed, "rows.tokens": progress.tokens})
            return evaluation

    def _trace(self) -> AnyBlockSpan:
        settings = self._plan.settings
        names = ", ".join(dict.fromkeys(filter(None, (setting.config.name for setting in settings))))
        facts = {"config": names, "settings": len(settings)}
        return trace_block("evaluate", facts, mlflow=self._plan.client.traces_to_mlflow)

    def _run(self) -> Evaluation:
        try:
            with contextlib.ExitStack() as cleanup:
                if self._journal is not None:
                    cleanup.callback(self._journal.close)
                cleanup.callback(self._pool.close)
                if self._on_begin is not None:
                    self._on_begin(self._summarize())
                self._send_rows()
                self._finish_scoring()
                for judge in self._plan.judges:
                    self._ask(judge)
        except (KeyboardInterrupt, _EngineStopped):
            raise Interrupted(batch=self._collect(self._interrupt_note(), is_complete=False)) from None
        except RowsError as error:
            error.batch = self._collect("Stopped early", is_complete=False)
            raise
        self._raise_if_all_failed()
        return self._collect(" ".join(f"{note.rstrip('.')}." for note in self._notes()))

    # ---- before

    def _open_journal(self) -> None:
        secrets: dict[Secret, None] = {}
        for row_prompt in self._plan.row_prompts:
            secrets.update(dict.fromkeys(row_prompt.resolve_keys()))
        for judge in self._plan.judges:
            secrets.update(dict.fromkeys(self._plan.client.resolve_keys(judge.config)))
        if self._options.journal is None:
            return
        of_settings = [row_prompt.settings() for row_prompt in self._plan.row_prompts]
        journal = Journal(self._options.journal, self._plan.shared_settings(), tuple(secrets), of_settings)
        for setting, its_settings in zip(self._plan.settings, of_settings, strict=True):
            journal.declare(its_settings, dict(setting))
        self._journal = journal

    def _summarize(self) -> JournalSummary | None:
        if self._journal is None:
            return None
        plan = self._plan
        return summarize_journal(self._journal, plan.row_prompts, plan.table, self._options, plan.repeats)

    # ---- the rows

    def _send_rows(self) -> None:
        runs = self._runs = SettingRuns(self._plan, self._source, self._options, self._journal)
        try:
            with runs:
                while not runs.is_over:
                    self._take(runs.take(TICK))
                    self._report()
                    self._raise_if_ended()
        finally:
            self._take(runs.take_rest())
            self._source.read_all()
            self._source.give_back()

    def _take(self, rows_by_setting: Iterable[tuple[SettingRun, list[Done]]]) -> None:
        """Score and store the responses that have arrived."""
        for setting_run, rows in rows_by_setting:
            setting, texts = setting_run.setting, setting_run.texts
            for record, row in rows:
                setting_run.run.left.pop(record.position, None)
                row_index, repeat = divmod(record.position, self._plan.repeats)
                _, values, _, expected = self._outcomes.record_of(row_index)
                outcome = Outcome(
                    setting,
                    setting.config,
                    row.response,
                    row.error,
                    row_index,
                    record.index,
                    values,
                    texts.pop(record.position, ""),
                    expected,
                    reused=row.reused,
                )
                position = self._outcomes.position_of(row_index, setting.index, repeat + 1)
                scores = self._pool.score_now(outcome)
                self._outcomes.put(position, replace(outcome, scores=scores) if scores else outcome)
                if row.error is None:
                    self._pool.submit(position)

    def _finish_scoring(self) -> None:
        """Wait for scorers that run in the background."""
        while self._pool.left and self._pool.error is None:
            with unmask_interrupts():
                self._stopped.wait(TICK)
            self._report(f"scoring {self._pool.left:,} more")
            self._raise_if_ended()
        self._raise_if_ended()

    # ---- the judge

    def _ask(self, judge: Judge) -> None:
        """Ask a judge about the responses. If that fails, they are kept and a note says so."""
        if self._runs is None or self._runs.budget.is_spent:
            return
        judging = Judging(
            self._plan, judge, self._outcomes, self._options, journal=self._journal, budget=self._runs.budget
        )
        self._judgings.append(judging)
        run = judging.run
        try:
            with run:
                while not run.is_over and run.error is None:
                    judging.handle(run.take(TICK))
                    self._report(f"judging {judging.judged:,} of {len(self._outcomes):,}")
                    self._raise_if_ended()
        finally:
            judging.handle(run.take(0))

    # ---- the end

    def _raise_if_ended(self) -> None:
        if self._stopped.is_set():
            raise _EngineStopped
        if self._pool.error is not None:
            raise self._pool.error

    def _report(self, phase: str = "") -> None:
        now = time.monotonic()
        if self._on_progress is not None and now - self._reported >= TICK:
            self._reported = now
            self._on_progress(self._progress(phase))

    def _progress(self, phase: str = "", *, is_over: bool = False) -> EvaluationProgress:
        by_setting = self._runs.progress() if self._runs is not None else []
        seconds = time.monotonic() - self._began
        return EvaluationProgress.of(by_setting, phase, seconds=seconds, is_over=is_over)

    def _collect(self, note: str = "", *, is_complete: bool = True) -> Evaluation:
        progress = self._progress(is_over=True)
        if self._on_progress is not None:
            self._on_progress(progress)
        evaluation = Evaluation(self._outcomes, self._plan, progress=progress, note=note, is_complete=is_complete)
        evaluation.judge_usage = tuple(each.usage for each in self._judgings)
        return evaluation

    def _interrupt_note(self) -> str:
        if not self._judgings:
            return "Interrupted"
        return f"Interrupted while judging: {self._judgings[-1].judged:,} of {len(self._outcomes):,} were judged"

    def _notes(self) -> list[str]:
        """Return a sentence for each setting that ended early, for the judge, and for the limit of tokens."""
        runs = self._runs.each if self._runs is not None else []
        notes = [
            f"{each.setting.label} stopped after {_count(each.run.progress())}: {_describe(each.run.error)}"
            for each in runs
            if each.run.error is not None
        ]
        notes += [
            f"The judge {each.judge.name!r} stopped after {each.run.progress().done:,} responses: "
            f"{_describe(each.run.error)}"
            for each in self._judgings
            if each.run.error is not None
        ]
        budget = self._runs.budget.note if self._runs is not None else ""
        return [*notes, *filter(None, [budget])]

    def _raise_if_all_failed(self) -> None:
        """Raise what ended all settings before their last row: the error itself if no row was done."""
        errors = [each.run.error for each in self._runs.each] if self._runs is not None else []
        error = next((error for error in errors if error is not None), None)
        if error is None or None in errors:
            return
        progress = self._progress(is_over=True)
        if not progress.done or not isinstance(error, Exception):
            raise error
        is_kept = self._journal is not None and getattr(error, "error_code", "") != "journal-lost"
        resume = f"; {self._options.journal} has them, and running again continues from there" if is_kept else ""
        raise RowsError(
            f"The evaluation ended early. {'. '.join(self._notes())}",
            remedy=getattr(error, "remedy", ""),
            kept=f"The responses so far are in the error's `batch`{resume}.",
            batch=self._collect("Stopped early", is_complete=False),
        ) from error


def _count(progress: Progress) -> str:
    return f"{progress.done:,} rows" if progress.total is None else f"{progress.done:,} of {progress.total:,} rows"


def _describe(error: BaseException | None) -> str:
    return one_line(f"{type(error).__name__}: {getattr(error, 'cause', error)}", 300)
