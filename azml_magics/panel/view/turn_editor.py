"""The form that edits one turn of a conversation; it stands in place of the turn's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from .controls import action_button, button_row, set_traits

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.panel_model import PanelModel
    from ..model.turn import Turn


class TurnEditor:
    """The form for one turn at a time.

    Args:
        model: the panel's model.
        redraw: draws the conversation after the form was opened or closed.

    Attributes:
        turn_id: the turn that is edited; "" while none is.
    """

    def __init__(self, model: PanelModel, redraw: Callable[[], None]) -> None:
        self._model, self._redraw = model, redraw
        self.turn_id = ""
        self._text = w.Textarea(description="Text of the turn", rows=4)
        save = action_button("Save", self._save, tooltip="Keep this text; the turns after it stay")
        again = action_button(
            "Save and retry", self._save_and_retry, tooltip="Keep this text and ask again (Ctrl+Enter)"
        )
        cancel = action_button("Cancel", self.close, tooltip="Keep the former text (Esc)")
        self._again = again
        for button in (save, again):
            button.add_class("azml-send")
        again.add_class("azml-run-form")
        cancel.add_class("azml-cancel")
        self.widget = w.VBox([self._text, button_row(save, again, cancel)], _dom_classes=("azml-form", "azml-edit"))

    def open(self, turn: Turn) -> None:
        """Show the form with the text of a turn."""
        self.turn_id = turn.id
        set_traits(self._text, value=turn.text)
        self._redraw()
        self._text.focus()

    def close(self) -> None:
        """Hide the form."""
        self.turn_id = ""
        self._redraw()

    def draw(self) -> None:
        """Show what can be done now."""
        set_traits(self._again, disabled=bool(self._model.running))

    def _save(self) -> str:
        edited = self.turn_id
        self.turn_id = ""
        self._model.conversation.edit(edited, self._text.value)
        self._redraw()
        return edited

    def _save_and_retry(self) -> None:
        self._model.runs.retry(self._save())
