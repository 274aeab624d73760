"""What a journal has of a table before anything is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .journal import Journal
    from .prompts import RowPrompt
    from .run_options import RunOptions
    from .table import Table

MAX_COUNTED = 10_000  # requests that are looked up in a journal before any is sent, which takes a tenth of a second


@dataclass(frozen=True)
class JournalSummary:
    """What a journal has before a run.

    Attributes:
        entries: Rows of any table with a response or an error.
        found: Rows of this table that it has, None if the table is large.
        missing: Rows of this table that will be sent, None if the table is large.
    """

    entries: int
    found: int | None = None
    missing: int | None = None


def summarize_journal(
    journal: Journal, prompts: Sequence[RowPrompt], table: Table, options: RunOptions, repeats: int = 1
) -> JournalSummary | None:
    """Return what a journal has. A row that cannot be sent is neither found nor missing.

    Args:
        journal: An open journal.
        prompts: The prompts that are sent for every row.
        table: The rows.
        options: Whether failed rows are sent again.
        repeats: How often each prompt is sent.

    Returns:
        The summary; None if the journal has nothing, or the rows can be read once only.
    """
    if table.is_lazy or table.length is None or not len(journal):
        return None
    if table.length * len(prompts) * repeats > MAX_COUNTED or callable(prompts[0].prompt):
        return JournalSummary(len(journal))  # the user's function is called once a row, and not for a count
    numbers: Counter[bytes] = Counter()
    found = missing = 0
    for record in table.records():
        for prompt in prompts:
            try:
                key = prompt.key(prompt.messages(record))
            except Exception:  # noqa: BLE001, S112 - the error of this row, which the run reports
                continue
            for _ in range(repeats):
                is_found = journal.has(key, numbers[key], with_errors=not options.retry_failed)
                numbers[key] += 1
                found += is_found
                missing += not is_found
    return JournalSummary(len(journal), found, missing)
