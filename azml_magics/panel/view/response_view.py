"""One response while it streams and when it is complete, with its thoughts above and its facts below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.mime import choices_batch, facts_html

from .controls import set_traits
from .growing_output import GrowingOutput, response_output
from .mime_output import display_output, truncate
from .reasoning import thoughts_html

if TYPE_CHECKING:
    from azml_magics.core.pricing import PriceSource
    from azml_magics.core.response import Response

    from ..model.run_result import RunResult


class ResponseView:
    """Draws the result of one request. A long response is sent in chunks, each of them once."""

    def __init__(self) -> None:
        self._text = GrowingOutput()
        self._reasoning, self._facts = w.Output(), w.Output()  # above and below the response
        scrolled = w.VBox([self._reasoning, self._text.widget], _dom_classes=("azml-response",))
        self.widget = w.VBox([scrolled, self._facts])  # the facts stay in sight below a long response

    def draw(self, result: RunResult | None) -> None:
        """Show the result as far as it has arrived."""
        response = result.row.response if result is not None else None
        is_running = result is not None and result.is_running
        price = result.row.config.price if result is not None else None
        self._draw_surroundings(response, is_running=is_running, price=price)
        if result is None:
            self._text.show({})
        elif is_running:
            self._text.grow(result.row.text)
        elif response is not None and len(response.choices) > 1:
            batch = choices_batch(response)
            self._text.show({"text/plain": truncate(batch.to_text()), "text/html": batch_to_html(batch)})
        else:
            self._text.show(response_output(result.row))

    def _draw_surroundings(self, response: Response | None, *, is_running: bool, price: PriceSource) -> None:
        """Show the thoughts above the response, and once it is whole the facts below it."""
        above = below = ""
        if response is not None:
            above = "" if response.choices else thoughts_html(response, is_running=is_running)  # the table has them
            below = "" if is_running else facts_html(response, always=True, times=True, price=price)
        for output, text in ((self._reasoning, above), (self._facts, below)):
            bundle = {"text/plain": "", "text/markdown": text}
            set_traits(output, outputs=(display_output(bundle),) if text else ())
