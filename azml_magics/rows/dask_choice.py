"""Which rows of a dask DataFrame are asked, where only some are wanted: its partitions, cut on the workers.

A partition keeps its number, so that a run over all rows finds what a part of them was answered in the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .sources import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence


class Chosen(NamedTuple):
    """The partitions, on the workers, from the first one on; and how many rows they have, None where all are taken."""

    parts: list[Any]
    total: int | None


def chosen(client: Any, partitions: Sequence[Any], limit: int | None, sample: int | None) -> Chosen:
    """The first `limit` rows, in the partitions' order; or `sample` of all; or all of them."""
    if limit is not None:
        return _first(client, partitions, limit)
    if sample is not None:
        return _drawn(client, partitions, sample)
    return Chosen(client.compute(list(partitions)), None)


def _first(client: Any, partitions: Sequence[Any], limit: int) -> Chosen:
    """Ever more partitions are made at a time, until they have the rows: the others are never read."""
    parts: list[Any] = []
    left, begin, end = limit, 0, 1
    while left and begin < len(partitions):
        made = client.compute(list(partitions[begin:end]))
        for part, length in zip(made, _lengths(client, made), strict=True):
            if left:
                taken = min(left, length)
                parts.append(part if taken == length else client.submit(_taken, part, range(taken), pure=False))
                left -= taken
        begin, end = end, 3 * end
    return Chosen(parts, limit - left)


def _drawn(client: Any, partitions: Sequence[Any], sample: int) -> Chosen:
    """Those that a frame of as many rows in one piece would have; a partition may be left with none."""
    made = client.compute(list(partitions))
    lengths = _lengths(client, made)
    total = sum(lengths)
    if sample >= total:
        return Chosen(made, total)
    of_part: list[list[int]] = [[] for _ in made]
    number = start = 0
    for position in drawn(total, sample):
        while position >= start + lengths[number]:
            start += lengths[number]
            number += 1
        of_part[number].append(position - start)
    pairs = zip(made, of_part, strict=True)
    return Chosen([client.submit(_taken, part, positions, pure=False) for part, positions in pairs], sample)


def _lengths(client: Any, parts: Sequence[Any]) -> list[int]:
    lengths: list[int] = client.gather([client.submit(len, part, pure=False) for part in parts])
    return lengths


def _taken(rows: Any, positions: Sequence[int]) -> Any:
    """Those rows of a partition alone."""
    return rows.iloc[list(positions)]
