"""The failures of an evaluation: grouped by cause, each with some examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.text import one_line, printable
from .outcome import RIGHT
from .section import Cell, Section, sections_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .outcome import Outcome
    from .summary import FailureGroup

_MAX_GROUPS = 10
_MAX_CAUSE = 200  # characters
_MAX_PART = 160  # characters of a prompt or a response


@dataclass(frozen=True, repr=False)
class FailureSection(Section):
    """The failures as a table, and as text a list that fits a terminal.

    Attributes:
        groups: What it shows.
    """

    groups: Sequence[FailureGroup] = ()

    def to_text(self) -> str:
        """Return each cause with its examples below it."""
        lines = [self.lead]
        for group in self.groups:
            lines += ["", f"{group.count:,} x {one_line(group.cause, _MAX_CAUSE)}"]
            lines += [f"    {_describe(outcome)}" for outcome in group.examples]
        return printable("\n".join([*lines, *(["", self.note] if self.note else [])]))


class Failures(list["FailureGroup"]):
    """What is wrong or failed by cause, which notebooks show as a table with the examples."""

    def __repr__(self) -> str:
        return failure_section(self, limit=len(self)).to_text()

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sections_bundle([failure_section(self, limit=len(self))])


def failure_section(groups: Sequence[FailureGroup], *, limit: int = _MAX_GROUPS) -> FailureSection:
    """Return the failures as a section, the most frequent cause first.

    Args:
        groups: The failures by cause.
        limit: How many causes are shown at most.
    """
    rows = []
    for group in groups[:limit]:
        for number, outcome in enumerate(group.examples):
            cause, count = one_line(group.cause, _MAX_CAUSE), f"{group.count:,}"
            is_first = number == 0  # the viewer sorts, so that every line needs the cause; elsewhere once is enough
            rows.append([Cell(group.count, count if is_first else ""), Cell(cause, cause if is_first else "")])
            rows[-1] += [Cell.of(text) for text in example_texts(outcome)]
    total, more = sum(group.count for group in groups), groups[limit:]
    lead = f"{total:,} wrong or failed:" if groups else "Nothing is wrong or failed."
    rest = f"… and {sum(group.count for group in more):,} for {len(more):,} rarer causes." if more else ""
    headings = ("times", "cause", "row", "setting", "prompt", "response")
    return FailureSection("", headings, rows, lead, rest, groups=groups[:limit])


def example_texts(outcome: Outcome) -> tuple[str, str, str, str]:
    """Return an outcome's row, setting, prompt and response as short texts."""
    prompt = one_line(outcome.prompt, _MAX_PART)
    return row_text(outcome), setting_text(outcome), prompt, response_text(outcome)


def row_text(outcome: Outcome) -> str:
    """Return the row's label in the table."""
    return one_line(str(outcome.row_index if outcome.row_label is None else outcome.row_label), _MAX_PART)


def setting_text(outcome: Outcome) -> str:
    """Return the setting, and which repeat it was after the first."""
    repeat = f" (repeat {outcome.setting.repeat})" if outcome.setting.repeat > 1 else ""
    return f"{outcome.setting.label}{repeat}"


def response_text(outcome: Outcome) -> str:
    """Return what was compared, the response's text, or the failure."""
    if outcome.error is not None:
        return one_line(outcome.failure, _MAX_PART)
    score = outcome.scores.get(RIGHT)
    return one_line(score.answer if score is not None and score.answer is not None else outcome.text, _MAX_PART)


def expected_text(outcome: Outcome) -> str:
    """Return what the row expects; the fields of a schema with their names."""
    parts = (f"{name}={value}" if name else str(value) for name, value in outcome.expected.items())
    return one_line(", ".join(parts), _MAX_PART)


def _describe(outcome: Outcome) -> str:
    row, setting, prompt, response = example_texts(outcome)
    arrow = "" if outcome.error is not None else f" -> {response}"
    return f"row {row}, {setting}: {prompt}{arrow}"
