"""Repeat, Compare and Sweep: several responses side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import CONFIG, DRAFT, STATE
from .controls import action_button, button_row, set_traits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.panel_model import PanelModel


class SeveralSection:
    """What sends the prompt more than once.

    Args:
        model: the panel's model.
    """

    parts = frozenset({CONFIG, DRAFT, STATE})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        runs = model.runs
        self._times = w.BoundedIntText(description="Repeat", value=3, min=1, max=100)
        self._other = w.Dropdown(description="Compare with")
        self._kwarg = w.Dropdown(description="Sweep")
        self._values = w.Text(placeholder="0, 0.5, 1", description="over")
        self._values.add_class("azml-short")
        self._starts = [
            action_button(
                "Repeat", lambda: runs.repeat(self._times.value), tooltip="Send the same prompt several times"
            ),
            action_button("Compare", self._compare, tooltip="Send the prompt to another config too, side by side"),
            action_button("Sweep", self._sweep, tooltip="Send the prompt with each value, side by side"),
        ]
        for button in self._starts:
            button.add_class("azml-send")
        self.widget = w.VBox(
            [
                _wide_row(self._times, self._starts[0]),
                _wide_row(self._other, self._starts[1]),
                _wide_row(self._kwarg, self._values, self._starts[2]),
            ]
        )

    def _compare(self) -> None:
        self._model.runs.compare([self._other.value] if self._other.value else [])

    def _sweep(self) -> None:
        self._model.runs.sweep({self._kwarg.value: self._values.value} if self._kwarg.value else {})

    def draw(self) -> None:
        """Show what can be started."""
        model = self._model
        for button in self._starts:
            set_traits(button, disabled=bool(model.running))
        _set_choices(self._other, [name for name in model.names if name and name != model.name])
        _set_choices(self._kwarg, [kwarg.name for kwarg in model.draft.controls if kwarg.type != "strings"])


def _wide_row(*controls: w.Widget) -> w.HBox:
    row = button_row(*controls)
    row.add_class("azml-wide")
    return row


def _set_choices(choice: w.Dropdown, options: Sequence[str]) -> None:
    """Set the options and keep the chosen one if it is still among them, else choose the first."""
    if choice.options != tuple(options):
        before = choice.value
        choice.options = tuple(options)
        choice.value = before if before in options else next(iter(options), None)
