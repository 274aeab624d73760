"""The panel as it is shown: all sections in two columns, and the script that copies or inserts a cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as w

from ..model.changes import ALL, CONFIG, DRAFT, NOTES
from .cell_section import CellSection
from .config_bar import ConfigBar
from .controls import close_tree, drawing, on_change
from .endpoint_section import EndpointSection
from .formatter_section import FormatterSection
from .kwargs_section import KwargsSection
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
        endpoint, self._formatter, self._kwargs = EndpointSection(model), FormatterSection(model), KwargsSection(model)
        config, prompt, run = ConfigBar(model), PromptSection(model), RunSection(model)
        results, cell = ResultTabs(model, self._send_out), CellSection(model, self._send_out)
        # run comes last: the response has to be drawn before the status line says that nothing is running
        self._sections: list[_Section] = [
            *(config, endpoint, self._formatter, self._kwargs),
            *(prompt, results, cell, run),
        ]
        self._folds = [(_fold(section.widget), section) for section in (endpoint, self._formatter, self._kwargs)]
        self._folds[2][0].selected_index = 0
        on_change(self._folds[1][0], self._set_formatter_open, "selected_index")
        side_by_side = _fold(run.side_by_side, "Several responses")
        settings = _with_class(w.VBox([fold for fold, _ in self._folds]), "azml-settings")
        work = _with_class(w.VBox([prompt.widget, run.widget, side_by_side, results.widget, cell.widget]), "azml-work")
        columns = _with_class(w.HBox([settings, work]), "azml-columns")
        self.widget = w.VBox([w.HTML(STYLE), config.widget, columns, self._script_output])
        self.widget.add_class("azml-panel")
        self.widget.comm.on_close(lambda _message: self.close())  # a frontend has discarded the widgets
        model.subscribe(self.draw)
        with model.changing(*ALL):
            pass

    def draw(self, changed: frozenset[str]) -> None:
        """Draw the sections whose parts have changed. The model calls it, one change at a time."""
        with drawing():
            for section in self._sections:
                if section.parts & changed:
                    section.draw()
            if changed & {CONFIG, DRAFT, NOTES}:
                for fold, titled in self._folds:
                    if fold.titles != (titled.title,):
                        fold.set_title(0, titled.title)

    def _set_formatter_open(self, index: int | None) -> None:
        self._formatter.is_open = index is not None
        with self.model.changing(DRAFT):
            pass

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
            close_tree(self.widget)

    def __repr__(self) -> str:
        return f"azml-magics panel ({self.model.name or 'new config'})"

    def _repr_mimebundle_(self, **_filters: Any) -> dict[str, Any]:
        bundle_of = self.widget._repr_mimebundle_  # None once it is closed
        data = bundle_of() if bundle_of else None
        return {**data, "text/plain": repr(self)} if isinstance(data, dict) else {"text/plain": repr(self)}


def _with_class(box: w.Box, name: str) -> w.Box:
    box.add_class(name)
    return box


def _fold(content: w.Widget, title: str = "") -> w.Accordion:
    """The content under a heading that opens and closes it."""
    fold = w.Accordion([content], selected_index=None)
    fold.set_title(0, title)
    return fold
