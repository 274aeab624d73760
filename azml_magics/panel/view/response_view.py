"""The Response tab: one response while it streams and when it is complete, or a table of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics.core.text import printable
from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.markdown import make_inert
from azml_magics.display.mime import choices_batch, facts_html

from .chunked_text import GROWTH, ChunkedText
from .controls import set_traits
from .looks import close_tree
from .mime_output import MAX_SHOWN, display_output, truncate
from .reasoning import thoughts_html
from .response_object import object_bundle, tool_calls_bundle

if TYPE_CHECKING:
    from azml_magics.compare.comparison import Row
    from azml_magics.core.response import Response

    from ..model.run_result import RunResult

_SMALL_TABLE = 4000  # characters of a table that every frame may send again


class ResponseView:
    """Draws a result. A long response is sent in chunks, each of them once."""

    def __init__(self) -> None:
        self._scrolled = w.VBox(_dom_classes=("azml-response",))
        self._reasoning, self._facts = w.Output(), w.Output()  # above and below the response
        self.widget = w.VBox([self._scrolled, self._facts])  # the facts stay in sight below a long response
        self._chunked = ChunkedText()
        self._outputs: list[w.Output] = []  # one for each chunk
        self._drawn: dict[str, str] | None = None  # the bundle that is shown, None while chunks are
        self._set_children()

    def draw(self, result: RunResult | None) -> None:
        """Show the result as far as it has arrived."""
        response = result.row.response if result is not None and len(result.requests) == 1 else None
        is_running = result is not None and result.is_running
        self._draw_surroundings(response, is_running=is_running)
        if result is None:
            self._show_bundle({})
        elif len(result.requests) > 1:
            self._show_table(result)
        elif is_running:
            self._show_growing(result.row.text)
        elif response is not None and len(response.choices) > 1:
            batch = choices_batch(response)
            self._show_bundle({"text/plain": truncate(batch.to_text()), "text/html": batch_to_html(batch)})
        else:
            self._show_bundle(_bundle(result.row))

    def _draw_surroundings(self, response: Response | None, *, is_running: bool) -> None:
        """Show the thoughts above the response, and once it is whole the facts below it."""
        above = below = ""
        if response is not None:
            above = "" if response.choices else thoughts_html(response, is_running=is_running)  # the table has them
            below = "" if is_running else facts_html(response, always=True, times=True)
        for output, text in ((self._reasoning, above), (self._facts, below)):
            bundle = {"text/plain": "", "text/markdown": text}
            set_traits(output, outputs=(display_output(bundle),) if text else ())

    def _set_children(self) -> None:
        set_traits(self._scrolled, children=(self._reasoning, *self._outputs))

    def _show_growing(self, text: str) -> None:
        if not self._outputs or not text:
            self._start_chunks()
        if len(text) > MAX_SHOWN or not text or not self._chunked.grow(text):
            return
        chunks = self._chunked.chunks
        has_new = len(chunks) > len(self._outputs)
        for index in range(len(self._outputs) - 1, len(chunks)):
            if index == len(self._outputs):
                self._outputs.append(w.Output())
            set_traits(self._outputs[index], outputs=(display_output(_markdown(chunks[index])),))
        if has_new:
            self._set_children()

    def _start_chunks(self) -> None:
        """Make room for the next response."""
        if len(self._outputs) != 1 or self._outputs[0].outputs:
            self._replace_outputs()
            self._chunked, self._drawn = ChunkedText(), None

    def _show_table(self, result: RunResult) -> None:
        table = batch_to_html(result.batch, times=True)
        before = len((self._drawn or {}).get("text/html", ""))
        if result.is_running and len(table) > MAX_SHOWN:
            return
        if result.is_running and len(table) > _SMALL_TABLE and before < len(table) < before * (1 + GROWTH):
            return  # keeps the total traffic proportional to the table
        self._show_bundle({"text/plain": truncate(result.batch.to_text()), "text/html": table})

    def _show_bundle(self, bundle: dict[str, str]) -> None:
        """Show one bundle instead of the chunks."""
        if bundle == self._drawn:
            return
        self._drawn = bundle
        if len(self._outputs) != 1:
            self._replace_outputs()
        set_traits(self._outputs[0], outputs=(display_output(bundle),) if bundle else ())
        self._chunked = ChunkedText()

    def _replace_outputs(self) -> None:
        """Close all outputs and start with a single empty one."""
        set_traits(self._scrolled, children=(self._reasoning,))
        for output in self._outputs:
            close_tree(output)
        self._outputs = [w.Output()]
        self._set_children()


def _markdown(text: str) -> dict[str, str]:
    return {"text/plain": printable(text), "text/markdown": make_inert(text)}


def _bundle(row: Row) -> dict[str, str]:
    if row.response is not None:
        found = object_bundle(row.response) or tool_calls_bundle(row.response)
        if found is not None:
            return found
    return _markdown(truncate(row.text)) if row.text else {}
