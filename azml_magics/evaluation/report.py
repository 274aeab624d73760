"""What shows an evaluation: its summary, then its failures, and the rows that changed against a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .failure_list import failure_section
from .summary_table import summary_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .confusion_section import ConfusionTable
    from .flips import Flips
    from .section import Section
    from .summary import FailureGroup, SettingSummary

_MAX_FLIPS = 10


def report_sections(
    headline: str,
    summaries: Sequence[SettingSummary],
    groups: Sequence[FailureGroup],
    flips: Flips | None = None,
    confusion: ConfusionTable | None = None,
    *,
    times: bool = False,
    notes: Sequence[object] = (),
) -> list[Section]:
    """Return the parts of an evaluation, the summary first.

    Args:
        headline: How many responses there are, in one line.
        summaries: The figures of each setting.
        groups: What is wrong or failed, by cause.
        flips: What changed against a baseline; None without one.
        confusion: How often each label was given where another was expected; None if it is not shown.
        times: Whether to show latencies, which differ from run to run.
        notes: Sentences below the summary.
    """
    sections = [summary_section(summaries, times=times, lead=headline, notes=notes)]
    if groups:
        sections.append(failure_section(groups))
    if confusion is not None:
        sections.append(confusion.to_section())
    if flips is not None:
        sections.append(flips.to_section(limit=_MAX_FLIPS))
    return sections
