"""Several responses in columns that scroll together, each with its heading, its facts and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from .column import Column
from .controls import action_button, button_row, let_messages_leave, on_change, set_options, set_traits
from .looks import close_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.panel_model import PanelModel
    from ..model.run_result import RunResult


class ColumnsView:
    """The columns of a result, and above them what they are compared with.

    The widgets of a column are used again by the next comparison.

    Args:
        model: the panel's model.
        steps: what the button in a failed column may do, by its label.
    """

    def __init__(self, model: PanelModel, steps: Mapping[str, Callable[[], object]]) -> None:
        self._model, self._steps = model, steps
        columns = model.columns
        self._differences = w.ToggleButton(
            description="Differences",
            icon="exchange",
            tooltip="Mark what differs from one of the responses: added words are underlined, missing ones struck out",
            _dom_classes=("azml-toggles",),
        )
        on_change(self._differences, lambda shown: columns.show_differences(shown=shown))
        self._base = on_change(w.Dropdown(description="from", _dom_classes=("azml-short",)), columns.set_base)
        self._undo = action_button(
            "Undo", model.versions.undo, icon="undo", tooltip="Bring back what was in the controls before"
        )
        self._columns: list[Column] = []
        self._scrolled = w.HBox(_dom_classes=("azml-compared",))
        self.widget = w.VBox([button_row(self._differences, self._base, self._undo), self._scrolled])

    def draw(self, result: RunResult) -> None:
        """Show the responses as far as they have arrived."""
        columns = self._model.columns
        labels = columns.labels
        while len(self._columns) < len(labels):
            self._columns.append(Column(self._model, len(self._columns), self._steps))
            let_messages_leave()
        shown = self._columns[: len(labels)]
        for column, row in zip(shown, result.batch, strict=True):
            column.draw(row, result)
        set_options(self._base, [(label, index) for index, label in enumerate(labels)])
        set_traits(self._base, value=columns.chosen_base)
        set_traits(self._differences, value=columns.base is not None)
        set_traits(self._undo, disabled=not self._model.versions.can_undo)
        set_traits(self._scrolled, children=tuple(column.widget for column in shown))

    def clear(self) -> None:
        """Close the columns: a single response is shown now."""
        set_traits(self._scrolled, children=())
        for column in self._columns:
            close_tree(column.widget)
            let_messages_leave()
        self._columns.clear()
