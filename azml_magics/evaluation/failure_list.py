"""The failures of an evaluation: grouped by cause, each with some examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.text import one_line, printable
from .examples import describe_examples
from .section import Cell, Section, sections_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .summary import FailureGroup

_MAX_GROUPS = 10
_MAX_CAUSE = 200  # characters


@dataclass(frozen=True, repr=False)
class FailureSection(Section):
    """The failures as a table, and as text a list that fits a terminal.

    Attributes:
        groups: Each cause with its examples.
    """

    groups: Sequence[tuple[str, Sequence[str]]] = ()

    def to_text(self) -> str:
        """Return each cause with its examples below it."""
        lines = [self.lead]
        for cause, examples in self.groups:
            lines += ["", cause, *(f"    {example}" for example in examples)]
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
    shown = groups[:limit]
    examples = iter(describe_examples([outcome for group in shown for outcome in group.examples]))
    lines, texts = [], []
    for group in shown:
        cause, of_group = one_line(group.cause, _MAX_CAUSE), [next(examples) for _ in group.examples]
        texts.append((f"{group.count:,} x {cause}", [str(example) for example in of_group]))
        for number, example in enumerate(of_group):
            is_first = number == 0  # the viewer sorts, so that every line needs the cause; elsewhere once is enough
            line = {"times": Cell(group.count, f"{group.count:,}" if is_first else "")}
            line["cause"] = Cell(cause, cause if is_first else "")
            line |= {name: Cell.of(getattr(example, name)) for name in ("row", "setting", "prompt", "response")}
            lines.append(line)
    total, more = sum(group.count for group in groups), groups[limit:]
    lead = f"{total:,} wrong or failed:" if groups else "Nothing is wrong or failed."
    rest = f"… and {sum(group.count for group in more):,} for {len(more):,} rarer causes." if more else ""
    table = Section.of("", lines, always=("times", "cause", "row"), lead=lead, note=rest)
    return FailureSection("", table.headings, table.rows, lead, rest, groups=texts)
