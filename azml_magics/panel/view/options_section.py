"""Schema and tools: the template, the schema and the tools of a call, and the variable that keeps its response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model import prompt_template, schema, tools
from ..model.changes import NOTES, OPTIONS, PROMPT, VARIABLES
from .controls import StatusLine, on_change, set_options, set_traits, set_visible, text_area, text_field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..model.panel_model import PanelModel

_HINTS = {
    "schema": "a pydantic class such as Opinion, a .json file, or a JSON schema",
    "tools": 'functions, such as get_weather, or JSON: [{"type": "function", …}]',
    "output": "a variable of the notebook, such as answer",
}


def options_title(model: PanelModel) -> str:
    """Return the heading of the fold: it names what is set."""
    reference = model.prompt.template
    template = [f"template {reference}"] if reference else []
    return ": ".join(filter(None, ["Schema and tools", ", ".join([*template, *model.check_options().summary])]))


class OptionsSection:
    """The fields of a call's options, with what they say, or what is wrong with them, below each.

    Args:
        model: the panel's model.
    """

    parts = frozenset({OPTIONS, PROMPT, VARIABLES, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        model.shows_names = True
        self._template = on_change(w.Dropdown(description="Template"), model.set_template)
        self._template_line = StatusLine()
        self._fields = {
            "schema": text_area(
                "Schema", lambda text: model.set_option("schema", text), rows=2, placeholder=_HINTS["schema"]
            ),
            "tools": text_area(
                "Tools", lambda text: model.set_option("tools", text), rows=2, placeholder=_HINTS["tools"]
            ),
            "output": text_field(
                "Keep response as", lambda text: model.set_option("output", text), placeholder=_HINTS["output"]
            ),
        }
        self._choices = {
            name: on_change(w.Dropdown(description=f"{label} in the notebook"), self._chooser(name))
            for name, label in (("schema", "Classes"), ("tools", "Tools"))
        }
        self._lines = {name: StatusLine("azml-status") for name in self._fields}
        self._auto = on_change(
            w.Checkbox(
                description="Run functions without asking",
                indent=False,
                tooltip="Else each call waits until you allow it",
            ),
            lambda wanted: model.set_option("auto", "yes" if wanted else ""),
        )
        self.widget = w.VBox(
            _dom_classes=("azml-options",),
            children=[
                *(self._template, self._template_line.widget),
                *(self._fields["schema"], self._choices["schema"], self._lines["schema"].widget),
                *(self._fields["tools"], self._choices["tools"], self._lines["tools"].widget, self._auto),
                *(self._fields["output"], self._lines["output"].widget),
            ],
        )

    def _chooser(self, name: str) -> Callable[[str], None]:
        return lambda chosen: self._model.set_option(name, chosen) if chosen else None

    def draw(self) -> None:
        """Show the options, the names to choose from, and the line of each field."""
        model, notebook = self._model, self._model.notebook_variables()
        set_options(self._template, prompt_template.template_choices(notebook, model.prompt.template))
        set_traits(self._template, value=model.prompt.template)
        self._template_line.show(model.describe_template())
        self._draw_choices("schema", schema.find_models(notebook))
        self._draw_choices("tools", tools.find_tools(notebook))
        checks = model.check_options()
        set_traits(self._auto, value=bool(model.options.auto))
        set_visible(self._auto, checks.has_functions)
        for name, control in self._fields.items():
            set_traits(control, value=getattr(model.options, name))
            said, note = checks.lines.get(name), model.notes.get(name)
            if note and note.text and not (said and said.is_error):
                self._lines[name].show_note(note)
            else:
                self._lines[name].show(said.text if said else "", "bad" if said and said.is_error else "plain")

    def _draw_choices(self, name: str, names: Sequence[str]) -> None:
        """Show the names; the one in the field is chosen."""
        choice, typed = self._choices[name], getattr(self._model.options, name).strip().removeprefix("$")
        set_options(choice, [("choose one", ""), *((each, each) for each in names)])
        set_traits(choice, value=typed if typed in names else "")
        set_visible(choice, names)
