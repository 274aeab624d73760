"""The Compare fold: configs, parameters with their values, and how often; what that sends, and a cell that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.cell_source import CellSource
from ..model.changes import COMPARISON, CONFIG, DRAFT, NOTES, OPTIONS, PROMPT, STATE, VARIABLES
from .controls import (
    StatusLine,
    action_button,
    button_row,
    on_change,
    set_options,
    set_traits,
    set_visible,
    text_area,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.panel_model import PanelModel

_ADD = "add a parameter"
_EXAMPLE = "temperature=0, 0.5, 1\ntop_p=0.5, 1"
_MOST_ROWS = 6


class CompareSection:
    """What sends the prompt more than once.

    Args:
        model: the panel's model.
        send_out: takes ("copy" or "insert", text) and does that in the browser.
    """

    parts = frozenset({CONFIG, DRAFT, PROMPT, OPTIONS, VARIABLES, STATE, NOTES, COMPARISON})

    def __init__(self, model: PanelModel, send_out: Callable[[str, str], None]) -> None:
        self._model = model
        comparison = model.comparison
        self._configs = on_change(w.SelectMultiple(description="With configs"), comparison.set_names)
        self._hint = StatusLine()
        self._sweeps = text_area(
            "Parameters",
            comparison.set_sweeps,
            rows=2,
            placeholder=_EXAMPLE,
            tooltip="One on each line, with its values",
        )
        self._kwarg = on_change(w.Dropdown(options=[_ADD], tooltip="Add a parameter"), self._add_kwarg)
        self._repeats = on_change(w.BoundedIntText(description="Times", min=1, max=100), comparison.set_repeats)
        self._plan = StatusLine("azml-status")
        self._compare = action_button(
            "Compare", comparison.send, icon="columns", tooltip="Send these requests; the responses stand side by side"
        )
        self._compare.add_class("azml-send")
        self._confirm = action_button("Send all", comparison.send, button_style="warning")
        self._confirm.add_class("azml-send")
        self._cancel = action_button("Cancel", comparison.cancel)
        self._cancel.add_class("azml-cancel")
        self._cell = w.Textarea(description="Compare cell", disabled=True, rows=2)
        self._note = StatusLine()
        self._insert = action_button(
            "Insert comparison",
            lambda: send_out("insert", self._cell.value),
            icon="plus-square",
            tooltip="Insert it below the notebook's current cell",
        )
        buttons = button_row(self._repeats, self._compare, self._confirm, self._cancel)
        self.widget = w.VBox(
            [
                *(self._configs, self._hint.widget, self._sweeps, self._kwarg, buttons, self._plan.widget),
                *(self._cell, self._note.widget, button_row(self._insert)),
            ]
        )

    def _add_kwarg(self, name: str) -> None:
        if name != _ADD:
            self._model.comparison.add_kwarg(name)

    def draw(self) -> None:
        """Show the choices and what they send."""
        comparison = self._model.comparison
        choices = comparison.choices
        set_visible(self._configs, choices)
        set_options(self._configs, choices)
        set_traits(self._configs, value=tuple(comparison.names), rows=min(_MOST_ROWS, len(choices) or 1))
        self._hint.show("" if choices else "Save another config to compare this one with.")
        set_traits(self._sweeps, value=comparison.sweeps)
        kwargs = [kwarg.name for kwarg in self._model.draft.controls]
        set_options(self._kwarg, [_ADD, *kwargs])
        set_traits(self._kwarg, value=_ADD)
        set_traits(self._repeats, value=comparison.repeats)
        self._draw_plan()

    def _draw_plan(self) -> None:
        comparison, is_running = self._model.comparison, bool(self._model.running)
        text, mood = comparison.describe()
        is_asking = comparison.is_asking and not is_running
        self._plan.show(f"That is {text}. Send all of them?" if is_asking else text, "mark" if is_asking else mood)
        for button, is_shown in ((self._compare, not is_asking), (self._confirm, is_asking), (self._cancel, is_asking)):
            set_visible(button, is_shown)
            set_traits(button, disabled=is_running)
        cell = CellSource("") if comparison.is_empty else self._model.build_comparison_cell()
        set_traits(self._cell, value=cell.text)
        set_visible(self._cell, cell.text)
        set_visible(self._insert, cell.text)
        self._note.show(cell.note)
