"""Answers side by side: a Batch of rows, as data, as text and as HTML. Pure.

A row has a label (what sets it apart: a config, a kwarg's value, a number), and a response, an error, or both - what
had arrived when it failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from ..core.text import one_line, printable
from .word_diff import mark_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..core.config import LLMConfig
    from ..core.response import Response

_LONGEST_LABEL = 80


@dataclass(frozen=True)
class Row:
    """One answer of several. `setting` is what sets it apart, by name: {"config": "prod"}, {"temperature": 0.2}."""

    setting: Mapping[str, Any]
    config: LLMConfig
    response: Response | None = None
    error: BaseException | None = None

    @property
    def text(self) -> str:
        """What arrived, "" where nothing did."""
        return self.response.text if self.response else ""

    @property
    def label(self) -> str:
        """The setting in words, on one line: its values, with their names where there are several."""
        if len(self.setting) == 1:
            return one_line(str(next(iter(self.setting.values()))), _LONGEST_LABEL)
        return ", ".join(f"{name}={one_line(str(value), _LONGEST_LABEL)}" for name, value in self.setting.items())

    @property
    def failure(self) -> str:
        """The error in one line, "" where there is none."""
        return one_line(f"{type(self.error).__name__}: {self.error}") if self.error else ""

    def figures(self) -> tuple[str, str, str]:
        """(finish reason, completion tokens, seconds) as texts, "" where unknown."""
        response = self.response
        if response is None:
            return "", "", ""
        tokens = response.usage.completion_tokens if response.usage else None
        seconds = f"{response.latency:.1f}" if response.latency else ""
        return response.finish_reason or "", "" if tokens is None else str(tokens), seconds


class Batch(Sequence[Row]):
    """Rows in the order they were asked for. Indexing gives a Row; `texts`, `responses` and `errors` their columns.

    `is_complete`: nothing more comes. Until then no differences are marked: they would change with every word.
    """

    def __init__(self, rows: Iterable[Row], *, is_complete: bool = True) -> None:
        self._rows = tuple(rows)
        self.is_complete = is_complete

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Batch: ...
    def __getitem__(self, index: int | slice) -> Row | Batch:
        if isinstance(index, slice):
            return Batch(self._rows[index], is_complete=self.is_complete)
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @property
    def texts(self) -> list[str]:
        """The answers' texts, "" where none arrived."""
        return [row.text for row in self]

    @property
    def responses(self) -> list[Response | None]:
        """The responses, None where none arrived."""
        return [row.response for row in self]

    @property
    def errors(self) -> list[BaseException | None]:
        """The errors, None where there is none."""
        return [row.error for row in self]

    def only_different(self) -> Batch:
        """The rows whose text is unlike that of every row before them; failed ones are left out."""
        seen: set[str] = set()
        kept = []
        for row in self:
            if row.error is None and row.text not in seen:
                seen.add(row.text)
                kept.append(row)
        return Batch(kept, is_complete=self.is_complete)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict a row: its setting, text, finish reason, token counts, latency and error."""
        return [
            {
                **row.setting,
                "text": row.text,
                "finish_reason": row.response.finish_reason if row.response else None,
                "prompt_tokens": row.response.usage.prompt_tokens if row.response and row.response.usage else None,
                "completion_tokens": row.response.usage.completion_tokens
                if row.response and row.response.usage
                else None,
                "latency": row.response.latency if row.response else None,
                "error": row.failure or None,
            }
            for row in self
        ]

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame, one column for each key of `to_dicts`; ImportError without pandas."""
        try:
            import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install pandas. to_dicts() does without.") from error
        return pd.DataFrame(self.to_dicts())

    def __repr__(self) -> str:
        return self.to_text()

    # ---- forms

    def mark_differences(self) -> list[list[tuple[str, bool]]]:
        """The rows' texts in pieces, as `mark_differences` gives them; each in one piece while more is coming."""
        texts = [printable(text) for text in self.texts]
        return mark_differences(texts) if self.is_complete else [[(text, False)] for text in texts]

    def to_text(self, *, times: bool = False) -> str:
        """The rows as text: a heading each, and the answer below with its differences from the first *marked*."""
        parts = []
        for row, pieces in zip(self, self.mark_differences(), strict=True):
            finish, tokens, seconds = row.figures()
            facts = [finish, f"{tokens} tokens" if tokens else "", f"{seconds} s" if times and seconds else ""]
            heading = " · ".join(filter(None, [row.label, *facts]))
            text = "".join(f"*{word}*" if is_new else word for word, is_new in pieces)
            body = "\n".join(filter(None, [text, row.failure]))
            parts.append(f"[{heading}]\n{body or '…'}")
        return "\n\n".join(parts)

    @property
    def setting_name(self) -> str:
        """The name of the setting that all rows have; "" if there are several."""
        names = {name for row in self for name in row.setting}
        return one_line(names.pop(), _LONGEST_LABEL) if len(names) == 1 else ""

    def summary(self) -> str:
        """The batch in one line."""
        failed = sum(row.error is not None for row in self)
        different = len(self.only_different())
        return one_line(f"{len(self)} answers, {different} different" + (f", {failed} failed" if failed else ""))
