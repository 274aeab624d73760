"""What the result tabs show: the calls of one click and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.compare.comparison import Batch, Row
    from azml_magics.compare.side_by_side import BatchRequest


@dataclass(frozen=True)
class RunResult:
    """The calls of one click on Run, Repeat, Compare or Sweep.

    Attributes:
        requests: the calls that were sent.
        batch: their rows, one for each call.
        is_running: whether rows may still change.
        number: the last call's number in the history; 0 while it runs.
    """

    requests: Sequence[BatchRequest]
    batch: Batch
    is_running: bool = False
    number: int = 0

    @property
    def row(self) -> Row:
        """The first row, which is the only one of a single run."""
        return self.batch[0]
