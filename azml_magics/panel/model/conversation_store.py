"""The trees of the panel's conversations, and their counterparts in the session: the turns that a cell sends.

Branches that are not shown, and questions without an answer, are known only here.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics.conversations import Conversation, message_of
from azml_magics.core.messages import without_items

from .conversation_tree import ConversationTree
from .turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.messages import Message
    from azml_magics.session import Session


class ConversationStore:
    """A tree for each conversation that the panel has shown.

    Args:
        session: has the conversations.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trees: dict[str, ConversationTree] = {}
        self._ids = itertools.count(1)

    def __contains__(self, name: str) -> bool:
        return name in self._trees

    def names(self, shown: str) -> list[str]:
        """The conversations of the session, those that have turns only here, and the one that is shown."""
        own = [name for name, tree in self._trees.items() if tree.root.ways or name == shown]
        return list(dict.fromkeys([*self._session.conversations, *own]))

    def get(self, name: str) -> ConversationTree:
        """The turns of a conversation with all branches."""
        return self._trees.get(name, ConversationTree())

    def set(self, name: str, tree: ConversationTree) -> None:
        """Keep a tree, and store the turns that it shows in the session."""
        self._trees[name] = tree
        stored = as_conversation(answered(tree.turns))
        if stored.turns:
            self._session.conversations[name] = stored
        elif name in self._session.conversations:
            del self._session.conversations[name]

    def show(self, name: str, messages: Sequence[Message]) -> None:
        """Show a conversation as exactly these messages; what else it has stays as other branches."""
        self.take_over(name)
        self.set(name, follow_messages(self.get(name), messages, self.make_turn))

    def is_current(self, name: str) -> bool:
        """Whether the session has just the turns that are shown here."""
        stored = self._session.conversations.get(name, Conversation())
        return stored.turns == as_conversation(answered(self.get(name).turns)).turns

    def take_over(self, name: str) -> None:
        """Show what the session has under that name; what was shown before stays as another branch."""
        stored, tree = self._session.conversations.get(name, Conversation()), self.get(name)
        if self.is_current(name):
            self._trees[name] = tree  # with a question at its end that has no answer yet
            return
        tree = follow_messages(tree, stored.turns, self.make_turn)
        last = tree.turns[-1] if tree.turns else None
        if last is not None and stored.model and not last.model:
            tree = tree.with_turn(replace(last, model=stored.model, message=dict(stored.turns[-1])))
        self._trees[name] = tree

    def make_turn(self, message: Message, steps: Sequence[Message] = ()) -> Turn:
        """The turn of a message that a cell has sent or received, with its response if the history still has it."""
        response = None
        if message.get("role") == "assistant":
            known = (exchange.response for exchange in reversed(self._session.history) if not exchange.error)
            content = message.get("content")
            response = next((each for each in known if each and message_of(each)["content"] == content), None)
        return Turn(self.new_id(), dict(message), response=response, steps=tuple(steps))

    def new_id(self) -> str:
        """An id for a turn."""
        return f"turn-{next(self._ids)}"


def answered(turns: Sequence[Turn]) -> list[Turn]:
    """The turns without the questions at their end: a conversation keeps a question once it is answered."""
    turns = list(turns)
    while turns and turns[-1].role == "user":
        turns.pop()
    return turns


def as_conversation(turns: Sequence[Turn]) -> Conversation:
    """The turns as a cell keeps them: only the last one has items."""
    if not turns:
        return Conversation()
    *before, last = turns
    earlier = [message for turn in before for message in (*turn.steps, without_items(turn.message))]
    return Conversation((*earlier, *last.steps, dict(last.message)), last.model)


def _group_steps(messages: Sequence[Message]) -> list[tuple[Message, Sequence[Message]]]:
    """Return the messages of turns, each with the calls of tools, and their results, that led to it."""
    groups: list[tuple[Message, Sequence[Message]]] = []
    steps: list[Message] = []
    for message in messages:
        if message.get("role") == "tool" or message.get("tool_calls"):
            steps.append(message)
        else:
            groups.append((message, steps))
            steps = []
    return groups


def follow_messages(
    tree: ConversationTree, messages: Sequence[Message], make: Callable[[Message, Sequence[Message]], Turn]
) -> ConversationTree:
    """Return the tree that shows exactly these messages; what it has beside or beyond them stays as another branch.

    Args:
        tree: The tree.
        messages: The messages.
        make: Makes the turn of a message that the tree does not have.
    """
    after, fork = "", tree.root
    groups = _group_steps(messages)
    for position, (message, steps) in enumerate(groups):
        index = next((at for at, node in enumerate(fork.ways) if _is_same(node.turn, message, steps)), None)
        if index is None:
            return tree.add(after, *itertools.starmap(make, groups[position:]))
        node = fork.ways[index]
        tree = tree if fork.chosen == index else tree.switch(after, index + 1)
        after, fork = node.turn.id, node.after
    return tree.start_branch(after) if fork.shown else tree


def _is_same(turn: Turn, message: Message, steps: Sequence[Message]) -> bool:
    is_same = all(turn.message.get(part) == message.get(part) for part in ("role", "content"))
    return is_same and list(turn.steps) == list(steps)
