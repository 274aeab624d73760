"""Rows of iterators that were looked at, or read by a run that ended before it had them: none is lost.

A dry run, a refused prompt or the names of the columns need the first rows of an iterator, which cannot be put back
into it. They are kept here until the iterator is read, and so are rows that a run has read and not handed out.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_ITERATORS = 16  # that were looked at and never read; each keeps the iterator alive


class _Seen(NamedTuple):
    """An iterator and its rows that were looked at; the rest of it is `left`, empty once it has ended."""

    rows: Iterator[Any]
    first: deque[Any]
    left: list[Iterator[Any]]


class Lookahead:
    """The rows that were looked at, by iterator."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, _Seen] = OrderedDict()

    def peek(self, rows: Iterator[Any], count: int) -> list[Any]:
        """Return the next rows of an iterator, at most `count`, and leave them to `take`."""
        seen = self._seen.setdefault(id(rows), _Seen(rows, deque(), [rows]))
        self._seen.move_to_end(id(rows))
        while len(self._seen) > _MOST_ITERATORS:
            self._seen.popitem(last=False)
        while len(seen.first) < count and seen.left:
            _move_one(seen)
        return list(itertools.islice(seen.first, count))

    def take(self, rows: Iterator[Any]) -> Iterator[Any]:
        """Yield the rows of an iterator, those that were looked at first."""
        seen = self._seen.get(id(rows), _Seen(rows, deque(), [rows]))
        while seen.first:
            yield seen.first.popleft()
        self._seen.pop(id(rows), None)
        for left in seen.left:
            yield from left

    def give_back(self, rows: Iterator[Any], taken: Iterable[Any]) -> None:
        """Put rows that were taken back in front of the others, in their order."""
        seen = self._seen.setdefault(id(rows), _Seen(rows, deque(), [rows]))
        seen.first.extendleft(reversed(list(taken)))


def _move_one(seen: _Seen) -> None:
    """Look at one more row. An iterator that has ended is not asked again: a closed cursor would raise."""
    try:
        seen.first.append(next(seen.rows))
    except StopIteration:
        seen.left.clear()


lookahead = Lookahead()
"""Of this process, as iterators are: the same one may come back in another call."""
