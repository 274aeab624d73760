"""A question over a table, checked and ready to be run: what the functions and the notebook share."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import AzmlError, Interrupted, RowsError, UsageError
from ..core.http import recording
from ..core.keys import KeyRef, Secret
from .journal import Journal
from .prompts import Question
from .records import answer_names
from .results import Results
from .runner import Limits, Run
from .sources import chosen, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from ..core.config import LLMConfig
    from ..core.prompt.schema import Schema
    from .progress import Progress
    from .prompts import Prompt
    from .records import Record, TableRow
    from .sources import Table
    from .tally import Done

    OnProgress = Callable[[Progress], Any]

LOOK_AHEAD = 1024  # rows of a stream that may be done before the first of them is
TICK = 0.1  # seconds between two looks at how far it is
COUNTED = 10_000  # rows of a table at most are looked up in a journal before any is sent: a tenth of a second


@dataclass(frozen=True)
class RunOptions:
    """How a run goes: what map_rows takes beside the config, the prompt and the rows."""

    limits: Limits = field(default_factory=Limits)
    journal: str | Path | None = None
    retry_failed: bool = False

    def __post_init__(self) -> None:
        limits = self.limits
        for name, given in (("concurrency", limits.concurrency), ("max_tokens_total", limits.tokens)):
            if given is not None and (not isinstance(given, int) or given < 1):
                raise UsageError(f"{name} takes a whole number of at least 1, not {given!r}")
        for name, wanted in (("rpm", limits.rpm), ("tpm", limits.tpm)):
            if wanted is not None and not wanted > 0:
                raise UsageError(f"{name} takes a number above 0, not {wanted!r}")
        if self.retry_failed and self.journal is None:
            raise UsageError("retry_failed needs the journal of the run that failed", remedy="Name it with journal.")

    def for_one_of(self, workers: int) -> RunOptions:
        """A worker's share of what is allowed in a minute: it cannot see what the others do."""
        rpm, tpm = (most and most / workers for most in (self.limits.rpm, self.limits.tpm))
        return replace(self, limits=replace(self.limits, rpm=rpm, tpm=tpm))


class Kept(NamedTuple):
    """What a journal has before a run. lines: rows of any table. rows: of this one. missing: what is to be sent.

    Of a large table only `lines` is known, and the others are None.
    """

    lines: int
    rows: int | None = None
    missing: int | None = None


