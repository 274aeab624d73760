"""Run all: the test cases are sent, shown while they run, and compared with what they expect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, UsageError
from azml_magics.rows.run_options import RunOptions

from . import case_run, case_scores, schema, tools
from .case_cell import CaseCell
from .case_editor import PLACE, CaseEditor
from .case_run import CaseFollower, CaseRun
from .case_scores import NO_SCORES, CaseScores
from .case_table import count_cases
from .changes import CASES, STATE
from .error_messages import describe_error
from .output_variable import read_output
from .preflight import check_fields, check_typed_key, check_url
from .prompt_draft import strip_blank_lines

if TYPE_CHECKING:
    from azml_magics.rows.mapper import RowMapper
    from azml_magics.rows.results import Results
    from azml_magics.rows.table_rows import TableRow

    from .cell_source import CellSource
    from .runs import Runs
    from .state import PanelState


class Cases(CaseEditor):
    """The test cases and the run over them.

    Args:
        state: the panel's state.
        runs: knows the notebook's timeout.

    Attributes:
        run: the last run over the cases; None before the first.
    """

    def __init__(self, state: PanelState, runs: Runs) -> None:
        super().__init__(state)
        self._runs = runs
        self._cell = CaseCell(state)
        self.run: CaseRun | None = None
        self._rights: dict[tuple[str, str], dict[tuple[str, ...], bool]] = {}  # (expect, match) -> of earlier runs
        self._scored: tuple[Any, CaseScores] = (None, NO_SCORES)  # what was scored last, and the scores

    @property
    def is_running(self) -> bool:
        """Whether the cases are being sent."""
        return self.run is not None and self.run.is_running

    def scores(self) -> CaseScores:
        """How the last run was answered; none if what is expected does not fit its table."""
        if self.run is None:
            return NO_SCORES
        key = (self.run, self.expect, self.match)
        if self._scored[0] is None or any(a is not b for a, b in zip(self._scored[0], key, strict=True)):
            try:
                found = case_scores.score_cases(self.run, self.expect, self.match, self._earlier_rights())
            except UsageError:  # Run all says it
                found = NO_SCORES
            self._scored = key, found
        return self._scored[1]

    def expect_choices(self) -> list[str]:
        """What the field for the right answers offers: columns, and the schema's fields that are columns."""
        used = self.names_in_prompt()
        columns = [name for name in self.table.columns if name not in used]
        fields = self.run.schema_fields if self.run else ()
        return [*columns, *(f"{name}={name}" for name in fields if name in columns)]

    def _earlier_rights(self) -> dict[tuple[str, ...], bool]:
        """The cases of earlier runs, and whether they were answered rightly; kept for each way to compare them."""
        return self._rights.setdefault((self.expect, self.match), {})

    # ---- the run

    @property
    def row(self) -> TableRow | None:
        """The row of the selected case in the last run; None if the run has none for it, or the case has changed."""
        return self.row_at(self.selected)

    def row_at(self, position: int) -> TableRow | None:
        """The row of a case in the last run; None if there is none, or the case has changed since."""
        run = self.run
        if run is None or position >= len(run.table) or position >= len(self.table):
            return None
        is_same = run.table.columns == self.table.columns and run.table.rows[position] == self.table.rows[position]
        return run.rows.get(position) if is_same else None

    # ---- sending

    def run_all(self) -> None:
        """Send the prompt for every case."""
        state = self._state
        with state.changing(CASES, STATE, place=PLACE):
            mapper = self._make_mapper()
            fields = case_run.schema_fields_of(mapper)
            case_scores.check_expectation(self.expect, self.match, self.table.columns, fields or None)
            output = read_output(state.options.output)
            begun = CaseRun(
                self.table,
                {},
                case_run.no_progress(len(self.table)),
                prompt=state.prompt.text,
                fields=mapper.schema_columns(),
                schema_fields=fields,
            )
            follower = CaseFollower(state, self._show, lambda results: self._keep(results, output))
            is_started = state.worker.start(
                f"Running {count_cases(len(self.table))}…",
                lambda task: follower.follow(task, mapper, RunOptions(), begun),
            )
            if not is_started:
                raise UsageError("Another task is running", remedy="Stop it first.")
            if self.run is not None:
                self._earlier_rights().update(case_scores.rights_of(self.run, self.scores()))
            self.run = begun
            state.note(PLACE)

    def _make_mapper(self) -> RowMapper:
        state = self._state
        check_fields(state.draft.errors)
        check_url(state.draft.config)
        self.check_controls()
        notebook, options = state.notebook_variables(), state.options
        config = self._runs.with_notebook_timeout(state.draft.config, state.base)
        config = tools.with_tools(config, tools.read_described(options.tools, notebook))
        check_typed_key(config)
        return case_run.make_mapper(
            config,
            state.prompt.text,
            self.system if state.draft.has_typed_system else None,
            self.table,
            variables=state.values(),
            schema=schema.read_schema(options.schema, notebook),
        )

    def check_controls(self) -> None:
        """Raise UsageError for what does not go with cases."""
        self.check_selection()
        if self._state.prompt.template:
            raise UsageError("Test cases fill the {name}s of a prompt", remedy="Choose that Template.")
        if self._state.conversation.name:
            raise UsageError("A conversation takes one response", remedy="Choose One prompt to run the cases.")
        if self._state.prompt.attachments:
            raise UsageError("Test cases are sent without attachments", remedy="Remove them from the prompt.")
        if not strip_blank_lines(self._state.prompt.text):
            raise UsageError("There is no prompt", remedy="Type a prompt.")

    def end_run(self) -> None:
        """Mark the run as ended: it has failed because of a bug."""
        if self.run is not None:
            self.run = replace(self.run, is_running=False)

    def _show(self, run: CaseRun) -> None:
        self.run = run

    def _keep(self, results: Results, output: str) -> None:
        """Record the results, and store their table in the notebook's variable for the response."""
        state = self._state
        state.session.record_batch(results)
        if output:
            state.store(output, results.to_table())
            state.note("output", f"{output} has the table of the responses.", "good")

    def make_cell(self) -> CellSource | None:
        """Put the cases where a cell finds them, and return the cell; None if that fails."""
        cell = None
        with self._state.changing(CASES, place=PLACE):
            self.check_controls()
            said = self._cell.put_cases(self)
            cell = self._cell.build(self)
            self._state.note(PLACE, said, "good")
        return cell


def describe_failure(row: TableRow) -> str:
    """Return the error of a case in the panel's words; "" if it has none."""
    error = row.error
    return describe_error(error) if isinstance(error, AzmlError) else row.failure if error else ""
