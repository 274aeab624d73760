"""The panel's prompt and what asks: Run and Stop, several answers, and the cell that would do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from .events import CONFIG, DRAFT, NOTES, PROMPT, STATE, VARIABLES
from .fields import Line, area, button, buttons, closed, put, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .model import PanelModel


class Prompt:
    """The system message, the prompt, and a field for each of its variables."""

    parts = frozenset({DRAFT, PROMPT, VARIABLES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._system = area("System", lambda value: model.set("system", value), rows=2, placeholder="none")
        self._prompt = area(
            "Prompt", model.set_prompt, rows=5, placeholder="Write a prompt. {name} takes a variable of the notebook."
        )
        self._variables: dict[str, w.Text] = {}
        self._fields = w.VBox()
        self.widget = w.VBox([self._system, self._prompt, self._fields])

    def draw(self) -> None:
        """Show the prompt and its variables."""
        model = self._model
        put(self._system, value=model.draft.texts["system"])
        put(self._prompt, value=model.prompt.text)
        variables = model.variables()
        for each in variables:
            field = self._variables.get(each.name) or self._field(each.name)
            missing = "not in the notebook: type a value"
            hint = missing if each.notebook is None else f"notebook: {each.notebook}"
            put(field, value=each.typed, placeholder=hint)
        put(self._fields, children=tuple(self._variables[each.name] for each in variables))
        for name in self._variables.keys() - {each.name for each in variables}:
            closed(self._variables.pop(name))  # while a name is typed, each of its beginnings is one

    def _field(self, name: str) -> w.Text:
        field = text(f"{{{name}}}", lambda value: self._model.set_variable(name, value))
        self._variables[name] = field
        return field


class Runs:
    """Run and Stop; several answers side by side; what came of it, in a line."""

    parts = frozenset({CONFIG, DRAFT, STATE, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        runs = model.runs
        self._run = button("Run", runs.run, icon="play", button_style="primary", tooltip="Ask this config")
        self._stop = button("Stop", runs.stop, icon="stop", tooltip="End it, and keep what has arrived", disabled=True)
        self._doing, self._line = Line(), Line()
        self._times = w.BoundedIntText(description="Repeat", value=3, min=1, max=100)
        self._other = w.Dropdown(description="Compare with")
        self._kwarg = w.Dropdown(description="Sweep")
        self._values = w.Text(placeholder="0, 0.5, 1", description="over")
        self._values.add_class("azml-short")
        self._starts = [
            button("Repeat", lambda: runs.repeat(self._times.value), tooltip="The same prompt several times"),
            button("Compare", self._compare, tooltip="The same prompt to another config, side by side"),
            button("Sweep", self._sweep, tooltip="The same prompt with each value, side by side"),
        ]
        self.widget = w.VBox([buttons(self._run, self._stop), self._doing.widget, self._line.widget])
        self.several = w.VBox(
            [
                _row(self._times, self._starts[0]),
                _row(self._other, self._starts[1]),
                _row(self._kwarg, self._values, self._starts[2]),
            ]
        )

    def _compare(self) -> None:
        self._model.runs.compare([self._other.value] if self._other.value else [])

    def _sweep(self) -> None:
        self._model.runs.sweep({self._kwarg.value: self._values.value} if self._kwarg.value else {})

    def draw(self) -> None:
        """Show what runs and what can be run."""
        model = self._model
        doing = model.runs.doing
        self._doing.say(doing)
        self._line.note(model.notes.get("run"))
        for each in (self._run, *self._starts):
            put(each, disabled=bool(doing))
        put(self._stop, disabled=not doing)
        _offer(self._other, [name for name in model.names if name and name != model.name])
        _offer(self._kwarg, [kwarg.name for kwarg in model.draft.controls if kwarg.type != "strings"])


def _row(*controls: w.Widget) -> w.HBox:
    row = w.HBox(list(controls))
    row.add_class("azml-wide")
    row.add_class("azml-buttons")
    return row


def _offer(choice: w.Dropdown, options: Sequence[str]) -> None:
    """Put those options there, and keep the one that is chosen where it is still among them."""
    if choice.options != tuple(options):
        before = choice.value
        choice.options = tuple(options)
        choice.value = before if before in options else next(iter(options), None)


class Cell:
    """The cell that would do the same, to be taken along."""

    parts = frozenset({CONFIG, DRAFT, PROMPT, NOTES})

    def __init__(self, model: PanelModel, take: Callable[[str, str], None]) -> None:
        self._model = model
        self._text = w.Textarea(description="As a cell", disabled=True, rows=3)
        self._note, self._taken = Line(), Line()
        self.widget = w.VBox(
            [
                self._text,
                self._note.widget,
                self._taken.widget,
                buttons(
                    button("Copy", lambda: take("copy", self._text.value), icon="copy", tooltip="Copy the cell's text"),
                    button(
                        "Insert cell",
                        lambda: take("insert", self._text.value),
                        icon="plus-square",
                        tooltip="Put it below the notebook's current cell",
                    ),
                ),
            ]
        )

    def draw(self) -> None:
        """Show the line for what is in the controls now."""
        cell = self._model.cell()
        if cell.text != self._text.value:
            self._model.notes.pop("cell", None)
        self._taken.note(self._model.notes.get("cell"))
        put(self._text, value=cell.text)
        self._note.say(cell.note)
