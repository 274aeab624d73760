"""The summary of an evaluation as a table: a line for each setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .number_cells import EMPTY, cost_cell, difference_cell, figure_cell, interval_cell, seconds_cell
from .outcome import RIGHT
from .section import Cell, Section, sections_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .summary import ScoreSummary, SettingSummary

_ACCURACY = "accuracy"  # how the share of right responses is called


class Summary(list["SettingSummary"]):
    """The figures of each setting, which notebooks show as a table with a line for each."""

    def to_section(self, *, times: bool = True, lead: str = "") -> Section:
        """Return the table."""
        return summary_section(self, times=times, lead=lead)

    def __repr__(self) -> str:
        return self.to_section().to_text()

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sections_bundle([self.to_section()])


def summary_section(
    summaries: Sequence[SettingSummary], *, times: bool = True, lead: str = "", notes: Sequence[object] = ()
) -> Section:
    """Return the summary as a table.

    Args:
        summaries: The figures of each setting; differences are to the first one.
        times: Whether to show latencies, which differ from run to run.
        lead: A line above the table.
        notes: Sentences below the table.
    """
    names = list(dict.fromkeys(name for summary in summaries for name in summary.scores))
    names.sort(key=lambda name: name != RIGHT)  # the comparison with what rows expect comes first
    setting_names = list(dict.fromkeys(name for summary in summaries for name in summary.setting))
    first = summaries[0].label if summaries else ""
    lines = [_line(summary, setting_names, names, first, times=times) for summary in summaries]
    return Section.of(
        "",
        lines,
        always=(*setting_names, "rows"),
        lead=lead,
        note=" ".join(filter(None, [_note(summaries), *map(str, notes)])),
    )


def _line(
    summary: SettingSummary, setting_names: Sequence[str], names: Sequence[str], first: str, *, times: bool
) -> dict[str, Cell]:
    """The cells of a setting by their headings."""
    line = {name: _setting_cell(summary.setting.get(name)) for name in setting_names}
    line["rows"] = Cell.of(summary.rows)
    for name in names:
        line |= _score_cells(name, summary.scores.get(name), first)
    line["agreement"] = figure_cell(summary.agreement)
    line["no expectation"] = Cell.of(summary.without_expectation or None)
    line["failed"] = _failures_cell(summary)
    line["not sent"] = Cell.of((summary.rows - summary.sent) or None)
    if times:
        line["p50 (s)"], line["p95 (s)"] = seconds_cell(summary.latency_p50), seconds_cell(summary.latency_p95)
    line["tokens in"] = Cell.of(summary.prompt_tokens or None)
    line["cached"] = Cell.of(summary.cached_tokens or None)
    line["tokens out"] = Cell.of(summary.completion_tokens or None)
    line["cost"] = cost_cell(summary.cost)
    return line


def _setting_cell(value: object) -> Cell:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Cell(value, str(value))
    return Cell.of("" if value is None else str(value))


def _score_cells(name: str, score: ScoreSummary | None, first: str) -> dict[str, Cell]:
    """The cells of a score: for a share the count as well, so that nobody takes 1 of 1 for perfect."""
    shown = _ACCURACY if name == RIGHT else name
    counted = Cell.of(f"{score.count:,} of {score.n:,}") if score is not None and score.is_share and score.n else EMPTY
    n = Cell.of(score.n) if score is not None and not score.is_share and score.n else EMPTY
    return {
        **({RIGHT: counted} if name == RIGHT else {f"{shown} n": n}),
        shown: figure_cell(score.mean if score else None),
        f"{shown} 95 %": interval_cell(score.interval if score else None),
        f"{shown} vs {first}": difference_cell(score.difference if score else None),
        f"{shown} errors": Cell.of((score.errors if score else 0) or None),
    }


def _failures_cell(summary: SettingSummary) -> Cell:
    """The number of failed requests by kind."""
    kinds = sorted(summary.failures.items(), key=lambda each: -each[1])
    return Cell.of(", ".join(f"{count:,} {kind}" for kind, count in kinds))


def _note(summaries: Sequence[SettingSummary]) -> str:
    """What the figures leave out."""
    unpriced = sum(summary.unpriced for summary in summaries if summary.cost is not None)
    if not unpriced:
        return ""
    return f"{unpriced:,} response{' is' if unpriced == 1 else 's are'} not in the cost: no price, or no token counts."
