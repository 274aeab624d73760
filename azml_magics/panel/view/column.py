"""One of several responses: its heading, the text, and below it what is known about it and can be done with it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

import ipywidgets as w

from azml_magics.core.text import printable
from azml_magics.display.batch_html import mark_words
from azml_magics.display.facts import response_facts
from azml_magics.display.table import NO_MATH

from ..model.changes import COLUMNS, PanelNote
from ..model.error_messages import describe_error
from .controls import StatusLine, action_button, button_row, on_change, set_traits
from .growing_output import GrowingOutput, response_output
from .mime_output import truncate
from .next_step import REPAIR, TRUST, NextStep
from .reasoning import thoughts_html

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.compare.comparison import Row

    from ..model.panel_model import PanelModel
    from ..model.run_result import RunResult

_THOUGHTS_STEP: Final = 400  # characters by which thoughts must grow before they are sent again
_SIGNS: Final = {"ins": "{{+{}+}}", "del": "[-{}-]", "": "{}"}  # as git writes the words of a difference


class Column:
    """One response among several.

    Args:
        model: the panel's model.
        index: which one of the responses it shows.
        steps: what the button below a failure may do, by its label.
    """

    def __init__(self, model: PanelModel, index: int, steps: Mapping[str, Callable[[], object]]) -> None:
        self._model, self._index = model, index
        columns = model.columns
        self._head = w.ToggleButton(
            tooltip="Select: the other tabs are about this response", _dom_classes=("azml-toggles", "azml-column-head")
        )
        on_change(self._head, lambda _: self._select())
        self._text = GrowingOutput()
        self._thoughts = 0  # characters of the growing thoughts that are shown
        self._waiting, self._facts = StatusLine(), StatusLine("azml-facts")
        self._error = StatusLine()
        at_config = {label: self._at_config(step) for label, step in steps.items() if label != TRUST}
        self._next = NextStep(model, {**at_config, REPAIR: lambda: model.runs.repair(index)})
        self._use = action_button(
            "Use this", lambda: columns.use(index), tooltip="Put the settings of this response into the controls"
        )
        self._ratings = {rating: self._rating_button(rating) for rating in ("good", "bad")}
        buttons = button_row(self._use, *self._ratings.values())
        lines = [line.widget for line in (self._waiting, self._error, self._facts)]
        foot = w.VBox([*lines, self._next.widget, buttons], _dom_classes=("azml-column-foot",))
        self.widget = w.VBox([self._head, self._text.widget, foot], _dom_classes=("azml-column",))

    def _rating_button(self, rating: str) -> w.ToggleButton:
        button = w.ToggleButton(
            icon="thumbs-up" if rating == "good" else "thumbs-down",
            tooltip=f"Rate this response {rating}",
            _dom_classes=("azml-toggles", "azml-icon"),
        )
        rate = self._model.columns.rate
        return on_change(button, lambda is_on: rate(self._index, rating if is_on else ""))

    def _select(self) -> None:
        """Select this column, which stays pressed when it is clicked again."""
        self._model.columns.select(self._index)
        with self._model.changing(COLUMNS):
            pass

    def _at_config(self, step: Callable[[], object]) -> Callable[[], None]:
        """The step for this column's config: it is chosen first."""

        def take() -> None:
            result = self._model.result
            name = result.requests[self._index].config.name if result else ""
            if name in self._model.names:
                self._model.choose(name)
            step()

        return take

    def draw(self, row: Row, result: RunResult) -> None:
        """Show the response as far as it has arrived."""
        is_selected = self._model.columns.selected == self._index
        set_traits(self._head, description=row.label, value=is_selected)
        if is_growing(row, result):
            self._draw_growing(row)
        else:
            self._draw_whole(row, result)
        error = "" if row.error is None else describe_error(row.error)
        self._error.show(error, "bad")
        note = PanelNote(error, "bad", getattr(row.error, "error_code", "")) if row.error else None
        self._next.draw(note, can_repair=result.mismatch(self._index) is not None)
        self._waiting.show(row.waiting)
        facts = (
            response_facts(row.response, times=True, always_finish=True, price=row.config.price) if row.response else []
        )
        notices = [printable(notice) for notice in row.response.notices] if row.response else []
        self._facts.show("" if is_growing(row, result) else " · ".join([*facts, *notices]))
        rating = self._model.columns.rating(self._index)
        for name, button in self._ratings.items():
            set_traits(button, value=rating == name, disabled=not self._model.columns.id_of(self._index))
        set_traits(self._use, disabled=bool(self._model.running))

    def _draw_growing(self, row: Row) -> None:
        response = row.response
        if response is None or response.text or not response.reasoning.strip():
            self._text.grow(row.text)
            self._thoughts = 0
        elif not self._thoughts or len(response.reasoning) >= self._thoughts + _THOUGHTS_STEP:
            self._thoughts = len(response.reasoning)
            self._text.show({"text/plain": "", "text/markdown": thoughts_html(response, is_running=True)})

    def _draw_whole(self, row: Row, result: RunResult) -> None:
        self._thoughts = 0
        base = self._model.columns.base
        is_compared = base is not None and base != self._index and not result.is_running
        thoughts = thoughts_html(row.response)
        above = {"text/plain": "", "text/markdown": thoughts} if thoughts else {}
        if base is not None and is_compared and row.text and result.batch[base].text:
            self._text.show(above, words_bundle(result.batch[base].text, row.text))
        else:
            self._text.show(above, response_output(row))


def is_growing(row: Row, result: RunResult) -> bool:
    """Whether more of the response may arrive."""
    return result.is_running and row.error is None and (row.response is None or not row.response.finish_reason)


def words_bundle(base: str, text: str) -> dict[str, str]:
    """A text with its words that a base lacks, and those that only the base has, marked by more than a colour."""
    pieces = mark_words(printable(truncate(base)), printable(truncate(text)))
    marked = (f"<{tag}>{html.escape(piece)}</{tag}>" if tag else html.escape(piece) for piece, tag in pieces)
    plain = (_SIGNS[tag].format(piece) for piece, tag in pieces)
    return {"text/plain": "".join(plain), "text/html": f'<div class="azml-words {NO_MATH}">{"".join(marked)}</div>'}
