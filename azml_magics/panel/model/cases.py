"""The test cases of the prompt: edit, paste and import them, run all, and make the cell that does the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azml_magics.core.errors import AzmlError, UsageError
from azml_magics.rows.run_options import RunOptions

from . import case_run, case_scores, case_source, cell_source, schema, tools
from .case_run import CaseFollower, CaseRun
from .case_scores import NO_SCORES, CaseScores
from .case_table import CaseTable
from .changes import CASES, STATE
from .error_messages import describe_error
from .option_checks import check_options
from .output_variable import read_output
from .preflight import check_fields, check_typed_key, check_url
from .prompt_draft import strip_blank_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azml_magics.core.config import LLMConfig
    from azml_magics.rows.results import Results
    from azml_magics.rows.table_rows import TableRow

    from .runs import Runs
    from .state import PanelState

PLACE: Final = "cases"  # of its status line
PAGE: Final = 20  # cases of a page
MATCHES: Final = ("normalized", "exact", "contains", "number", "regex")  # the first is the default
_MAX_NUMBERS: Final = 5  # of cases in a line


class CaseNote(NamedTuple):
    """A line about the table.

    Attributes:
        text: the line.
        is_error: whether Run all refuses the table for it.
    """

    text: str
    is_error: bool = False


class Cases:
    """The test cases. What prevents an action becomes the note at "cases"; the table then stays as it is.

    Args:
        state: the panel's state.
        runs: knows the notebook's timeout.

    Attributes:
        table: the cases.
        selected: the position of the selected case.
        text: the table as text while it is edited so; None if it is not.
        place: the variable or the .csv file from which the cell takes the cases.
        run: the last run over them; None before the first.
        expect: the column with the right answers, or FIELD=COLUMN, as `--expect` takes it; "" for none.
        match: how answers are compared with it.
    """

    def __init__(self, state: PanelState, runs: Runs) -> None:
        self._state, self._runs = state, runs
        self.table = CaseTable()
        self.selected = 0
        self.text: str | None = None
        self.place = "cases"
        self.run: CaseRun | None = None
        self.expect = ""
        self.match = "normalized"
        self._rights: dict[tuple[str, ...], bool] = {}  # of the run before: case -> whether it was answered rightly
        self._scored: tuple[Any, CaseScores] = (None, NO_SCORES)  # what was scored last, and the scores
        self._written: dict[str, object] = {}  # place -> what was put there

    @property
    def is_running(self) -> bool:
        """Whether the cases are being sent."""
        return self.run is not None and self.run.is_running

    # ---- the table

    def names(self) -> list[str]:
        """The columns, and the prompt's variables that have none and no value elsewhere."""
        known = self._state.values()
        missing = [name for name in self._names_in_prompt() if name not in self.table.columns and name not in known]
        return [*self.table.columns, *missing]

    def add(self) -> None:
        """Add an empty case with a column for every variable of the prompt, and select it."""

        def change(table: CaseTable) -> CaseTable:
            names = self.names() or self._names_in_prompt()
            if not names:
                raise UsageError("The prompt has no variable", remedy="Write {name} where the cases differ.")
            return table.with_columns(names).with_case()

        self._change(change, lambda: len(self.table) - 1)

    def duplicate(self) -> None:
        """Add a copy of the selected case below it, and select the copy."""
        self._change(lambda table: table.with_copy(self._checked_selection()), lambda: self.selected + 1)

    def delete(self) -> None:
        """Delete the selected case."""
        self._change(lambda table: table.without(self._checked_selection()), lambda: self.selected)

    def set_value(self, column: str, text: str) -> None:
        """Type a value of the selected case."""
        if len(self.table) and self.table.value(self.selected, column) != text:
            self._change(lambda table: table.with_value(self.selected, column, text), lambda: self.selected)

    def select(self, position: int) -> None:
        """Select a case; a position beyond the ends selects the last or the first one."""
        position = max(0, min(position, len(self.table) - 1))
        if position != self.selected:
            with self._state.changing(CASES):
                self.selected = position

    def turn_page(self, pages: int) -> None:
        """Select the first case of a page before or after this one."""
        self.select((self.selected // PAGE + pages) * PAGE)

    def edit_as_text(self, *, is_open: bool) -> None:
        """Show the table as text to edit or to paste into, or stop that; a text with an error is discarded."""
        with self._state.changing(CASES):
            self.text = self.table.to_csv() if is_open else None
            self._state.note(PLACE)

    def set_text(self, text: str) -> None:
        """Take a table over from CSV, or from lines that were copied from a spreadsheet."""
        if text != self.text:
            self.text = text
            self._change(lambda _: CaseTable.from_text(text), lambda: self.selected)

    def import_(self, text: str) -> bool:
        """Take the cases of a variable of the notebook or of a file over; return whether that succeeded."""
        names = self._names_in_prompt()
        default = names[0] if len(names) == 1 else "text"
        notebook = self._state.notebook_variables()
        taken = self._change(lambda _: case_source.read_cases(text, notebook, default), lambda: 0)
        if taken:
            with self._state.changing(CASES):
                self.text = None if self.text is None else self.table.to_csv()
                self._state.note(PLACE, f"Imported {_count(len(self.table))} from {text.strip()}.", "good")
        return taken

    def _change(self, change: Callable[[CaseTable], CaseTable], select: Callable[[], int]) -> bool:
        """Change the table and select a case; return whether that succeeded."""
        before = self.table
        with self._state.changing(CASES, place=PLACE):
            self.table = change(before)
            self.selected = max(0, min(select(), len(self.table) - 1))
            self._state.note(PLACE)
        return self.table is not before

    def _checked_selection(self) -> int:
        if not len(self.table):
            raise UsageError("There is no case", remedy="Add one, paste a table, or import one.")
        return self.selected

    # ---- what it says

    @property
    def _system(self) -> str:
        return self._state.draft.texts["system"]

    def _names_in_prompt(self) -> list[str]:
        return case_run.names_in(self._state.prompt.text, self._system, self.table)

    def _expected_columns(self) -> list[str]:
        try:
            return case_scores.expected_columns(self.expect)
        except UsageError:  # Run all says it
            return []

    def notes(self) -> list[CaseNote]:
        """What is unusual about the table."""
        table = self.table
        if not len(table):
            return []
        used, known = self._names_in_prompt(), self._state.values()
        notes = [
            CaseNote(f"{{{name}}} has no column and no value: type it into the case, or into its field.", is_error=True)
            for name in used
            if name not in table.columns and name not in known
        ]
        expected = self._expected_columns()
        unused = [name for name in table.columns if name not in used and name not in expected]
        if unused:
            notes.append(CaseNote(f"The prompt does not use {', '.join(unused)}."))
        for name in table.columns:
            empty = table.empty_cases(name) if name in used else []
            if empty:
                notes.append(CaseNote(f"{{{name}}} is empty in {_numbers(empty)}: an empty text is sent."))
        return notes

    # ---- what is expected

    def set_expect(self, expect: str) -> None:
        """Type the column with the right answers, or FIELD=COLUMN."""
        if expect != self.expect:
            with self._state.changing(CASES):
                self.expect = expect
                self._rights = {}
                self._state.note(PLACE)

    def set_match(self, match: str) -> None:
        """Choose how answers are compared with what is expected."""
        if match != self.match:
            with self._state.changing(CASES):
                self.match = match
                self._rights = {}

    def scores(self) -> CaseScores:
        """How the last run was answered; none if what is expected does not fit its table."""
        if self.run is None:
            return NO_SCORES
        key = (self.run, self.expect, self.match)
        if self._scored[0] is None or any(a is not b for a, b in zip(self._scored[0], key, strict=True)):
            try:
                found = case_scores.score_cases(self.run, self.expect, self.match, self._rights)
            except UsageError:  # Run all says it
                found = NO_SCORES
            self._scored = key, found
        return self._scored[1]

    def expect_choices(self) -> list[str]:
        """What the field for the right answers offers: columns, and the schema's fields that are columns."""
        used = self._names_in_prompt()
        columns = [name for name in self.table.columns if name not in used]
        fields = self.run.schema_fields if self.run else ()
        return [*columns, *(f"{name}={name}" for name in fields if name in columns)]

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
                f"Running {_count(len(self.table))}…",
                lambda task: follower.follow(task, mapper, RunOptions(), begun),
            )
            if not is_started:
                raise UsageError("Another task is running", remedy="Stop it first.")
            if self.run is not None:
                self._rights |= case_scores.rights_of(self.run, self.scores())
            self.run = begun
            state.note(PLACE)

    def _make_mapper(self) -> Any:
        state = self._state
        check_fields(state.draft.errors)
        check_url(state.draft.config)
        self._check_controls()
        notebook, options = state.notebook_variables(), state.options
        config = self._runs.with_notebook_timeout(state.draft.config, state.base)
        config = tools.with_tools(config, tools.read_tools(options.tools, notebook))
        check_typed_key(config)
        return case_run.make_mapper(
            config,
            state.prompt.text,
            self._system if state.draft.has_typed_system else None,
            self.table,
            variables=state.values(),
            schema=schema.read_schema(options.schema, notebook),
        )

    def _check_controls(self) -> None:
        """Raise UsageError for what does not go with cases."""
        self._checked_selection()
        if self._state.prompt.template:
            raise UsageError("Test cases fill the {name}s of a prompt", remedy="Choose that Template.")
        if self._state.conversation.name:
            raise UsageError("A conversation takes one response", remedy="Choose One prompt to run the cases.")
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

    # ---- the cell

    def set_place(self, text: str) -> None:
        """Type the variable or the .csv file from which the cell takes the cases."""
        if text != self.place:
            with self._state.changing(CASES):
                self.place = text

    def make_cell(self) -> cell_source.CellSource | None:
        """Put the cases where the cell finds them, and return the cell; None if that fails."""
        cell = None
        with self._state.changing(CASES, place=PLACE):
            self._check_controls()
            word, path = case_source.place_of(self.place)
            said = self._write_file(path) if path else self._store(word.removeprefix("$"))
            cell = self._build_cell(word)
            self._state.note(PLACE, said, "good")
        return cell

    def _store(self, name: str) -> str:
        notebook = self._state.notebook_variables()
        if name in notebook and notebook[name] is not self._written.get(name):
            kind = type(notebook[name]).__name__
            raise UsageError(f"{name} is in use: it is of the type {kind}", remedy="Choose another name for the cases.")
        self._written[name] = rows = self.table.to_dicts()
        self._state.store(name, rows)
        return f"{name} has {_count(len(rows))}."

    def _write_file(self, path: Path) -> str:
        text = self.table.to_csv()
        try:
            if path.exists() and path.read_bytes().decode() not in {text, self._written.get(str(path))}:
                raise UsageError(f"{path} exists", remedy="Choose another name for the cases.")
            path.write_bytes(text.encode())
        except (OSError, UnicodeError) as error:
            raise UsageError(f"{path} cannot be written: {error}", remedy="Choose another place.") from None
        self._written[str(path)] = text
        return f"{path} has {_count(len(self.table))}."

    def _build_cell(self, word: str) -> cell_source.CellSource:
        state = self._state
        checks = check_options(state.options, state.notebook_variables())
        typed = state.prompt.overrides(self._system)
        values = {name: text for name, text in typed.items() if name not in self.table.columns}
        config: LLMConfig = tools.with_tools(state.draft.config, checks.tools_in_json)
        system = cell_source.with_values(self._system, values)
        expected = ["--expect", cell_source.quote(self.expect.strip())] if self.expect.strip() else []
        expected += ["--match", self.match] if expected and self.match != MATCHES[0] else []
        words = ["--each", cell_source.quote(word), *expected, *checks.words]
        return cell_source.build_cell(
            config, state.base, strip_blank_lines(state.prompt.text), values, words, system=system
        )


def describe_failure(row: TableRow) -> str:
    """Return the error of a case in the panel's words; "" if it has none."""
    error = row.error
    return describe_error(error) if isinstance(error, AzmlError) else row.failure if error else ""


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MAX_NUMBERS]))
    more = f" and {len(numbers) - _MAX_NUMBERS} more" if len(numbers) > _MAX_NUMBERS else ""
    return f"case{'' if len(numbers) == 1 else 's'} {shown}{more}"


def _count(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"
