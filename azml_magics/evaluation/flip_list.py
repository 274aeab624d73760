"""The rows that became right or wrong against a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .examples import describe_examples, response_text
from .section import Cell, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .examples import Example
    from .summary import Flip

_MAX_SHOWN = 20


def flip_section(flips: Sequence[Flip], notes: Sequence[str] = (), *, limit: int | None = _MAX_SHOWN) -> Section:
    """Return the rows that flipped: those that became wrong first.

    Args:
        flips: The rows.
        notes: What cannot be compared, a sentence each.
        limit: How many rows are shown at most, None for all.
    """
    wrong = [flip for flip in flips if not flip.became_right]
    right = [flip for flip in flips if flip.became_right]
    lead = f"{len(right):,} became right, {len(wrong):,} became wrong." if flips else "No row changed."
    shown = [*wrong, *right][:limit]
    more = f"… and {len(flips) - len(shown):,} more." if len(flips) > len(shown) else ""
    examples = describe_examples([flip.after for flip in shown])
    lines = [_line(flip, example) for flip, example in zip(shown, examples, strict=True)]
    return Section.of("Against the baseline", lines, lead=" ".join([lead, *notes]), note=more)


def _line(flip: Flip, after: Example) -> dict[str, Cell]:
    texts = {
        "now": "right" if flip.became_right else "wrong",
        "row": after.row,
        "setting": after.setting,
        "prompt": after.prompt,
        "expected": after.expected,
        "before": response_text(flip.before),
        "after": after.response,
    }
    return {name: Cell.of(text) for name, text in texts.items()}
