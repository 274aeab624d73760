"""A place for a response that grows: its text is sent in chunks, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics.core.text import printable
from azml_magics.display.markdown import make_inert

from .chunked_text import ChunkedText
from .controls import set_traits
from .looks import close_tree
from .mime_output import MAX_SHOWN, display_output, truncate
from .response_object import object_bundle, tool_calls_bundle

if TYPE_CHECKING:
    from azml_magics.compare.comparison import Row


class GrowingOutput:
    """Shows one text while it grows, or bundles that replace it."""

    def __init__(self) -> None:
        self.widget = w.VBox()
        self._chunked = ChunkedText()
        self._outputs: list[w.Output] = []  # one for each chunk
        self._shown: tuple[dict[str, str], ...] | None = None  # the bundles that are shown, None while chunks are
        self._replace_outputs()

    def grow(self, text: str) -> None:
        """Show a text that is longer than the one before, or begins anew."""
        if self._shown is not None or not text:
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
        """Make room for the next text."""
        if len(self._outputs) != 1 or self._outputs[0].outputs:
            self._replace_outputs()
        self._chunked, self._shown = ChunkedText(), None

    def show(self, *bundles: dict[str, str]) -> None:
        """Show bundles in place of the growing text; empty ones are left out."""
        wanted = tuple(filter(None, bundles))
        if wanted == self._shown:
            return
        if len(self._outputs) != 1:
            self._replace_outputs()
        self._shown = wanted
        set_traits(self._outputs[0], outputs=tuple(map(display_output, wanted)))

    def _replace_outputs(self) -> None:
        """Close all outputs and start with a single empty one."""
        former, self._outputs = self._outputs, [w.Output()]
        self._set_children()
        for output in former:
            close_tree(output)

    def _set_children(self) -> None:
        set_traits(self.widget, children=tuple(self._outputs))


def _markdown(text: str) -> dict[str, str]:
    return {"text/plain": printable(text), "text/markdown": make_inert(text)}


def response_output(row: Row) -> dict[str, str]:
    """A whole response as a bundle: its object, its calls or its text; {} if it has none."""
    if row.response is not None:
        found = object_bundle(row.response) or tool_calls_bundle(row.response)
        if found is not None:
            return found
    return _markdown(truncate(row.text)) if row.text else {}
