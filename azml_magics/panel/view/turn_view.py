"""One turn of a conversation: who wrote it, its text, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.compare.comparison import Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.text import printable
from azml_magics.display.facts import response_facts
from azml_magics.display.markdown import make_inert

from .controls import StatusLine, action_button, button_row, set_traits, set_visible
from .growing_output import response_output
from .mime_output import display_output, truncate
from .reasoning import thoughts_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.core.response import Response

    from ..model.panel_model import PanelModel
    from ..model.turn import Turn

_SPEAKERS = {"user": "You", "assistant": "Answer"}


class BranchSwitch:
    """Which of several branches is shown, such as "2 of 3", and the ways to the others; hidden while there is one."""

    def __init__(self, model: PanelModel) -> None:
        self._model, self._after = model, ""
        self._line = StatusLine("azml-branch")
        self._back = action_button("", lambda: self._step(-1), icon="chevron-left", tooltip="Show the branch before")
        self._on = action_button("", lambda: self._step(1), icon="chevron-right", tooltip="Show the next branch")
        self.widget = w.HBox([self._back, self._line.widget, self._on], _dom_classes=("azml-switch",))

    def _step(self, by: int) -> None:
        conversation = self._model.conversation
        conversation.switch(self._after, conversation.tree.branch(self._after)[0] + by)

    def draw(self, after: str) -> None:
        """Show the number of the branch after a turn; "" is before the first one."""
        self._after = after
        number, count = self._model.conversation.tree.branch(after)
        set_visible(self.widget, count > 1)
        self._line.show(f"{number} of {count}")
        set_traits(self._back, disabled=number <= 1)
        set_traits(self._on, disabled=number >= count)


class TurnView:
    """A turn.

    Args:
        model: the panel's model.
        turn_id: the turn.
        edit: opens the form that edits it.
    """

    def __init__(self, model: PanelModel, turn_id: str, edit: Callable[[], None]) -> None:
        conversation = model.conversation
        self._speaker = StatusLine("azml-speaker")
        edit_button = action_button("Edit", edit, tooltip="Change its text; the turns after it stay")
        self._retry = action_button("Retry", lambda: model.runs.retry(turn_id), tooltip="Ask again from here")
        self._retry.add_class("azml-send")
        branch = action_button(
            "Branch", lambda: conversation.branch(turn_id), tooltip="Go on from here another way, and keep both"
        )
        delete = action_button("Delete", lambda: conversation.delete(turn_id), tooltip="Delete this turn alone")
        self._model = model
        self._switch: BranchSwitch | None = None
        self._actions = button_row(edit_button, self._retry, branch, delete)
        self._head = w.HBox([self._speaker.widget, self._actions], _dom_classes=("azml-turn-head",))
        self._text, self._failure = StatusLine("azml-turn-text"), StatusLine()
        self._output: w.Output | None = None
        self.widget = w.VBox(_dom_classes=("azml-turn",))

    def draw(self, number: int, turn: Turn, after: str, form: w.Widget | None) -> None:
        """Show the turn.

        Args:
            number: its number in the conversation.
            turn: the turn.
            after: the turn before it; "" for the first one.
            form: the form in place of its text while it is edited.
        """
        self._speaker.show(f"{number} · {' · '.join([_SPEAKERS.get(turn.role, turn.role), *_facts(turn)])}")
        self._draw_switch(after)
        set_traits(self._retry, disabled=bool(self._model.running))
        is_answer = turn.role != "user"
        self._text.show("" if is_answer or form is not None else printable(truncate(turn.preview)))
        self._failure.show(turn.failure, "bad")
        outputs = _outputs(turn.text if is_answer else "", turn.response)
        if outputs and self._output is None:
            self._output = w.Output(_dom_classes=("azml-turn-answer",))
        if self._output is not None:
            set_traits(self._output, outputs=outputs)
            set_visible(self._output, form is None)
        parts = (self._head, self._text.widget, self._output, form, self._failure.widget)
        set_traits(self.widget, children=tuple(part for part in parts if part is not None))

    def _draw_switch(self, after: str) -> None:
        if self._switch is None and self._model.conversation.tree.branch(after)[1] > 1:
            self._switch = BranchSwitch(self._model)
            set_traits(self._head, children=(self._speaker.widget, self._switch.widget, self._actions))
        if self._switch is not None:
            self._switch.draw(after)


def _facts(turn: Turn) -> list[str]:
    facts = response_facts(turn.response, times=True) if turn.response is not None and turn.role != "user" else []
    return [*facts, *(["edited"] if turn.is_edited else [])]


def _outputs(text: str, response: Response | None) -> tuple[dict[str, Any], ...]:
    """The thoughts and the text of an answer; of a question that failed, what had arrived of one."""
    thoughts = thoughts_html(response)
    above = {"text/plain": "", "text/markdown": thoughts} if thoughts else {}
    shown = truncate(text)
    bundle = {"text/plain": printable(shown), "text/markdown": make_inert(shown)} if shown else {}
    if response is not None:  # an object of a schema as a table, and calls as such
        bundle = response_output(Row({}, LLMConfig(), response)) or bundle
    return tuple(display_output(each) for each in (above, bundle) if each)
