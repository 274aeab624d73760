"""The panel as it is shown: a row that stays in sight, the sections in two columns, and the panel's scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as w

from ..model.changes import ALL, CONFIG, DRAFT, NOTES
from .behaviour import Behaviour
from .cell_section import CellSection
from .config_bar import ConfigBar
from .controls import close_tree, drawing, fold, let_messages_leave, set_title
from .endpoint_section import EndpointSection
from .formatter_section import FormatterSection
from .kwargs_section import KwargsSection
from .next_step import CONNECT, DETECT, TYPE_KEY
from .prompt_section import PromptSection
from .result_tabs import ResultTabs
from .run_section import RunSection
from .style import STYLE

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel

# The JupyterLab extension handles this event by inserting a cell and calling preventDefault. Without the extension the
# text is copied to the clipboard.
INSERT_EVENT = "azml-magics:insert-cell"
_SCRIPT = """
const text = %(text)s;
const event = new CustomEvent("%(event)s", {cancelable: true, detail: {text}});
if (%(copies)s || document.dispatchEvent(event)) { navigator.clipboard?.writeText(text); }
"""
_SENT_OUT = {
    "copy": "Copied, if the browser allows it.",
    "insert": "Inserted. Without the JupyterLab extension it is in the clipboard: paste it into a cell.",
}


class _Section(Protocol):
    """A part of the panel."""

    parts: frozenset[str]

    def draw(self) -> None:
        """Show the model's state."""


class Panel:
    """The widgets of a PanelModel. Displaying it twice shows the same live widgets; its repr is one short line."""

    def __init__(self, model: PanelModel) -> None:
        self.model = model
        self._script_output = w.Output()
        self._script_output.add_class("azml-script")
        self._behaviour = Behaviour()
        self._endpoint, formatter, self._kwargs = EndpointSection(model), FormatterSection(model), KwargsSection(model)
        let_messages_leave()
        config = ConfigBar(model)
        first = config.first_steps
        steps = {CONNECT: first.open, DETECT: lambda: model.checks.detect(place="run"), TYPE_KEY: self._go_to_key}
        let_messages_leave()
        prompt, run = PromptSection(model), RunSection(model, steps)
        let_messages_leave()
        results, cell = ResultTabs(model, self._send_out), CellSection(model, self._send_out)
        # run comes last: the response has to be drawn before the status line says that nothing is running
        self._sections: list[_Section] = [
            *(config, first, self._endpoint, formatter, self._kwargs),
            *(prompt, results, cell, run),
        ]
        self._endpoint_fold = fold(self._endpoint.widget)
        several = fold(run.side_by_side, "Several responses")
        top = _with_class(w.HBox([*config.controls, *run.controls]), "azml-top", "azml-buttons")
        head = _with_class(w.VBox([top, *config.below, *run.below]), "azml-head")
        settings = _with_class(w.VBox([self._endpoint_fold, formatter.widget, self._kwargs.widget]), "azml-settings")
        work = _with_class(w.VBox([prompt.widget, results.widget, several, cell.widget]), "azml-work")
        columns = _with_class(w.HBox([settings, work]), "azml-columns")
        self.widget = w.VBox([w.HTML(STYLE), head, first.widget, columns, self._script_output, self._behaviour.widget])
        self.widget.add_class("azml-panel")
        self.widget.comm.on_close(lambda _message: self.close())  # a frontend has discarded the widgets
        let_messages_leave()
        model.subscribe(self.draw)
        with model.changing(*ALL):
            pass
        let_messages_leave()

    def draw(self, changed: frozenset[str]) -> None:
        """Draw the sections whose parts have changed. The model calls it, one change at a time."""
        with drawing():
            for section in self._sections:
                if section.parts & changed:
                    section.draw()
            if changed & {CONFIG, DRAFT, NOTES}:
                set_title(self._endpoint_fold, self._endpoint.title)

    def _go_to_key(self) -> None:
        self._endpoint_fold.selected_index = 0
        self._endpoint.focus_key()

    def _send_out(self, how: str, text: str) -> None:
        """Copy `text` or insert it as a cell. The browser runs a script for that, which is removed at once."""
        literal = json.dumps(text).replace("<", "\\u003c")
        script = _SCRIPT % {"text": literal, "event": INSERT_EVENT, "copies": json.dumps(how == "copy")}
        data = {"text/plain": "", "application/javascript": script}
        self._script_output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        self._script_output.outputs = ()
        with self.model.changing():
            self.model.note("cell", _SENT_OUT[how])

    @property
    def is_closed(self) -> bool:
        """Whether its widgets are closed."""
        return self.widget.comm is None

    def close(self) -> None:
        """End what is running and close the widgets."""
        self.model.close()
        with self.model.changing():  # waits for a drawing in another thread
            self._kwargs.close()
            for section in (*self.widget.children, self.widget):
                let_messages_leave()
                close_tree(section)

    def __repr__(self) -> str:
        return f"azml-magics panel ({self.model.name or 'new config'})"

    def _repr_mimebundle_(self, **_filters: Any) -> dict[str, Any]:
        bundle_of = self.widget._repr_mimebundle_  # None once it is closed
        data = bundle_of() if bundle_of else None
        return {**data, "text/plain": repr(self)} if isinstance(data, dict) else {"text/plain": repr(self)}


def _with_class(box: w.Box, *names: str) -> w.Box:
    for name in names:
        box.add_class(name)
    return box
