"""The Response tab: one response, or several in columns."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import ipywidgets as w

from .columns_view import ColumnsView
from .controls import set_traits, set_visible
from .response_view import ResponseView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.panel_model import PanelModel


class ResultView:
    """Draws the panel's result.

    Args:
        model: the panel's model.
        steps: what the button in a failed column may do, by its label.
    """

    def __init__(self, model: PanelModel, steps: Mapping[str, Callable[[], object]] = MappingProxyType({})) -> None:
        self._model, self._steps = model, steps
        self._single = ResponseView()
        self._columns: ColumnsView | None = None  # built for the first comparison
        self.widget = w.VBox([self._single.widget])

    def draw(self) -> None:
        """Show the result as far as it has arrived."""
        result = self._model.result
        several = result if result is not None and len(result.requests) > 1 else None
        self._single.draw(None if several else result)
        set_visible(self._single.widget, several is None)
        if several is not None:
            self._columns = self._columns or ColumnsView(self._model, self._steps)
            self._columns.draw(several)
            set_traits(self.widget, children=(self._single.widget, self._columns.widget))
        elif self._columns is not None:
            self._columns.clear()
        if self._columns is not None:
            set_visible(self._columns.widget, several is not None)
