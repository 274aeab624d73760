"""The Test cases fold: one table for all cases, fields for the selected one, Run all, and the cell that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics.core.text import printable
from azml_magics.display.markdown import make_inert

from ..model.case_editor import MATCHES, PAGE, PLACE
from ..model.case_source import find_tables
from ..model.cases import describe_failure
from ..model.changes import CASES, NOTES, OPTIONS, PROMPT, STATE, VARIABLES
from .case_page import page_html
from .controls import (
    StatusLine,
    action_button,
    button_row,
    cell_buttons,
    on_change,
    set_options,
    set_traits,
    set_visible,
    text_area,
    text_field,
)
from .looks import close_tree
from .mime_output import MimeOutput, truncate
from .response_object import object_bundle, tool_calls_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.rows.table_rows import TableRow

    from ..model.panel_model import PanelModel


def cases_title(model: PanelModel) -> str:
    """Return the heading of the fold: how many cases there are."""
    count = len(model.cases.table)
    return f"Test cases: {count}" if count else "Test cases"


class CasesSection:
    """The test cases of the prompt.

    Args:
        model: the panel's model.
        send_out: takes ("copy" or "insert", text) and does that in the browser.
    """

    parts = frozenset({CASES, NOTES, OPTIONS, PROMPT, STATE, VARIABLES})

    def __init__(self, model: PanelModel, send_out: Callable[[str, str], None]) -> None:
        self._model, self._send_out = model, send_out
        model.shows_names = True
        cases = model.cases
        self._page = w.HTML(_dom_classes=("azml-cases",))
        self._pager = _Pager(model)
        self._number = on_change(
            w.BoundedIntText(description="Case", min=1, max=1, _dom_classes=("azml-short", "azml-case-number")),
            lambda number: cases.select(number - 1),
        )
        self._of = w.Label(_dom_classes=("azml-plain", "azml-count"))
        self._edits = {
            "Duplicate": action_button("Duplicate", cases.duplicate, tooltip="Add a copy of this case below it"),
            "Delete case": action_button("Delete case", cases.delete, tooltip="Delete this case"),
        }
        add = action_button("Add case", cases.add, icon="plus", tooltip="Add an empty case at the end")
        self._selection = button_row(self._number, self._of, add, *self._edits.values())
        self._fields = _CaseFields(model)
        self._notes = [StatusLine("azml-several"), StatusLine("azml-several")]
        self._import = w.Combobox(
            description="Import", placeholder="a list, a DataFrame, or a .csv file", ensure_option=False
        )
        import_button = action_button("Import cases", lambda: cases.import_(self._import.value))
        self._as_text = on_change(
            w.ToggleButton(description="Edit as text", _dom_classes=("azml-toggles",)),
            lambda is_open: cases.edit_as_text(is_open=is_open),
        )
        self._text = text_area(
            "Cases as text",
            cases.set_text,
            rows=8,
            continuous_update=False,
            placeholder="CSV, or cells copied from a spreadsheet; the first line names the columns",
        )
        self._expect = on_change(
            w.Combobox(description="Expected", placeholder="the column with the right answers", ensure_option=False),
            cases.set_expect,
        )
        self._match = on_change(
            w.Dropdown(description="Match", options=MATCHES, _dom_classes=("azml-short",)), cases.set_match
        )
        self._run = action_button(
            "Run all", cases.run_all, icon="play", tooltip="Send the prompt for every case; Stop keeps what has arrived"
        )
        self._run.add_class("azml-send")
        self._status, self._summary = StatusLine("azml-status"), StatusLine("azml-status")
        self._causes = StatusLine("azml-several")
        self._score, self._changes = StatusLine("azml-status"), StatusLine("azml-several")
        self._answer_of, self._answer = StatusLine(), MimeOutput()
        self._answer.widget.add_class("azml-case-answer")
        self._cell = _CaseCell(model, send_out)
        self.widget = w.VBox(
            [
                *(self._selection, self._page, self._pager.widget, self._fields.widget),
                *(note.widget for note in self._notes),
                button_row(self._import, import_button, self._as_text),
                self._text,
                button_row(self._expect, self._match),
                button_row(self._run, *self._cell.starts),
                *(self._status.widget, self._summary.widget, self._score.widget),
                *(self._changes.widget, self._causes.widget),
                *(self._answer_of.widget, self._answer.widget, self._cell.widget),
            ]
        )

    def draw(self) -> None:
        """Show the cases, the selected one, and how the last run over them went."""
        model, cases = self._model, self._model.cases
        count = len(cases.table)
        set_traits(self._page, value=page_html(cases))
        set_visible(self._page, count)
        self._pager.draw()
        self._draw_number(count)
        set_traits(self._of, value=f"of {count}")
        for control in (self._number, self._of, *self._edits.values()):
            set_visible(control, count)
        self._fields.draw()
        for line, is_error in zip(self._notes, (True, False), strict=True):
            texts = [note.text for note in cases.notes() if note.is_error == is_error]
            line.show("\n".join(texts), "bad" if is_error else "plain")
        set_options(self._import, find_tables(model.notebook_variables()))
        set_traits(self._as_text, value=cases.text is not None)
        set_visible(self._text, cases.text is not None)
        set_traits(self._text, value=cases.text or "")
        set_options(self._expect, cases.expect_choices())
        set_traits(self._expect, value=cases.expect)
        set_traits(self._match, value=cases.match)
        set_visible(self._match, cases.expect)
        set_traits(self._run, disabled=bool(model.running))
        self._draw_run()
        self._cell.draw()

    def _draw_number(self, count: int) -> None:
        """Set the number and its largest value in an order in which neither cuts the other."""
        number = self._model.cases.selected + 1
        set_traits(self._number, max=max(1, count, self._number.value))
        set_traits(self._number, value=number)
        set_traits(self._number, max=max(1, count))

    def _draw_run(self) -> None:
        cases = self._model.cases
        run = cases.run
        self._status.show_note(self._model.notes.get(PLACE))
        failed = run is not None and run.progress.failed
        is_old = run is not None and not run.is_running and run.prompt != self._model.prompt.text
        summary = run.summary if run is not None else ""
        mood = "mark" if is_old else "bad" if failed else "plain"
        self._summary.show(f"{summary}. The prompt has changed since." if is_old else summary, mood)
        self._causes.show("\n".join(run.causes) if run is not None and not run.is_running else "", "bad")
        scores = cases.scores()
        self._score.show(scores.summary)
        self._changes.show("\n".join([*scores.changes, *scores.errors]), "mark")
        row = cases.row if run is not None else None
        is_sent = row is not None and row.was_sent
        self._answer_of.show(f"Answer to case {cases.selected + 1}" if is_sent else "")
        self._answer.show(_bundle(row) if row is not None and is_sent else {})
        set_visible(self._answer.widget, is_sent)


def _bundle(row: TableRow) -> dict[str, str]:
    """The whole answer of a case: its object, its tool calls, or its text; below it its error."""
    failure = describe_failure(row)
    if row.response is not None and not failure:
        found = object_bundle(row.response) or tool_calls_bundle(row.response)
        if found is not None:
            return found
    text = truncate("\n\n".join(filter(None, [row.text, failure])))
    return {"text/plain": printable(text), "text/markdown": make_inert(text)}


class _Pager:
    """The buttons that turn the pages of the table; hidden while there is one page."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        cases = model.cases
        self._back = action_button(
            "", lambda: cases.turn_page(-1), icon="chevron-left", tooltip="Previous page of cases"
        )
        self._on = action_button("", lambda: cases.turn_page(1), icon="chevron-right", tooltip="Next page of cases")
        for button in (self._back, self._on):
            button.add_class("azml-icon")
        self._label = w.Label(_dom_classes=("azml-plain", "azml-count"))
        self.widget = button_row(self._back, self._label, self._on)

    def draw(self) -> None:
        """Show which cases the page has."""
        cases = self._model.cases
        count = len(cases.table)
        page, last = cases.selected // PAGE, (count - 1) // PAGE
        set_visible(self.widget, count > PAGE)
        set_traits(self._label, value=f"{page * PAGE + 1} to {min((page + 1) * PAGE, count)} of {count}")
        set_traits(self._back, disabled=page == 0)
        set_traits(self._on, disabled=page == last)


