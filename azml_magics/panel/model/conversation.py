"""The panel's conversations: their turns with edit, delete, branch and undo, and what of them a prompt is sent with.

They are the session's conversations: the turns that are shown here are those that a cell sends, and the other way
round.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from azml_magics.conversations import message_of, model_of
from azml_magics.core.errors import ConfigError, UsageError
from azml_magics.core.messages import as_messages, without_items

from .asking import Asking
from .changes import CONVERSATION, PROMPT, STATE
from .conversation_store import ConversationStore, answered, as_conversation
from .conversation_tree import ConversationTree
from .turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response
    from azml_magics.session import Session

    from .changes import ChangeNotifier

PLACE: Final = "conversation"  # of its status line
_NEW_NAME: Final = "chat"


class _Undo(NamedTuple):
    """What an action replaced; it can be undone while the conversation is still what the action made of it."""

    action: str
    before: ConversationTree
    after: ConversationTree


class PanelConversation:
    """One prompt, or the conversation that the prompt goes on with.

    Args:
        session: has the conversations.
        panel: is told what changes, and shows what prevents an action.

    Attributes:
        name: the conversation; "" for one prompt.
        asking: the question that is being answered; None if there is none.
    """

    def __init__(self, session: Session, panel: ChangeNotifier) -> None:
        self._panel = panel
        self._store = ConversationStore(session)
        self._undo: _Undo | None = None
        self.name = ""
        self.asking: Asking | None = None

    # ---- which one

    @property
    def names(self) -> list[str]:
        """The conversations of the session, and those that have turns only here."""
        return self._store.names(self.name)

    @property
    def tree(self) -> ConversationTree:
        """The turns of the conversation with all branches; an empty tree for one prompt."""
        return self._store.get(self.name)

    def open(self, name: str) -> None:
        """Go on with a conversation of the session, or begin one of that name; "" goes back to one prompt."""
        with self._panel.changing(CONVERSATION, PROMPT, place=PLACE):
            self._check_name(name)
            self.name = name
            self._panel.note(PLACE)
            if name:
                self._store.take_over(name)

    def start_new(self) -> None:
        """Begin a conversation under a name that is free."""
        numbered = (f"{_NEW_NAME}-{number}" for number in itertools.count(1))
        self.open(next(name for name in numbered if name not in self.names))

    @staticmethod
    def _check_name(name: str) -> None:
        if name and (name[0] in "-$" or not name.isprintable() or name != name.strip()):
            raise UsageError(
                f"{name!r} cannot name a conversation", remedy="Use letters, digits, dots, - and _, such as trip."
            )

    # ---- what a prompt is sent with

    def with_prompt(self, messages: Sequence[Message], config: LLMConfig) -> list[Message]:
        """Return the messages of a prompt after the turns that are shown, as a cell of the conversation sends them."""
        return as_conversation(self._answered_turns()).with_prompt(messages, config) if self.name else list(messages)

    def new_question(self, messages: Sequence[Message]) -> Asking | None:
        """Return the question that a prompt asks after the turns that are shown; None for one prompt."""
        if not self.name:
            return None
        *prefix, last = messages
        return Asking(self.name, Turn(self._store.new_id(), last), self._answered_turns(), prefix)

    def question_at(self, turn_id: str) -> Asking:
        """Return the question that Retry asks at a turn: the turn itself, or the one that it answers.

        Raises:
            ConfigError: There is no question.
        """
        way = self.tree.way_to(turn_id)
        while way and way[-1].role != "user":
            way.pop()
        if not way:
            raise ConfigError("There is no question before this turn", remedy="Type one as the prompt.")
        *before, question = way
        return Asking(self.name, replace(question, failure="", response=None), before)

    def messages_for(self, asking: Asking, system: str | None, config: LLMConfig) -> list[Message]:
        """Return the messages that ask a question."""
        own = as_messages([*asking.prefix, asking.turn.message], system)
        return as_conversation(asking.before).with_prompt(own, config)

    def begin(self, asking: Asking) -> None:
        """Show that a question was sent. Its earlier answers, and a question that got none, become other branches."""
        with self._panel.changing(CONVERSATION):
            self.asking, tree, turn = asking, self.tree, asking.turn
            if tree.find(turn.id):
                tree = tree.with_turn(turn).show(turn.id).start_branch(turn.id)
            else:
                others = [self._store.make_turn(each) for each in asking.prefix if each.get("role") != "system"]
                tree = tree.add(asking.before[-1].id if asking.before else "", *others, turn)
            self._store.set(self.name, tree)
            self._panel.note(PLACE)

    def resume(self, asking: Asking) -> None:
        """Show that a question was sent again, if it is still in the conversation that is shown."""
        if asking.conversation == self.name and self.tree.find(asking.turn.id):
            self.begin(asking)

    def answer(self, asking: Asking, response: Response | None, failure: str, config: LLMConfig) -> None:
        """Add what came of a question. The answer belongs to the turn that asked, whatever was changed meanwhile.

        Args:
            asking: The question.
            response: The response; what had arrived of it if it failed.
            failure: Why it failed, in one line; "" if it did not.
            config: What answered.
        """
        with self._panel.changing(CONVERSATION, STATE):
            self.asking = None if self.asking is asking else self.asking
            tree = self._store.get(asking.conversation)
            found = tree.find(asking.turn.id)
            if found is None:
                self._panel.note(PLACE, "Its question was deleted meanwhile: the answer is under Versions.")
                return
            note, question = "", found
            if found.message != asking.turn.message:  # it was edited: its answer goes to the question as it was sent
                question = replace(asking.turn, id=self._store.new_id())
                before = tree.way_to(found.id)[:-1]
                tree = tree.add(before[-1].id if before else "", question, show=False)
                note = "The question was edited meanwhile: the answer is in another branch, below the question as sent."
            elif not asking.is_preceded_as_sent(tree.way_to(found.id)):
                note = "Earlier turns were changed while this answer was written: it is an answer to what they were."
            if failure or response is None:
                tree = tree.with_turn(replace(question, failure=failure, response=response))
            else:
                steps = tuple(without_items(step) for step in response.steps)
                made = Turn(self._store.new_id(), message_of(response), model_of(config), response, steps=steps)
                tree = tree.add(question.id, made, show=tree.is_at_end(question.id))
                is_shown = made.id in [turn.id for turn in tree.turns]
                note = note or ("" if is_shown else "The answer is in another branch.")
            if asking.conversation != self.name:
                note = f"The answer is in the conversation {asking.conversation}."
            self._store.set(asking.conversation, tree)
            self._panel.note(PLACE, note)

    # ---- turns

    def edit(self, turn_id: str, text: str) -> None:
        """Give a turn another text; the turns after it stay as they are."""
        turn = self.tree.find(turn_id)
        if turn is not None and turn.text != text:
            self._act("Edit", self.tree.with_turn(turn.with_text(text)))

    def delete(self, turn_id: str) -> None:
        """Delete a turn; what follows it stays."""
        if self.tree.find(turn_id):
            self._act("Delete", self.tree.delete(turn_id))

    def branch(self, turn_id: str) -> None:
        """Go on from a turn in another way; what follows it now stays as another branch."""
        if self.tree.find(turn_id):
            self._act("Branch", self.tree.start_branch(turn_id))

    def switch(self, after: str, number: int) -> None:
        """Show another one of the ways after a turn; "" is before the first turn."""
        with self._panel.changing(CONVERSATION):
            self._store.set(self.name, self.tree.switch(after, number))

    def clear(self) -> None:
        """Delete all turns with all branches."""
        self._act("Clear", ConversationTree())

    @property
    def can_undo(self) -> str:
        """What `undo` would undo, such as "Delete"; "" if nothing."""
        return self._undo.action if self._undo is not None and self._undo.after is self.tree else ""

    def undo(self) -> None:
        """Undo the last edit, deletion, branch or clearing."""
        if self._undo is not None and self.can_undo:
            with self._panel.changing(CONVERSATION):
                self._store.set(self.name, self._undo.before)
                self._panel.note(PLACE)

    def _act(self, action: str, tree: ConversationTree) -> None:
        with self._panel.changing(CONVERSATION):
            self._undo = _Undo(action, self.tree, tree)
            self._store.set(self.name, tree)
            self._panel.note(PLACE)

    # ---- the session

    def show_messages(self, name: str, messages: Sequence[Message]) -> None:
        """Show the conversation `name` as exactly these messages; what else it has stays as other branches."""
        with self._panel.changing(CONVERSATION, PROMPT):
            self.name = name or self.name or f"{_NEW_NAME}-1"
            self._store.show(self.name, messages)

    def go_back(self, name: str, tree: ConversationTree) -> None:
        """Show the conversation `name`, or one prompt, as it was before."""
        with self._panel.changing(CONVERSATION, PROMPT):
            self.name = name
            if name:
                self._store.set(self.name, tree)

    def follow(self, name: str) -> None:
        """Take over what a cell has made of a conversation."""
        if name not in self._store:
            with self._panel.changing(CONVERSATION):  # its name can be chosen
                return
        if not self._store.is_current(name):
            with self._panel.changing(CONVERSATION):
                self._store.take_over(name)
                if name == self.name and not self.tree.turns:
                    self._panel.note(PLACE, f"{name} was cleared in the notebook: its turns are still in a branch.")

    def _answered_turns(self) -> list[Turn]:
        return answered(self.tree.turns)
