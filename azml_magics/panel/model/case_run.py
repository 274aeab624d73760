"""Run all: the prompt over every test case, through the engine that sends the rows of a table."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from azml_magics.core.errors import AzmlError
from azml_magics.core.prompt import template
from azml_magics.rows.failures import describe_failures
from azml_magics.rows.mapper import RowMapper
from azml_magics.rows.progress import Progress

from .changes import CASES, STATE
from .error_messages import describe_error
from .prompt_draft import strip_blank_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.prompt.schema import Schema
    from azml_magics.rows.progress import Done
    from azml_magics.rows.results import Results
    from azml_magics.rows.run_options import RunOptions
    from azml_magics.rows.table_rows import TableRow

    from .case_table import CaseTable
    from .state import PanelState
    from .worker import WorkerTask

_TICK: Final = 0.1  # seconds between two looks at the responses
_FRAME: Final = 0.5  # seconds: two updates a second, each with one page of the table


@dataclass(frozen=True)
class CaseRun:
    """A run over the test cases.

    Attributes:
        table: the cases as they were sent.
        rows: the rows that are done, by the position of their case.
        progress: the counts.
        is_running: whether further rows come.
        results: the whole, once it has ended.
        prompt: the prompt that was sent, with its variables.
        fields: the names of a schema's columns in the table of the responses.
        schema_fields: the names of the schema's fields, which those columns have unless the cases have them already.
    """

    table: CaseTable
    rows: Mapping[int, TableRow]
    progress: Progress
    is_running: bool = True
    results: Results | None = None
    prompt: str = ""
    fields: tuple[str, ...] = ()
    schema_fields: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The counts in a line, while it runs and when it has ended."""
        return str(self.progress) if self.results is None else self.results.summary()

    @property
    def causes(self) -> list[str]:
        """A line for each cause of failures; cases are numbered from 1, as the panel shows them."""
        failed = [replace(row, index=row.position + 1) for row in self.rows.values() if row.error is not None]
        return describe_failures(failed)


def make_mapper(
    config: LLMConfig,
    prompt: str,
    system: str | None,
    table: CaseTable,
    *,
    variables: Mapping[str, Any],
    schema: Schema | None,
) -> RowMapper:
    """Return the prompt over the cases, checked.

    Args:
        config: the config of every request.
        prompt: the prompt with its variables.
        system: the system message with its variables; None if the config's own is sent as it is.
        table: the cases.
        variables: values of names that are not columns.
        schema: what the responses must match.

    Raises:
        AzmlError: if a variable has neither a column nor a value, or the prompt uses no column.
    """
    text = strip_blank_lines(prompt)
    messages: str | list[Message] = text
    if system is not None:
        config = replace(config, system=None)
    if system:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    return RowMapper(config, messages, table.to_dicts(), variables=variables, schema=schema)


def schema_fields_of(mapper: RowMapper) -> tuple[str, ...]:
    """Return the names of the schema's fields; () without a schema."""
    return tuple(column.name for column in mapper.row_prompt.columns[: len(mapper.schema_columns())])


def names_in(prompt: str, system: str, table: CaseTable) -> list[str]:
    """Return the variables of the prompt and the system message; a column is one whatever its name looks like."""
    found = [*template.find_variables(system, table.columns), *template.find_variables(prompt, table.columns)]
    return list(dict.fromkeys(found))


class CaseFollower:
    """Shows the cases while they run. Its `follow` is the worker's task.

    Args:
        state: the panel's state.
        show: takes the run whenever it has changed.
        on_end: called in the end with the results; not if the run could not begin.
    """

    def __init__(
        self,
        state: PanelState,
        show: Callable[[CaseRun], object],
        on_end: Callable[[Results], object],
    ) -> None:
        self._state, self._show, self._on_end = state, show, on_end

    def follow(self, task: WorkerTask, mapper: RowMapper, options: RunOptions, begun: CaseRun) -> Callable[[], None]:
        """Send the cases; return the callback that shows the results."""
        try:
            run = mapper.start(options)
        except AzmlError as error:  # such as a key that is not there
            failure = error
            return lambda: self._give_up(begun, failure)
        done: list[Done] = []
        shown = time.monotonic()
        with run:
            while not run.is_over and run.error is None and not task.stopping.is_set():
                done += run.take(_TICK, in_order=False)
                if time.monotonic() - shown >= _FRAME:
                    shown = time.monotonic()
                    progress = run.progress()
                    with self._state.changing(CASES, STATE):
                        task.waiting = str(progress)
                        self._show(replace(begun, rows=_by_position(done), progress=progress))
        done += run.take(0)
        note = "Stopped" if task.stopping.is_set() else "Stopped early" if run.error else ""
        results, error_of_run = mapper.collect(run, done, note=note), run.error
        return lambda: self._end(begun, results, error_of_run)

    def _give_up(self, begun: CaseRun, error: AzmlError) -> None:
        with self._state.changing(CASES, STATE):
            self._show(replace(begun, is_running=False))
            self._state.note("cases", describe_error(error), "bad", error.error_code)

    def _end(self, begun: CaseRun, results: Results, error: BaseException | None) -> None:
        rows: dict[int, Any] = {position: row for position, row in enumerate(results) if row.was_sent}  # type: ignore[attr-defined]  # its rows are TableRows
        with self._state.changing(CASES, STATE):
            self._show(replace(begun, rows=rows, progress=results.progress, is_running=False, results=results))
            self._on_end(results)
            if error is not None:
                self._state.note("cases", describe_error(error), "bad", getattr(error, "error_code", ""))


def _by_position(done: list[Done]) -> dict[int, TableRow]:
    return {record.position: row for record, row in done}


def no_progress(total: int) -> Progress:
    """The counts of a run that has not begun."""
    return Progress(total)
