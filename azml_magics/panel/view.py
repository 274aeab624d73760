"""The panel as it is shown: the parts put together from stock controls, and what leads out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from .events import ALL, CONFIG, DRAFT, NOTES
from .fields import closed, drawing, on_change
from .prompt_section import Cell, Prompt, Runs
from .results import Results
from .sections import ConfigBar, Endpoint, Formatter, Kwargs
from .style import STYLE

if TYPE_CHECKING:
    from .model import PanelModel

# The JupyterLab extension answers this event by inserting a cell and calling preventDefault; where nobody does, the
# text goes to the clipboard.
INSERT_EVENT = "azml-magics:insert-cell"
_SCRIPT = """
const text = %(text)s;
const event = new CustomEvent("%(event)s", {cancelable: true, detail: {text}});
if (%(copies)s || document.dispatchEvent(event)) { navigator.clipboard?.writeText(text); }
"""


class Panel:
    """The widgets of a PanelModel. Showing it twice shows the same live widgets; its repr is one short line."""

    def __init__(self, model: PanelModel) -> None:
        self.model = model
        self._doorway = w.Output()
        self._doorway.add_class("azml-doorway")
        endpoint, self._formatter, self._kwargs = Endpoint(model), Formatter(model), Kwargs(model)
        runs = Runs(model)
        self._sections: list[Any] = [
            ConfigBar(model),
            endpoint,
            self._formatter,
            self._kwargs,
            Prompt(model),
            Results(model, self._take),
            Cell(model, self._take),
            runs,  # last: an answer is there before it is said that nothing runs any more
        ]
        config, prompt, results, cell = (self._sections[index].widget for index in (0, 4, 5, 6))
        self._folds = [(_fold(section.widget), section) for section in (endpoint, self._formatter, self._kwargs)]
        self._folds[2][0].selected_index = 0
        on_change(self._folds[1][0], self._formatter_opened, "selected_index")
        several = _fold(runs.several, "Several answers")
        settings = w.VBox([fold for fold, _ in self._folds])
        settings.add_class("azml-settings")
        work = w.VBox([prompt, runs.widget, several, results, cell])
        work.add_class("azml-work")
        columns = w.HBox([settings, work])
        columns.add_class("azml-columns")
        self.widget = w.VBox([w.HTML(STYLE), config, columns, self._doorway])
        self.widget.add_class("azml-panel")
        self.widget.comm.on_close(lambda _message: self.close())  # a frontend has thrown the widgets away
        model.subscribe(self.draw)
        with model.changing(*ALL):
            pass

    def draw(self, changed: frozenset[str]) -> None:
        """Draw what has changed; the model calls it, one change at a time."""
        with drawing():
            for section in self._sections:
                if section.parts & changed:
                    section.draw()
            if changed & {CONFIG, DRAFT, NOTES}:
                for fold, section in self._folds:
                    if fold.titles != (section.title,):
                        fold.set_title(0, section.title)

    def _formatter_opened(self, index: int | None) -> None:
        self._formatter.is_open = index is not None
        with self.model.changing(DRAFT):
            pass

    def _take(self, how: str, text: str) -> None:
        """Copy `text`, or ask the frontend to insert it as a cell; the browser does it, and nothing of it is kept."""
        literal = json.dumps(text).replace("<", "\\u003c")
        script = _SCRIPT % {"text": literal, "event": INSERT_EVENT, "copies": json.dumps(how == "copy")}
        data = {"text/plain": "", "application/javascript": script}
        self._doorway.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        self._doorway.outputs = ()
        done = {
            "copy": "Copied, where the browser allows it.",
            "insert": "Inserted. Without the JupyterLab extension it is in the clipboard: paste it into a cell.",
        }
        with self.model.changing():
            self.model.note("cell", done[how])

    @property
    def is_closed(self) -> bool:
        """Whether its widgets are gone."""
        return self.widget.comm is None

    def close(self) -> None:
        """End what runs and take the widgets away."""
        self.model.close()
        with self.model.changing():  # so that no drawing is under way
            self._kwargs.close()
            closed(self.widget)

    def __repr__(self) -> str:
        return f"azml-magics panel ({self.model.name or 'new config'})"

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, Any]:
        bundle_of = self.widget._repr_mimebundle_  # None once it is closed
        data = bundle_of() if bundle_of else None
        return {**data, "text/plain": repr(self)} if isinstance(data, dict) else {"text/plain": repr(self)}


def _fold(section: w.Widget, title: str = "") -> w.Accordion:
    """The section under a heading that opens and closes it."""
    fold = w.Accordion([section], selected_index=None)
    fold.set_title(0, title)
    return fold
