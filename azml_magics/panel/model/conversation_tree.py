"""A conversation with its branches: a tree of turns, of which one way from the first turn to a last one is shown.

Trees do not change: every method returns a new one, so that an answer, an edit and an undo cannot damage each other.
They are walked without recursion: a conversation may have more turns than Python has stack frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .turn import Turn


@dataclass(frozen=True, eq=False)
class Fork:
    """The ways on from one place. `chosen` is the index of the one that is shown, or their number for a new one."""

    ways: tuple[Node, ...] = ()
    chosen: int = 0

    @property
    def shown(self) -> Node | None:
        """The turn that is shown; None at the end of a conversation, and on a new way."""
        return self.ways[self.chosen] if self.chosen < len(self.ways) else None

    def with_ways(self, at: int, *ways: Node) -> Fork:
        """Return the fork with other ways in place of one of them; the same one stays chosen as far as it can."""
        chosen = self.chosen + (len(ways) - 1 if self.chosen > at else 0)
        return Fork((*self.ways[:at], *ways, *self.ways[at + 1 :]), chosen)


@dataclass(frozen=True, eq=False)
class Node:
    """A turn, and the ways on from it."""

    turn: Turn
    after: Fork = field(default_factory=Fork)


class _Place(NamedTuple):
    """A place in a tree: the one before it, and the index of the way from there."""

    before: _Place | None
    way: int

    def trail(self) -> list[int]:
        """The indexes from the root on."""
        indexes: list[int] = []
        place: _Place | None = self
        while place is not None:
            indexes.append(place.way)
            place = place.before
        return indexes[::-1]


@dataclass(frozen=True, eq=False)
class ConversationTree:
    """All turns of a conversation.

    Attributes:
        root: The ways to begin.
    """

    root: Fork = field(default_factory=Fork)

    # ---- what is shown

    @property
    def turns(self) -> list[Turn]:
        """The turns that are shown, from the first one on."""
        return [node.turn for node in self._shown_nodes()]

    def _shown_nodes(self) -> Iterator[Node]:
        node = self.root.shown
        while node is not None:
            yield node
            node = node.after.shown

    def branch(self, after: str) -> tuple[int, int]:
        """(which of the ways after a turn is shown, counted from 1; how many there are).

        Args:
            after: The turn's id; "" for the beginning.
        """
        fork = self._fork(self._trail_to(after))
        return fork.chosen + 1, max(len(fork.ways), fork.chosen + 1)

    def find(self, turn_id: str) -> Turn | None:
        """Return a turn, also one of a branch that is not shown; None if there is no such turn."""
        trail = self._trail(turn_id)
        return self._node(trail).turn if trail else None

    def way_to(self, turn_id: str) -> list[Turn]:
        """The turns from the first one to this one, in its branch; [] if there is no such turn."""
        nodes, fork = [], self.root
        for index in self._trail(turn_id) or ():
            nodes.append(fork.ways[index])
            fork = nodes[-1].after
        return [node.turn for node in nodes]

    def is_at_end(self, turn_id: str) -> bool:
        """Whether nothing is shown after a turn."""
        return self._fork(self._trail_to(turn_id)).shown is None

    # ---- changes

    def with_turn(self, turn: Turn) -> ConversationTree:
        """Return the tree with this turn in place of the one with its id."""
        *place, index = self._trail_to(turn.id)
        fork = self._fork(place)
        return self._with_fork(place, fork.with_ways(index, replace(fork.ways[index], turn=turn)))

    def add(self, after: str, *turns: Turn, show: bool = True) -> ConversationTree:
        """Return the tree with a new way after a turn: these turns, one after the other.

        Args:
            after: The turn's id; "" for a new beginning.
            *turns: The turns.
            show: Whether the new way becomes the one that is shown there.
        """
        place = self._trail_to(after)
        fork, way = self._fork(place), _chain(turns)
        return self._with_fork(place, Fork((*fork.ways, *way), len(fork.ways) if show else fork.chosen))

    def delete(self, turn_id: str) -> ConversationTree:
        """Return the tree without a turn; what follows it takes its place."""
        *place, index = self._trail_to(turn_id)
        fork = self._fork(place)
        after = fork.ways[index].after
        shorter = fork.with_ways(index, *after.ways)
        if fork.chosen == index:
            shorter = Fork(shorter.ways, index + min(after.chosen, max(0, len(after.ways) - 1)))
        last = max(0, len(shorter.ways) - 1)
        return self._with_fork(place, Fork(shorter.ways, min(shorter.chosen, last)))

    def start_branch(self, after: str) -> ConversationTree:
        """Return the tree with a new, empty way after a turn, which is shown; the other ways are kept."""
        place = self._trail_to(after)
        ways = self._fork(place).ways
        return self._with_fork(place, Fork(ways, len(ways)))

    def switch(self, after: str, number: int) -> ConversationTree:
        """Return the tree that shows another way after a turn, counted from 1."""
        place = self._trail_to(after)
        ways = self._fork(place).ways
        return self._with_fork(place, Fork(ways, min(max(number - 1, 0), max(0, len(ways) - 1))))

    def show(self, turn_id: str) -> ConversationTree:
        """Return the tree that shows the way to a turn."""
        tree, place = self, list[int]()
        for index in self._trail_to(turn_id):
            tree = tree._with_fork(place, Fork(tree._fork(place).ways, index))
            place = [*place, index]
        return tree

    # ---- places: the index of the way at each fork

    def _trail(self, turn_id: str) -> list[int] | None:
        """The way to a turn; None if there is no such turn."""
        left: list[tuple[_Place | None, Fork]] = [(None, self.root)]
        while left:
            before, fork = left.pop()
            for index, node in enumerate(fork.ways):
                place = _Place(before, index)
                if node.turn.id == turn_id:
                    return place.trail()
                left.append((place, node.after))
        return None

    def _trail_to(self, turn_id: str) -> list[int]:
        """The way to a turn; [] for "".

        Raises:
            KeyError: There is no such turn.
        """
        trail = self._trail(turn_id) if turn_id else []
        if trail is None:
            raise KeyError(turn_id)
        return trail

    def _node(self, trail: Sequence[int]) -> Node:
        *place, index = trail
        return self._fork(place).ways[index]

    def _fork(self, place: Sequence[int]) -> Fork:
        fork = self.root
        for index in place:
            fork = fork.ways[index].after
        return fork

    def _with_fork(self, place: Sequence[int], fork: Fork) -> ConversationTree:
        forks = [self.root]
        for index in place:
            forks.append(forks[-1].ways[index].after)
        for index, outer in zip(reversed(place), reversed(forks[:-1]), strict=True):
            fork = outer.with_ways(index, replace(outer.ways[index], after=fork))
        return ConversationTree(fork)


def _chain(turns: Sequence[Turn]) -> tuple[Node, ...]:
    """The turns one after the other as the first of them; () for none."""
    after = Fork()
    for turn in reversed(turns):
        after = Fork((Node(turn, after),))
    return after.ways
