"""The system message, the prompt, and a field for each of the prompt's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import DRAFT, NOTES, PROMPT, VARIABLES
from .controls import (
    SharedArea,
    StatusLine,
    action_button,
    button_row,
    on_change,
    set_traits,
    set_visible,
    text_area,
    text_field,
)
from .looks import close_tree

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class PromptSection:
    """What is sent: the system message, the prompt, and the values of its variables."""

    parts = frozenset({DRAFT, NOTES, PROMPT, VARIABLES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._system = text_area("System", lambda value: model.set("system", value), rows=2, placeholder="none")
        area = SharedArea(
            description="Prompt", rows=5, placeholder="Write a prompt. {name} inserts a variable of the notebook."
        )
        self._prompt = on_change(area, lambda text: model.set_prompt(text, area.editor))
        self._line = StatusLine("azml-status", "azml-inline")
        bring_back = action_button(
            "Bring it back", model.shared_prompt.bring_back, icon="undo", tooltip="Show the text that was replaced"
        )
        keep = action_button("Keep this one", model.shared_prompt.forget, tooltip="Forget the text that was replaced")
        self._replaced = button_row(self._line.widget, bring_back, keep)
        self._fields: dict[str, w.Text] = {}
        self._field_box = w.VBox()
        self._surprises = StatusLine()
        self.widget = w.VBox([self._system, self._prompt, self._replaced, self._field_box, self._surprises.widget])

    def draw(self) -> None:
        """Show the prompt and its variables."""
        model = self._model
        set_traits(self._system, value=model.draft.texts["system"])
        set_traits(self._prompt, value=model.prompt.text)
        note = model.notes.get("prompt")
        self._line.show_note(note)
        set_visible(self._replaced, note and note.text)
        variables = model.variables()
        for variable in variables:
            field = self._fields.get(variable.name) or self._add_field(variable.name)
            missing = "not in the notebook: type a value"
            hint = missing if variable.notebook is None else f"notebook: {variable.notebook}"
            set_traits(field, value=variable.typed, placeholder=hint)
            is_missing = variable.notebook is None and not variable.typed
            (field.add_class if is_missing else field.remove_class)("azml-missing")
        self._surprises.show(" ".join(model.surprises()), "mark")
        names = [variable.name for variable in variables]
        set_traits(self._field_box, children=tuple(self._fields[name] for name in names))
        for name in self._fields.keys() - set(names):
            close_tree(self._fields.pop(name))  # while a name is typed, each of its beginnings is a variable

    def _add_field(self, name: str) -> w.Text:
        field = text_field(f"{{{name}}}", lambda value: self._model.set_variable(name, value))
        self._fields[name] = field
        return field
