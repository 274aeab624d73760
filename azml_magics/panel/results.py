"""The panel's result: the answer as it streams, and behind tabs all that belongs to it.

Model text goes only into places that do not run it: Markdown made inert, fenced code, escaped tables.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics import codegen
from azml_magics.core.errors import AzmlError
from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.markdown import fenced, inert

from . import numbers
from .chunked_text import GROWTH, Blocks
from .events import ANSWER, DRAFT, HISTORY, PROMPT, STATE
from .fields import button, buttons, closed, drawing, on_change, put
from .messages import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from .model import PanelModel
    from .runs import Result

_SMALL_TABLE = 4000  # characters of a table that every frame may send again
_LONGEST = 100_000  # characters of one text that a browser is given
_TABS = ("Answer", "Request", "Response", "Code", "Numbers", "History")


def _cut(text: str) -> str:
    """`text`, or as much of it as a browser shows without stalling."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n\n… {len(text) - _LONGEST:,} more characters. The whole is in `%azureml last`."


def _output(data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _code(text: str, language: str) -> dict[str, str]:
    text = _cut(text)
    return {"text/plain": text, "text/markdown": fenced(text.rstrip("\n"), language)}


class Page:
    """A place for one mime bundle, drawn only while it is in sight."""

    def __init__(self) -> None:
        self.widget = w.Output()
        self.widget.add_class("azml-page")

    def show(self, data: dict[str, str]) -> None:
        """Show a mime bundle in the place of the last one."""
        put(self.widget, outputs=(_output(data),) if data else ())


class Answer:
    """The answer while it comes and when it is there. A long one is sent in pieces, each of them once."""

    def __init__(self) -> None:
        self.widget = w.VBox()
        self.widget.add_class("azml-answer")
        self._blocks = Blocks()
        self._live: list[w.Output] = []
        self._drawn: Any = None

    def draw(self, result: Result | None) -> None:
        """Show how far it is."""
        if result is None:
            self._whole({})
        elif len(result.asks) > 1:
            self._table(result)
        elif result.is_running:
            self._grow(result.row.text)
        else:
            self._whole(_bundle(result.row.text, result.row))

    def _grow(self, text: str) -> None:
        if not self._live or not text:
            self._begin()
        if len(text) > _LONGEST or not text or not self._blocks.grow(text):
            return
        pieces = self._blocks.pieces
        new = len(pieces) - len(self._live)
        for index in range(len(self._live) - 1, len(pieces)):
            if index == len(self._live):
                self._live.append(w.Output())
            put(self._live[index], outputs=(_output(_markdown(pieces[index])),))
        if new:
            put(self.widget, children=tuple(self._live))

    def _begin(self) -> None:
        """An empty place for the next answer."""
        if len(self._live) != 1 or self._live[0].outputs:
            self._end()
            self._blocks, self._live, self._drawn = Blocks(), [w.Output()], None
            put(self.widget, children=tuple(self._live))

    def _table(self, result: Result) -> None:
        table = batch_to_html(result.batch, times=True)
        before = len((self._drawn or {}).get("text/html", ""))
        if result.is_running and len(table) > _LONGEST:
            return
        if result.is_running and len(table) > _SMALL_TABLE and before < len(table) < before * (1 + GROWTH):
            return  # what is sent altogether stays in proportion to the table
        self._whole({"text/plain": _cut(result.batch.to_text()), "text/html": table})

    def _whole(self, data: dict[str, str]) -> None:
        """Show one bundle, in one place, instead of the pieces."""
        if data == self._drawn:
            return
        self._drawn = data
        if len(self._live) != 1:
            self._end()
            self._live = [w.Output()]
            put(self.widget, children=tuple(self._live))
        put(self._live[0], outputs=(_output(data),) if data else ())
        self._blocks = Blocks()

    def _end(self) -> None:
        put(self.widget, children=())
        for output in self._live:
            closed(output)
        self._live = []


def _markdown(text: str) -> dict[str, str]:
    return {"text/plain": text, "text/markdown": inert(text)}


def _bundle(text: str, row: Any) -> dict[str, str]:
    if text:
        return _markdown(_cut(text))
    response = row.response
    if response is not None and response.tool_calls:
        names = ", ".join(str(call.get("function", {}).get("name", "?")) for call in response.tool_calls)
        return {"text/plain": f"(no text; the model asks for {names}: see Response)"}
    return {}


class Results:
    """The result tabs."""

    parts = frozenset({ANSWER, STATE, HISTORY, DRAFT, PROMPT})

    def __init__(self, model: PanelModel, take: Callable[[str, str], None]) -> None:
        self._model = model
        self._answer = Answer()
        self._request, self._response, self._numbers, self._program = Page(), Page(), Page(), Page()
        self._language = on_change(
            w.Dropdown(
                description="Language", options=[("LangChain", "langchain"), ("Python", "python"), ("curl", "curl")]
            ),
            lambda _: self._draw_tab(),
        )
        self._history = on_change(w.Select(rows=10), self._restore)
        self._back = button("Back to what I had", model.past.back, icon="undo", tooltip="Leave the restored state")
        code = w.VBox(
            [
                self._language,
                self._program.widget,
                buttons(button("Copy", lambda: take("copy", self._code_text()), icon="copy", tooltip="Copy the code")),
            ]
        )
        self.widget = w.Tab(
            [
                self._answer.widget,
                self._request.widget,
                self._response.widget,
                code,
                self._numbers.widget,
                w.VBox([self._history, buttons(self._back)]),
            ]
        )
        for index, title in enumerate(_TABS):
            self.widget.set_title(index, title)
        on_change(self.widget, lambda _: self._draw_tab(), "selected_index")

    def _restore(self, number: int | None) -> None:
        if number is not None:
            self._model.past.restore(number)

    def draw(self) -> None:
        """Show the answer, and the tab in front."""
        self._answer.draw(self._model.runs.result)
        if not (self._model.runs.result and self._model.runs.result.is_running):
            self._draw_tab()

    def _draw_tab(self) -> None:
        draws = {1: self._draw_request, 2: self._draw_response, 3: self._draw_code, 4: self._draw_numbers}
        with self._model.changing(), drawing():
            if self.widget.selected_index == len(_TABS) - 1:
                self._draw_history()
            elif self.widget.selected_index in draws:
                draws[self.widget.selected_index]()

    def _call(self) -> tuple[LLMConfig, Sequence[Message]]:
        """What the tabs are about: the call that is shown or, before there is one, the one that Run would make."""
        result = self._model.runs.result
        if result is None:
            return self._model.draft.config, self._model.messages()
        return result.row.config, result.asks[0].messages

    def _draw_request(self) -> None:
        try:
            self._request.show(_code(codegen.request(*self._call(), stream=True), "http"))
        except AzmlError as error:
            self._request.show({"text/plain": in_words(error)})

    def _code_text(self) -> str:
        try:
            return codegen.code(*self._call(), self._language.value)
        except AzmlError as error:
            return in_words(error)

    def _draw_code(self) -> None:
        self._program.show(_code(self._code_text(), "bash" if self._language.value == "curl" else "python"))

    def _draw_response(self) -> None:
        result = self._model.runs.result
        response = result.row.response if result else None
        if response is not None:
            self._response.show(_code(numbers.raw(response), "json"))
        else:
            failed = in_words(result.row.error) if result and result.row.error else "Nothing has come yet."
            self._response.show({"text/plain": failed})

    def _draw_numbers(self) -> None:
        result = self._model.runs.result
        rows = [row for row in result.batch if row.response is not None] if result else []
        if not rows:
            self._numbers.show({"text/plain": "Nothing has come yet."})
            return
        columns = [dict(numbers.figures(row.response)) for row in rows if row.response]
        names = list(dict.fromkeys(name for column in columns for name in column))
        table = [(name, *(column.get(name, "") for column in columns)) for name in names]
        headings = [("", *(row.label for row in rows))] if len(rows) > 1 else []
        self._numbers.show(_table(headings, table))

    def _draw_history(self) -> None:
        entries = self._model.past.entries()
        number = self._model.runs.result.number if self._model.runs.result else None
        if self._history.options != tuple(entries):
            self._history.options = tuple(entries)
        put(self._history, value=number if number in [each for _, each in entries] else None)
        put(self._back, disabled=not self._model.past.can_go_back)


def _table(headings: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """A table as text and as HTML, everything in it escaped."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return (
            "<tr>" + "".join(f'<{tag} style="text-align:left">{html.escape(each)}</{tag}>' for each in cells) + "</tr>"
        )

    made = "".join([*(line("th", cells) for cells in headings), *(line("td", cells) for cells in rows)])
    plain = "\n".join("  ".join(cells) for cells in (*headings, *rows))
    return {"text/plain": plain, "text/html": f"<table>{made}</table>"}
