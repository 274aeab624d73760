"""The table of the test cases while it is edited: by case, as text, or imported; and what is unusual about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from azml_magics.core.errors import UsageError

from . import case_run, case_scores, case_source
from .case_table import CaseTable, count_cases
from .changes import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .state import PanelState

PLACE: Final = "cases"  # of the status line
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


class CaseEditor:
    """The test cases. What prevents an action becomes the note at "cases"; the table then stays as it is.

    Args:
        state: the panel's state.

    Attributes:
        table: the cases.
        selected: the position of the selected case.
        text: the table as text while it is edited so; None if it is not.
        place: the variable or the .csv file from which the cell takes the cases.
        expect: the column with the right answers, or FIELD=COLUMN, as `--expect` takes it; "" for none.
        match: how answers are compared with it.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self.table = CaseTable()
        self.selected = 0
        self.text: str | None = None
        self.place = "cases"
        self.expect = ""
        self.match = MATCHES[0]

    # ---- the table

    def names(self) -> list[str]:
        """The columns, and the prompt's variables that have none and no value elsewhere."""
        known = self._state.values()
        missing = [name for name in self.names_in_prompt() if name not in self.table.columns and name not in known]
        return [*self.table.columns, *missing]

    def add(self) -> None:
        """Add an empty case with a column for every variable of the prompt, and select it."""

        def change(table: CaseTable) -> CaseTable:
            names = self.names() or self.names_in_prompt()
            if not names:
                raise UsageError("The prompt has no variable", remedy="Write {name} where the cases differ.")
            return table.with_columns(names).with_case()

        self._change(change, lambda: len(self.table) - 1)

    def duplicate(self) -> None:
        """Add a copy of the selected case below it, and select the copy."""
        self._change(lambda table: table.with_copy(self.check_selection()), lambda: self.selected + 1)

    def delete(self) -> None:
        """Delete the selected case."""
        self._change(lambda table: table.without(self.check_selection()), lambda: self.selected)

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
        names = self.names_in_prompt()
        default = names[0] if len(names) == 1 else "text"
        notebook = self._state.notebook_variables()
        taken = self._change(lambda _: case_source.read_cases(text, notebook, default), lambda: 0)
        if taken:
            with self._state.changing(CASES):
                self.text = None if self.text is None else self.table.to_csv()
                self._state.note(PLACE, f"Imported {count_cases(len(self.table))} from {text.strip()}.", "good")
        return taken

    def _change(self, change: Callable[[CaseTable], CaseTable], select: Callable[[], int]) -> bool:
        """Change the table and select a case; return whether that succeeded."""
        before = self.table
        with self._state.changing(CASES, place=PLACE):
            self.table = change(before)
            self.selected = max(0, min(select(), len(self.table) - 1))
            self._state.note(PLACE)
        return self.table is not before

    def check_selection(self) -> int:
        """Return the position of the selected case.

        Raises:
            UsageError: if there is no case.
        """
        if not len(self.table):
            raise UsageError("There is no case", remedy="Add one, paste a table, or import one.")
        return self.selected

    # ---- what it says

    @property
    def system(self) -> str:
        """The system message with its variables."""
        return self._state.draft.texts["system"]

    def names_in_prompt(self) -> list[str]:
        """The variables of the prompt and of its system message, with the columns that are variables."""
        return case_run.names_in(self._state.prompt.text, self.system, self.table)

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
        used, known = self.names_in_prompt(), self._state.values()
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

    # ---- what the run and the cell take

    def set_expect(self, expect: str) -> None:
        """Type the column with the right answers, or FIELD=COLUMN."""
        if expect != self.expect:
            with self._state.changing(CASES):
                self.expect = expect
                self._state.note(PLACE)

    def set_match(self, match: str) -> None:
        """Choose how answers are compared with what is expected."""
        if match != self.match:
            with self._state.changing(CASES):
                self.match = match

    def set_place(self, text: str) -> None:
        """Type the variable or the .csv file from which the cell takes the cases."""
        if text != self.place:
            with self._state.changing(CASES):
                self.place = text


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MAX_NUMBERS]))
    more = f" and {len(numbers) - _MAX_NUMBERS} more" if len(numbers) > _MAX_NUMBERS else ""
    return f"case{'' if len(numbers) == 1 else 's'} {shown}{more}"
