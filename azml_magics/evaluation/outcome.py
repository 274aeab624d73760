"""What came of one row with one setting: an Outcome with its Scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..compare.comparison import Row
from ..core.config import LLMConfig
from ..core.response import Response
from ..core.text import one_line
from .settings import Setting

RIGHT = "right"
"""The name of the score that compares a response with what the row expects."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of a response.

    Attributes:
        name: The name of its column.
        value: Whether it is so, or a number; None if the scorer gave none.
        reason: Why, in a judge's or a scorer's words; "" without one.
        error: Why the scorer failed, on one line; "" if it did not.
        answer: What was compared, as a label for a confusion table; None if it is not a label.
        expected: What it was compared with.
    """

    name: str
    value: bool | float | None
    reason: str = ""
    error: str = ""
    answer: str | None = None
    expected: str | None = None


# Any: a row's values are the user's.
@dataclass(frozen=True)
class Outcome(Row):
    """The response to one row with one setting, and its scores. Without response and error it was not sent.

    Attributes:
        setting: The setting, also a mapping of what sets it apart.
        row_index: The row's place in the table, from 0.
        row_label: Its label in the table, such as an entry of a DataFrame's index.
        row: The row's values by column.
        prompt: The text of the last user message; "" if the prompt could not be made.
        expected: What the row expects, by the field of the schema, "" for the whole text; {} if it expects nothing.
        scores: The scores by name; {} for a failed or unsent row, which has no wrong scores but none.
        reused: Whether the response or the error comes from the journal.
    """

    setting: Setting
    config: LLMConfig
    response: Response | None = None
    error: BaseException | None = None
    row_index: int = 0
    row_label: Any = None
    row: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = ""
    expected: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    reused: bool = False

    @property
    def latency(self) -> float | None:
        """Seconds until the response was complete, None without one."""
        return self.response.latency if self.response and self.error is None else None

    @property
    def is_right(self) -> bool | None:
        """Whether the response is what the row expects; None if that is unknown: it failed or expects nothing."""
        score = self.scores.get(RIGHT)
        return None if score is None or score.value is None else bool(score.value)

    @property
    def was_sent(self) -> bool:
        """Whether there is a response or an error."""
        return self.response is not None or self.error is not None

    @property
    def label(self) -> str:
        """The row and the setting on one line."""
        label = self.row_index if self.row_label is None else self.row_label
        return one_line(f"row {label}: {self.setting.label}")

    def to_dict(self) -> dict[str, Any]:
        """The outcome as a flat dict: the row's columns, the setting, the response's facts, and the scores."""
        facts = super().to_dict()
        own = {name: facts.pop(name) for name in self.setting}
        scores = {name: score.value for name, score in self.scores.items()}
        taken = {*own, *facts, *scores, "repeat", "row_index"}
        columns = {f"row_{name}" if name in taken else name: value for name, value in self.row.items()}
        return {"row_index": self.row_index, **columns, **own, "repeat": self.setting.repeat, **facts, **scores}
