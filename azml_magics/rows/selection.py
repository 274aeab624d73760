"""Which rows are sent if only some are wanted: the first ones, or a sample that is the same every time."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import UsageError
from .deferred import DeferredTable
from .sources import StreamTable
from .table_rows import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .table import Table


def select_rows(table: Table, limit: int | None, sample: int | None) -> Table:
    """Return a table of some rows, in their order.

    Args:
        table: All rows; a lazy one is read to its end for a sample, and a deferred one is collected.
        limit: Take the first `limit` rows.
        sample: Take `sample` random rows, the same ones of the same table every time.

    Raises:
        UsageError: A number is below 1, or both are given.
    """
    for name, number in (("limit", limit), ("sample", sample)):
        if number is not None and number < 1:
            raise UsageError(f"{name} takes a number of at least 1, not {number}")
    if limit is not None and sample is not None:
        raise UsageError("limit and sample exclude each other", remedy="Leave one of them out.")
    if limit is not None and isinstance(table, DeferredTable):
        return table.first(limit)
    if sample is not None and isinstance(table, StreamTable):
        return table.select(partial(_sample_stream, table, sample))
    if sample is not None and table.length is not None and sample < table.length:
        return table.take(sample_positions(table.length, sample))
    if limit is not None and (table.length is None or limit < table.length):
        return table.take(range(limit))
    return table


def sample_positions(length: int, number: int) -> list[int]:
    """Return the positions of `number` random rows of `length`, ascending; the same ones every time."""
    return sorted(random.Random(length).sample(range(length), number))  # noqa: S311 - not a secret


def _sample_stream(table: StreamTable, number: int) -> Iterator[Record]:
    """Yield `number` of the table's records, each equally likely, in their order (reservoir sampling)."""
    reservoir: list[Record] = []
    random_numbers = random.Random(number)  # noqa: S311 - not a secret
    for seen, record in enumerate(table.records()):
        if seen < number:
            reservoir.append(record)
        elif (place := random_numbers.randrange(seen + 1)) < number:
            reservoir[place] = record
    for position, record in enumerate(sorted(reservoir, key=lambda record: record.position)):
        yield Record(position, record.index, record.values, record.problem)


# ---- partitions of a dask DataFrame


class Partitions(NamedTuple):
    """Partitions on the workers of a dask cluster, from the first one on.

    A partition keeps its number, so that a run over all rows finds the journal of a run over some of them.

    Attributes:
        parts: A future for each partition; it may have no rows.
        total: How many rows they have, None if all rows are taken.
    """

    parts: list[Any]
    total: int | None


def select_partitions(dask_client: Any, partitions: Sequence[Any], limit: int | None, sample: int | None) -> Partitions:
    """Return the partitions with the first `limit` rows, with `sample` random ones, or with all of them."""
    if limit is not None:
        return _first_rows(dask_client, partitions, limit)
    if sample is not None:
        return _sample_rows(dask_client, partitions, sample)
    return Partitions(dask_client.compute(list(partitions)), None)


def _first_rows(dask_client: Any, partitions: Sequence[Any], limit: int) -> Partitions:
    """Compute partitions, more of them each time, until they have the rows; the others are never read."""
    parts: list[Any] = []
    left, begin, end = limit, 0, 1
    while left and begin < len(partitions):
        computed = dask_client.compute(list(partitions[begin:end]))
        for part, length in zip(computed, _lengths(dask_client, computed), strict=True):
            if left:
                count = min(left, length)
                parts.append(part if count == length else dask_client.submit(_take, part, range(count), pure=False))
                left -= count
        begin, end = end, 3 * end
    return Partitions(parts, limit - left)


def _sample_rows(dask_client: Any, partitions: Sequence[Any], sample: int) -> Partitions:
    """Take the rows that a frame of the same length in one piece would give; a partition may be left with none."""
    computed = dask_client.compute(list(partitions))
    lengths = _lengths(dask_client, computed)
    total = sum(lengths)
    if sample >= total:
        return Partitions(computed, total)
    positions_in: list[list[int]] = [[] for _ in computed]
    number = start = 0
    for position in sample_positions(total, sample):
        while position >= start + lengths[number]:
            start += lengths[number]
            number += 1
        positions_in[number].append(position - start)
    pairs = zip(computed, positions_in, strict=True)
    return Partitions([dask_client.submit(_take, part, positions, pure=False) for part, positions in pairs], sample)


def _lengths(dask_client: Any, parts: Sequence[Any]) -> list[int]:
    lengths: list[int] = dask_client.gather([dask_client.submit(len, part, pure=False) for part in parts])
    return lengths


def _take(rows: Any, positions: Sequence[int]) -> Any:
    """Return the rows of a partition at `positions`."""
    return rows.iloc[list(positions)]
