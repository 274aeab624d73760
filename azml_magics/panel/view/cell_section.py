"""The cell that does the same as Run, to copy or insert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import CONFIG, DRAFT, NOTES, OPTIONS, PROMPT
from .controls import StatusLine, cell_buttons, set_traits

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.panel_model import PanelModel


class CellSection:
    """The panel's state as a cell.

    Args:
        model: the panel's model.
        send_out: takes ("copy" or "insert", text) and does that in the browser.
    """

    parts = frozenset({CONFIG, DRAFT, PROMPT, OPTIONS, NOTES})

    def __init__(self, model: PanelModel, send_out: Callable[[str, str], None]) -> None:
        self._model = model
        self._text = w.Textarea(description="As a cell", disabled=True, rows=3)
        self._note, self._line = StatusLine(), StatusLine()
        buttons = cell_buttons(self._text, send_out)
        self.widget = w.VBox([self._text, self._note.widget, self._line.widget, buttons])

    def draw(self) -> None:
        """Show the cell for what is in the controls now."""
        cell = self._model.build_cell()
        if cell.text != self._text.value:
            self._model.notes.pop("cell", None)
        self._line.show_note(self._model.notes.get("cell"))
        set_traits(self._text, value=cell.text)
        self._note.show(cell.note)