class Job:
    """What is asked of which rows. UsageError or UndefinedVariableError where the prompt and the table do not fit."""

    def __init__(
        self,
        config: LLMConfig,
        prompt: Prompt,
        rows: Any,
        *,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
        limit: int | None = None,
        sample: int | None = None,
    ) -> None:
        self.question = Question(config, prompt, variables, schema)
        self.limit, self.sample = limit, sample
        self.table: Table = chosen(table_of(rows, self.question.alone), limit, sample)
        if self.table.length == 0 or (self.table.columns == () and self.table.is_lazy):
            raise UsageError("There are no rows", remedy="Check what the table was made of.")
        self.question.check(self.table.columns)

    def run(self, wishes: RunOptions, on_begin: Callable[[Kept | None], Any] | None = None) -> Run:
        """The run, not begun yet; a key that a person types is asked for here, and the journal is opened.

        `on_begin` hears what the journal has of a table's rows; None where it has none, or only reading tells.
        """
        limits = wishes.limits
        secret = _secret(self.question.config)
        journal = None if wishes.journal is None else Journal(wishes.journal, self.question.asks(), secret)
        if on_begin is not None:
            try:
                on_begin(None if journal is None else self._kept(journal, retry_failed=wishes.retry_failed))
            except BaseException:
                if journal is not None:
                    journal.close()
                raise
        if self.table.is_lazy:
            limits = replace(limits, look_ahead=max(LOOK_AHEAD, 8 * limits.concurrency))
        retry, total = wishes.retry_failed, self.table.length
        return Run(self.question, self.table.records(), limits, journal=journal, retry_failed=retry, total=total)

    def _kept(self, journal: Journal, *, retry_failed: bool) -> Kept | None:
        """What the journal has; a row that cannot be asked is neither had nor missing."""
        if self.table.is_lazy or self.table.length is None or not len(journal):
            return None
        if self.table.length > COUNTED or callable(self.question.prompt):  # a person's function is called once a row
            return Kept(len(journal))
        numbers: Counter[bytes] = Counter()
        rows = missing = 0
        for record in self.table.records():
            try:
                key = self.question.key(self.question.messages(record))
            except Exception:  # noqa: BLE001, S112 - the row's own: the run says it there
                continue
            is_kept = journal.has(key, numbers[key], with_errors=not retry_failed)
            numbers[key] += 1
            rows += is_kept
            missing += not is_kept
        return Kept(len(journal), rows, missing)

    # ---- all of it

    def results(
        self,
        wishes: RunOptions,
        on_progress: OnProgress | None = None,
        on_begin: Callable[[Kept | None], Any] | None = None,
    ) -> Results:
        """Every row with its answer. Interrupted or RowsError, where it ends early, have what came in `batch`."""
        done: list[Done] = []
        run = self.run(wishes, on_begin)
        try:
            with run:
                for some in watched(run, on_progress):
                    done += some
        except KeyboardInterrupt:
            raise Interrupted(batch=self.gathered(run, [*done, *run.due(0)], note="Interrupted")) from None
        done += run.due(0)
        self.raise_early_end(run, wishes, lambda: self.gathered(run, done, note="Stopped early"))
        return self.gathered(run, done, note=spent_note(run, wishes))

    def gathered(self, run: Run, done: list[Done], note: str = "") -> Results:
        """The rows that are done, and those of a table that were not asked."""
        if self.table.is_lazy:
            done.sort(key=lambda pair: pair[0].position)
            records = [record for record, _ in done]
            names = self.names(records[0].values if records else ())
            table = partial(_dicts, names, records)
            return Results([row for _, row in done], run.progress(), table, note=note)
        by_position = {record.position: row for record, row in done}
        rows = [by_position.get(record.position) or self.unasked(record) for record in self.table.records()]
        return Results(rows, run.progress(), self.given_back, note=note)

    def given_back(self, rows: Iterable[TableRow]) -> Any:
        """The table with the answers' columns."""
        return self.table.given_back(rows, self.question.columns)

    def unasked(self, record: Record) -> TableRow:
        """The row of a record that was not asked."""
        return self.question.answered(record, None, None)

    def names(self, taken: Collection[str]) -> tuple[str, ...]:
        """The names of the answer's columns beside the columns `taken`."""
        return answer_names(taken, self.question.columns)

    def raise_early_end(self, run: Run, wishes: RunOptions, batch: Callable[[], Results]) -> None:
        """Raise what ended the run before its last row: the error itself where no row had an answer."""
        error = run.error
        if error is None:
            return
        progress = run.progress()
        if not progress.done or not isinstance(error, Exception):
            raise error
        of = f" of {progress.total:,}" if progress.total is not None else ""
        kept = f"; {wishes.journal} has them, and the same run again goes on from there" if wishes.journal else ""
        cause = (
            f"The run ended after {progress.done:,}{of} rows: {type(error).__name__}: {getattr(error, 'cause', error)}"
        )
        remedy = f"{getattr(error, 'remedy', '')} The answers that came are in the error's `batch`{kept}."
        place = {"config": error.config, "deployment": error.deployment} if isinstance(error, AzmlError) else {}
        raise RowsError(cause, remedy=remedy.strip(), batch=batch(), **place) from error

    # ---- one by one

    def stream(self, wishes: RunOptions, run: Run, on_progress: OnProgress | None = None) -> Iterator[dict[str, Any]]:
        """The rows' columns and the answers', each in its turn; RowsError at the end where the run ended early."""
        names = self.names(self.table.columns)
        with run:
            for some in watched(run, on_progress):
                for record, row in some:
                    yield flat(names, record, row)
        for record, row in run.due(0):
            yield flat(names, record, row)
        self.raise_early_end(run, wishes, lambda: self.gathered(run, []))


def watched(run: Run, on_progress: OnProgress | None = None) -> Iterator[list[Done]]:
    """The rows as they are due, until the run is over or ends early; `on_progress` hears of it in between."""
    heard = 0.0
    while not run.is_over and run.error is None:
        yield run.due(TICK)
        now = time.monotonic()
        if on_progress is not None and now - heard >= TICK:
            on_progress(run.progress())
            heard = now
    if on_progress is not None:
        on_progress(run.progress())


def flat(names: tuple[str, ...], record: Record, row: TableRow) -> dict[str, Any]:
    """A row's columns and its answer's, in one dict."""
    return {**record.values, **dict(zip(names, row.answer(), strict=True))}


def _dicts(names: tuple[str, ...], records: list[Record], rows: Iterable[TableRow]) -> list[dict[str, Any]]:
    return [flat(names, record, row) for record, row in zip(records, rows, strict=True)]


def spent_note(run: Run, wishes: RunOptions) -> str:
    """What to say of a run that ended at its limit of tokens; "" for another."""
    return f"It began no more at its limit of {wishes.limits.tokens:,} tokens" if run.is_spent else ""


def _secret(config: LLMConfig) -> Secret | None:
    """Return the config's key, which the journal must not show; None without one. Raises KeyNotFoundError."""
    if recording.is_replaying() or config.key is None:
        return None
    secret = config.key.resolve(config.endpoint_url) if isinstance(config.key, KeyRef) else config.key
    assert isinstance(secret, Secret)
    return secret
