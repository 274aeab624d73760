"""The conversation: which one the prompt goes on with, its turns, and the answer that is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as w

from ..model.changes import CONVERSATION, NOTES, RESULT, STATE
from .controls import (
    StatusLine,
    action_button,
    button_row,
    let_messages_leave,
    on_change,
    set_options,
    set_traits,
    set_visible,
)
from .looks import close_tree
from .response_view import ResponseView
from .turn_editor import TurnEditor
from .turn_view import BranchSwitch, TurnView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.panel_model import PanelModel
    from ..model.turn import Turn

_SHOWN: Final = 10  # turns that are shown at first: each has about ten widgets
_AT_ONCE: Final = 5  # turns whose messages are sent without a pause
_ONE_PROMPT: Final = "one prompt"


def conversation_title(model: PanelModel) -> str:
    """The heading of the section."""
    name, count = model.conversation.name, len(model.conversation.tree.turns)
    turns = f"{count} turn{'' if count == 1 else 's'}"
    return f"Conversation: {name}, {turns}" if name else f"Conversation: {_ONE_PROMPT}"


class ConversationSection:
    """The conversation that the prompt goes on with.

    Args:
        model: the panel's model.
    """

    parts = frozenset({CONVERSATION, STATE, RESULT, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        conversation = model.conversation
        self._choice = on_change(w.Dropdown(description="Send as"), conversation.open)
        self._new = w.Text(description="Begin as", placeholder="a name, or none")
        self._new.on_msg(self._begin_on_enter)
        begin = action_button("Begin", lambda: self._begin(self._new.value), tooltip="Begin a conversation")
        begin.add_class("azml-send")
        self._clear = action_button("Clear", conversation.clear, tooltip="Delete all turns with all branches")
        self._undo = action_button("Undo", conversation.undo, tooltip="Take back the last change of the conversation")
        self._line = StatusLine("azml-status")
        self._views: dict[str, TurnView] = {}
        self._first_shown = 0  # turns before it are hidden
        self._drawn_name = ""
        self._earlier = action_button("Show earlier turns", self._show_earlier)
        self._editor = TurnEditor(model, self._redraw)
        self._growing: ResponseView | None = None
        self._end: BranchSwitch | None = None  # of a new branch, which has no turn yet
        self._turns = w.VBox(_dom_classes=("azml-turns",))
        self._spare = w.VBox(_dom_classes=("azml-hidden",))  # what is not shown now, so that it is closed with the rest
        self.widget = w.VBox(
            [
                *(button_row(self._choice), button_row(self._new, begin), self._turns),
                *(button_row(self._clear, self._undo), self._line.widget, self._spare),
            ]
        )

    def _begin_on_enter(self, _field: w.Text, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":
            self._begin(self._new.value)

    def _begin(self, name: str) -> None:
        conversation = self._model.conversation
        conversation.open(name.strip()) if name.strip() else conversation.start_new()
        set_traits(self._new, value="")

    def _show_earlier(self) -> None:
        self._first_shown = max(0, self._first_shown - _SHOWN)
        self._redraw()

    def _redraw(self) -> None:
        with self._model.changing(CONVERSATION):
            pass

    def draw(self) -> None:
        """Show the conversation."""
        conversation = self._model.conversation
        set_options(self._choice, [(_ONE_PROMPT, ""), *((name, name) for name in conversation.names)])
        set_traits(self._choice, value=conversation.name)
        self._draw_turns(conversation.tree.turns)
        set_visible(self._turns, conversation.name)
        set_traits(self._clear, disabled=not conversation.tree.root.ways)
        undo = conversation.can_undo
        set_traits(self._undo, disabled=not undo, description=f"Undo {undo.lower()}".rstrip())
        self._line.show_note(self._model.notes.get("conversation"))

    def _draw_turns(self, turns: Sequence[Turn]) -> None:
        name = self._model.conversation.name
        if name != self._drawn_name:
            self._drawn_name, self._first_shown = name, max(0, len(turns) - _SHOWN)
        self._first_shown = min(self._first_shown, max(0, len(turns) - 2))
        before = ["", *(turn.id for turn in turns)]
        shown: list[w.Widget] = []
        self._editor.draw()
        for index, turn in enumerate(turns[self._first_shown :], self._first_shown):
            view = self._view(turn)
            form = self._editor.widget if self._editor.turn_id == turn.id else None
            view.draw(index + 1, turn, before[index], form)
            shown.append(view.widget)
        last = turns[-1].id if turns else ""
        self._draw_end(last)
        rest = [*([self._end.widget] if self._end else []), *self._draw_growing(last)]
        earlier = [self._earlier] if self._first_shown else []
        placed = [*earlier, *shown, *rest]
        set_traits(self._turns, children=tuple(placed))
        self._close_views({turn.id for turn in turns[self._first_shown :]})
        growing = [self._growing.widget] if self._growing else []
        unused = [each for each in (self._earlier, *growing) if each not in placed]
        unused += [] if self._editor.turn_id else [self._editor.widget]
        set_traits(self._spare, children=tuple(unused))

    def _view(self, turn: Turn) -> TurnView:
        if turn.id not in self._views:
            if len(self._views) % _AT_ONCE == _AT_ONCE - 1:
                let_messages_leave()
            self._views[turn.id] = TurnView(self._model, turn.id, lambda: self._edit(turn.id))
        return self._views[turn.id]

    def _draw_end(self, last: str) -> None:
        """Show the switch after the last turn, if other branches go on there."""
        if self._end is None and self._model.conversation.tree.branch(last)[1] > 1:
            self._end = BranchSwitch(self._model)
        if self._end is not None:
            self._end.draw(last)

    def _edit(self, turn_id: str) -> None:
        turn = self._model.conversation.tree.find(turn_id)
        if turn is not None:
            self._editor.open(turn)

    def _draw_growing(self, last: str) -> list[w.Widget]:
        """The answer below its question while it is being written."""
        asking, result = self._model.conversation.asking, self._model.result
        is_here = asking is not None and asking.turn.id == last and result is not None and result.is_running
        if not is_here:
            if self._growing is not None:
                self._growing.draw(None)
            return []
        self._growing = self._growing or ResponseView()
        self._growing.draw(result)
        return [self._growing.widget]

    def _close_views(self, kept: set[str]) -> None:
        gone = self._views.keys() - kept
        if gone:
            let_messages_leave()
        for turn_id in gone:
            if self._editor.turn_id == turn_id:
                self._editor.turn_id = ""
            view = self._views.pop(turn_id)
            set_traits(view.widget, children=tuple(c for c in view.widget.children if c is not self._editor.widget))
            close_tree(view.widget)
