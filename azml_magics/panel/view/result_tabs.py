"""The result tabs: the response, and everything about the call that made it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics import codegen
from azml_magics.core.errors import AzmlError
from azml_magics.display.table import TableOutput

from ..model.changes import COLUMNS, DRAFT, HISTORY, OPTIONS, PROMPT, RESULT, STATE
from ..model.error_messages import describe_error
from ..model.response_details import raw_json, usage_figures
from .controls import StatusLine, action_button, button_row, drawing, on_change, set_options, set_traits, set_visible
from .mime_output import MimeOutput, code_bundle
from .result_view import ResultView
from .versions_section import VersionsSection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from ..model.panel_model import PanelModel

_LANGUAGES = [
    ("LangChain", "langchain"),
    ("OpenAI SDK", "openai"),
    ("Anthropic SDK", "anthropic"),
    ("Python", "python"),
    ("curl", "curl"),
]
_NOTHING = {"text/plain": "No response yet."}


class ResultTabs:
    """Response, Request, JSON, Code, Usage and Versions. A tab is drawn only while it is in front.

    Args:
        model: the panel's model.
        send_out: takes ("copy", text) and copies the text in the browser.
        steps: what the button in a failed column may do, by its label.
    """

    parts = frozenset({RESULT, COLUMNS, STATE, HISTORY, DRAFT, PROMPT, OPTIONS})

    def __init__(
        self,
        model: PanelModel,
        send_out: Callable[[str, str], None],
        steps: Mapping[str, Callable[[], object]] = MappingProxyType({}),
    ) -> None:
        self._model = model
        self._send_out = send_out
        self._response = ResultView(model, steps)
        self._column = on_change(w.Dropdown(description="Response of"), model.columns.select)
        self._request, self._json, self._code, self._usage = MimeOutput(), MimeOutput(), MimeOutput(), MimeOutput()
        self._language = w.Dropdown(description="Language", options=_LANGUAGES)
        self._is_now = w.Checkbox(description="what Run would send now", indent=False)
        self._stale = StatusLine("azml-mark", "azml-status")
        versions = VersionsSection(model)
        copy = action_button("Copy", self._copy_code, icon="copy", tooltip="Copy the code")
        # title -> (its content, what draws it)
        self._tabs: dict[str, tuple[w.Widget, Callable[[], None]]] = {
            "Response": (self._response.widget, lambda: None),
            "Request": (w.VBox([self._is_now, self._request.widget]), self._draw_request),
            "JSON": (self._json.widget, self._draw_json),
            "Code": (w.VBox([self._language, self._code.widget, button_row(copy)]), self._draw_code),
            "Usage": (self._usage.widget, self._draw_usage),
            "Versions": (versions.widget, versions.draw),
        }
        self._tab = w.Tab([content for content, _ in self._tabs.values()])
        for index, title in enumerate(self._tabs):
            self._tab.set_title(index, title)
        self.widget = w.VBox([self._stale.widget, self._column, self._tab])
        on_change(self._is_now, lambda _: self._draw_front_tab())
        on_change(self._language, lambda _: self._draw_front_tab())
        on_change(self._tab, lambda _: self._draw_front_tab(), "selected_index")

    def draw(self) -> None:
        """Show the response, and the tab in front unless the response is still growing."""
        result = self._model.result
        self._response.draw()
        self._draw_choice()
        self._stale.show("● settings changed since this answer" if self._model.is_result_stale else "", "mark")
        if not (result and result.is_running):
            self._draw_front_tab()

    def _draw_choice(self) -> None:
        """Show which of several responses the tabs are about."""
        labels = self._model.columns.labels
        set_visible(self._column, labels)
        set_options(self._column, [(label, index) for index, label in enumerate(labels)])
        set_traits(self._column, value=self._model.columns.selected if labels else None)

    def _draw_front_tab(self) -> None:
        index = self._tab.selected_index
        if index is not None:
            _, draw = list(self._tabs.values())[index]
            with self._model.changing(), drawing():
                draw()

    def _call(self, *, is_now: bool = False) -> tuple[LLMConfig, Sequence[Message]]:
        """The call that the tabs describe: the last one or, before the first, the one that Run would make."""
        sent = self._model.columns.call()
        return self._model.call() if sent is None or is_now else sent

    def _draw_request(self) -> None:
        try:
            call = self._call(is_now=self._is_now.value)
            self._request.show(code_bundle(codegen.format_request(*call, stream=True), "http"))
        except AzmlError as error:
            self._request.show({"text/plain": describe_error(error)})

    def _code_text(self) -> str:
        try:
            return codegen.write_program(*self._call(), self._language.value)
        except AzmlError as error:
            return describe_error(error)

    def _copy_code(self) -> None:
        self._send_out("copy", self._code_text())

    def _draw_code(self) -> None:
        self._code.show(code_bundle(self._code_text(), "bash" if self._language.value == "curl" else "python"))

    def _draw_json(self) -> None:
        row = self._model.columns.row
        if row is None or (row.response is None and row.error is None):
            self._json.show(_NOTHING)
        elif row.response is not None:
            self._json.show(code_bundle(raw_json(row.response), "json"))
        elif row.error is not None:
            self._json.show({"text/plain": describe_error(row.error)})

    def _draw_usage(self) -> None:
        result = self._model.result
        rows = [row for row in result.batch if row.response is not None] if result else []
        if not rows:
            self._usage.show(_NOTHING)
            return
        columns = [dict(usage_figures(row.response, row.config.price)) for row in rows if row.response is not None]
        names = list(dict.fromkeys(name for column in columns for name in column))
        table = [(name, *(column.get(name, "") for column in columns)) for name in names]
        headings = ("", *(row.label for row in rows)) if len(rows) > 1 else ("", "")
        self._usage.show(TableOutput(headings, table).to_bundle())
