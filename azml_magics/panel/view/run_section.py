"""Run and Stop, what comes of them, and Repeat, Compare and Sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import CONFIG, DRAFT, NOTES, STATE
from .controls import StatusLine, action_button, button_row, set_traits
from .next_step import TRUST, NextStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..model.panel_model import PanelModel


class RunSection:
    """The buttons that send the prompt, and what came of the last click.

    Args:
        model: the panel's model.
        steps: what the button beside the status line may do, by its label.

    Attributes:
        controls: Run and Stop, for the panel's top row.
        below: the status lines, for below that row.
        side_by_side: Repeat, Compare and Sweep.
    """

    parts = frozenset({CONFIG, DRAFT, STATE, NOTES})

    def __init__(self, model: PanelModel, steps: Mapping[str, Callable[[], object]]) -> None:
        self._model = model
        runs = model.runs
        self._run = action_button(
            "Run", runs.run, icon="play", button_style="primary", tooltip="Send the prompt to this config (Ctrl+Enter)"
        )
        self._stop = action_button(
            "Stop", model.stop, icon="stop", tooltip="Stop, and keep the text received so far (Esc)", disabled=True
        )
        self._run.add_class("azml-run")
        self._stop.add_class("azml-stop")
        self._running, self._line = StatusLine("azml-status"), StatusLine("azml-status")
        self._next = NextStep(model, {TRUST: self._trust, **steps})
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
        self._run.add_class("azml-send")
        self.controls = (self._run, self._stop)
        self.below = (self._running.widget, self._line.widget, self._next.widget)
        self.side_by_side = w.VBox(
            [
                _wide_row(self._times, self._starts[0]),
                _wide_row(self._other, self._starts[1]),
                _wide_row(self._kwarg, self._values, self._starts[2]),
            ]
        )

    def _trust(self) -> None:
        self._model.trust.give()
        self._run.focus()

    def _compare(self) -> None:
        self._model.runs.compare([self._other.value] if self._other.value else [])

    def _sweep(self) -> None:
        self._model.runs.sweep({self._kwarg.value: self._values.value} if self._kwarg.value else {})

    def draw(self) -> None:
        """Show what is running and what can be started."""
        model = self._model
        running = model.running
        self._running.show(running)
        note = model.notes.get("run")
        self._line.show_note(note)
        self._next.draw(note)
        for button in (self._run, *self._starts):
            set_traits(button, disabled=bool(running))
        set_traits(self._stop, disabled=not running)
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
