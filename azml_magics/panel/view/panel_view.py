"""The panel as it is shown: a row that stays in sight, the sections in two columns, and the panel's scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from ..model.changes import ALL
from .attachments_section import AttachmentsSection, attachments_title
from .behaviour import Behaviour
from .cases_section import CasesSection, cases_title
from .cell_section import CellSection
from .compare_section import CompareSection
from .config_bar import ConfigBar
from .controls import drawing, has_text, let_messages_leave
from .conversation_section import ConversationSection, conversation_title
from .endpoint_section import EndpointSection, endpoint_title
from .formatter_section import FormatterSection
from .kwargs_section import KwargsSection
from .lazy_fold import FoldedSection, LazyFold, PanelSection
from .looks import Looks, close_tree
from .next_step import CONNECT, DETECT, TYPE_KEY
from .options_section import OptionsSection, options_title
from .prompt_section import PromptSection
from .result_tabs import ResultTabs
from .run_section import RunSection
from .style import STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


class Panel:
    """The widgets of a PanelModel. Displaying it twice shows the same live widgets; its repr is one short line."""

    widget: Any

    def __init__(self, model: PanelModel) -> None:
        self.model = model
        self._looks = Looks()
        with self._looks.shared():
            self._build(model)
        self.widget.comm.on_close(lambda _message: self.close())  # a frontend has discarded the widgets
        model.subscribe(self.draw)
        with model.changing(*ALL):
            pass

    def _build(self, model: PanelModel) -> None:
        """Make the widgets that are in sight when the panel opens."""
        self._script_output = w.Output(_dom_classes=("azml-script",))
        self._endpoint = self._make_fold(endpoint_title, EndpointSection)
        formatter, self._kwargs = FormatterSection(model), KwargsSection(model)
        config = ConfigBar(model)
        first = config.first_steps
        steps = {CONNECT: first.open, DETECT: lambda: model.checks.detect(place="run"), TYPE_KEY: self._go_to_key}
        run, below = RunSection(model, steps), self._build_work(steps)
        # run comes last: the response has to be drawn before the status line says that nothing is running
        self._sections: list[PanelSection] = [
            *(config, first, self._endpoint, formatter, self._kwargs),
            *below,
            run,
        ]
        top = _box(w.HBox, [*config.controls, *run.controls], "azml-top", "azml-buttons")
        head = _box(w.VBox, [top, *config.below, *run.below], "azml-head")
        settings = _box(w.VBox, [self._endpoint.widget, formatter.widget, self._kwargs.widget], "azml-settings")
        work = _box(w.VBox, [section.widget for section in below], "azml-work")
        columns = _box(w.HBox, [settings, work], "azml-columns")
        script = Behaviour(lambda text: has_text(self.widget, text)).widget
        content = [w.HTML(STYLE), head, first.widget, columns, self._script_output, script]
        self.widget = _box(w.VBox, content, "azml-panel")

    def _build_work(self, steps: Mapping[str, Callable[[], object]]) -> list[FoldedSection]:
        """Make what stands beside the settings, from top to bottom."""
        model, fold, send_out = self.model, self._make_fold, self._send_out
        return [
            fold(conversation_title, ConversationSection),
            PromptSection(model),
            fold(attachments_title, AttachmentsSection),
            fold(options_title, OptionsSection),
            ResultTabs(model, send_out, steps),
            fold(cases_title, CasesSection, send_out),
            fold("Compare", CompareSection, send_out),
            CellSection(model, send_out),
        ]

    def _make_fold(self, title: str | Callable[[PanelModel], str], kind: type[Any], *needs: object) -> LazyFold[Any]:
        """Make the fold of a section, whose class takes the model and what else it `needs`."""
        heading = title if isinstance(title, str) else lambda: title(self.model)
        return LazyFold(self.model, heading, lambda: kind(self.model, *needs), kind.parts)

    def draw(self, changed: frozenset[str]) -> None:
        """Draw the sections whose parts have changed. The model calls it, one change at a time."""
        with self._looks.shared(), drawing():
            for section in self._sections:
                if section.parts & changed:
                    section.draw()

    def _go_to_key(self) -> None:
        self._endpoint.open().focus_key()

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
            self._looks.close()

    def __repr__(self) -> str:
        return f"azml-magics panel ({self.model.name or 'new config'})"

    def _repr_mimebundle_(self, **_filters: Any) -> dict[str, Any]:
        bundle_of = self.widget._repr_mimebundle_  # None once it is closed
        data = bundle_of() if bundle_of else None
        return {**data, "text/plain": repr(self)} if isinstance(data, dict) else {"text/plain": repr(self)}


def _box(kind: type[w.Box], children: Sequence[w.Widget], *classes: str) -> w.Box:
    return kind(children, _dom_classes=classes)