class _CaseFields:
    """A field for every value of the selected case."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._fields: dict[str, w.Textarea] = {}
        self.widget = w.VBox()

    def draw(self) -> None:
        """Show the values of the selected case."""
        cases = self._model.cases
        names = cases.names() if len(cases.table) else []
        for name in names:
            field = self._fields.get(name) or self._add_field(name)
            set_traits(field, value=cases.table.value(cases.selected, name))
        set_traits(self.widget, children=tuple(self._fields[name] for name in names))
        for name in self._fields.keys() - set(names):
            close_tree(self._fields.pop(name))

    def _add_field(self, name: str) -> w.Textarea:
        field = text_area(name, lambda text: self._model.cases.set_value(name, text), rows=1, continuous_update=False)
        self._fields[name] = field
        return field


class _CaseCell:
    """Make a cell: where the cases go, and the cell that sends them.

    Attributes:
        starts: the field and the button, for a row.
    """

    def __init__(self, model: PanelModel, send_out: Callable[[str, str], None]) -> None:
        self._model = model
        self._made: tuple[object, ...] = ()
        self._place = text_field(
            "Cases in", model.cases.set_place, tooltip="A variable, or a .csv file", _dom_classes=("azml-short",)
        )
        make = action_button(
            "Make a cell", self._make, tooltip="Put the cases there, and write the cell that sends them"
        )
        make.add_class("azml-send")
        self.starts = (self._place, make)
        self._text = w.Textarea(description="Cases cell", disabled=True, rows=3)
        self._note = StatusLine()
        self.widget = w.VBox([self._text, self._note.widget, cell_buttons(self._text, send_out, "cases")])
        set_visible(self.widget, False)

    def _made_of(self) -> tuple[object, ...]:
        """What the cell depends on, apart from the settings that the cell of Run shows, too."""
        cases, prompt = self._model.cases, self._model.prompt
        return cases.table, cases.place, cases.expect, cases.match, prompt.text, self._model.options

    def _make(self) -> None:
        cell = self._model.cases.make_cell()
        self._made = self._made_of()
        set_traits(self._text, value=cell.text if cell else "")
        self._note.show(cell.note if cell else "")
        set_visible(self.widget, cell)

    def draw(self) -> None:
        """Show where the cases go; a cell that no longer fits is hidden."""
        set_traits(self._place, value=self._model.cases.place)
        if self._made and self._made != self._made_of():  # it would send other cases than those in sight
            self._made = ()
            set_visible(self.widget, False)
