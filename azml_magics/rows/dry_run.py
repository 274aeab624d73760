"""DryRun: the first requests of a run that sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.text import one_line
from .deferred import DeferredTable
from .sources import is_dask

if TYPE_CHECKING:
    from .mapper import RowMapper

_SHOWN = 3


@dataclass(frozen=True, repr=False)
class DryRun:
    """What a run over rows would send. `str()` is its text.

    Attributes:
        requests: The first three requests as text, without the key; for a row that cannot be sent, its error.
        count: How many requests the run would send at most, such as "40 requests".
        notes: A sentence for everything in the prompt that goes out otherwise than its writer may expect.
    """

    requests: tuple[str | Exception, ...]
    count: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.requests:
            return "Would send nothing: there are no rows."
        shown = [
            request if isinstance(request, str) else one_line(f"{type(request).__name__}: {request}")
            for request in self.requests
        ]
        said = " ".join([f"Would send {self.count}.", *self.notes, "The first:"])
        return "\n\n".join([said, *shown])

    __repr__ = __str__


def first_rows(rows: Any) -> Any:
    """Return the first rows of a dask DataFrame, which computes no more of it; other rows unchanged."""
    return rows.head(_SHOWN, npartitions=-1) if is_dask(rows) else rows


def dry_run(mapper: RowMapper, *, is_part: bool = False) -> DryRun:
    """Return the first requests of a run. Nothing is sent, no row of an iterator is lost, and no key is looked up.

    Args:
        mapper: The prompt and the table.
        is_part: Whether the table is only the beginning of the rows.
    """
    prompt = mapper.row_prompt
    if isinstance(mapper.table, DeferredTable) and not mapper.table.can_count:
        is_part = True  # only collecting all rows tells how many there are
    requests: list[str | Exception] = []
    for record in mapper.table.peek(_SHOWN):
        try:
            requests.append(prompt.format_request(prompt.messages(record)))
        except Exception as error:  # noqa: BLE001, PERF203 - the row's, also of the user's own function; three at most
            requests.append(error)
    count = mapper.count("request", is_part=is_part) or "a request for every row"
    return DryRun(tuple(requests), count, prompt.surprises)
