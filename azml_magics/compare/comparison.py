"""Responses side by side: a Batch of rows, as data and as text.

A row has what sets it apart (a config's name, a kwarg's value, a number) and a response, an error, or both: the text
that had arrived when the request failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from ..core.config import LLMConfig
from ..core.errors import UnknownNameError
from ..core.response import Response
from ..core.text import one_line, printable
from .data_frame import make_data_frame
from .word_diff import mark_differences

_MAX_LABEL = 80  # characters of one value


@dataclass(frozen=True)
class Row:
    """One response of a batch.

    Attributes:
        setting: What sets it apart, by name, for example `{"config": "prod", "temperature": 0.2}`.
        config: The config that the request was sent with.
        response: The response, or what had arrived of it when the request failed; None if nothing has arrived.
        error: Why the request failed; None if it did not.
        waiting: What the request waits for now, such as "429: waiting 12 s, try 2 of 3"; "" if it does not.

    Examples:
        >>> row = batch[0]
        >>> row.label
        'prod'
        >>> row.text if row.error is None else row.failure
        'Rivers run.'
    """

    setting: Mapping[str, Any]
    config: LLMConfig
    response: Response | None = None
    error: BaseException | None = None
    waiting: str = field(default="", repr=False, compare=False, kw_only=True)

    @property
    def text(self) -> str:
        """The text that has arrived; "" if none has."""
        return self.response.text if self.response else ""

    @property
    def label(self) -> str:
        """The values of the setting on one line; with their names if there are several."""
        if len(self.setting) == 1:
            return one_line(str(next(iter(self.setting.values()))), _MAX_LABEL)
        return ", ".join(f"{name}={one_line(str(value), _MAX_LABEL)}" for name, value in self.setting.items())

    @property
    def failure(self) -> str:
        """The error on one line; "" if there is none."""
        return one_line(f"{type(self.error).__name__}: {self.error}") if self.error else ""

    @property
    def note(self) -> str:
        """What to know on one line: what the request waits for, or the response's notices and tool calls; or ""."""
        if self.waiting or self.response is None:
            return one_line(self.waiting)
        names = ", ".join(run.name for run in self.response.tool_runs)
        return one_line(" ".join([*self.response.notices, *([f"Called {names}."] if names else [])]))

    def figures(self) -> tuple[str, str, str]:
        """(finish reason, completion tokens, seconds) as texts; "" for what is unknown."""
        response = self.response
        if response is None:
            return "", "", ""
        tokens = response.usage.completion_tokens if response.usage else None
        seconds = f"{response.latency:.1f}" if response.latency else ""
        return response.finish_reason or "", "" if tokens is None else str(tokens), seconds

    def to_dict(self) -> dict[str, Any]:
        """The row as a flat dict: its setting, text, finish reason, token counts, latency and error."""
        names = ("finish_reason", "usage", "latency")
        facts = self.response.to_dict(*names) if self.response else dict.fromkeys(names)
        usage = facts.pop("usage") or {}
        return {
            **self.setting,
            "text": self.text,
            "finish_reason": facts["finish_reason"],
            "prompt_tokens": usage.get("prompt_tokens"),
            "completion_tokens": usage.get("completion_tokens"),
            "latency": facts["latency"],
            "error": self.failure or None,
        }


class Batch(Sequence[Row]):
    """The rows of a comparison, a sweep or a repetition, in the order of their requests.

    A batch is a sequence: an index gives a `Row`, a slice a `Batch`.

    Args:
        rows: The rows.
        is_complete: Whether all responses are there. Until then no differences are marked, because they would change
            with every word that arrives.

    Attributes:
        show_reasoning: How its table shows the models' thoughts: "folded" above the texts, "open" or "hidden".
        base: The index of the row that the others are compared with; None for the first one with a text. See `against`.

    Examples:
        >>> batch.texts
        ['Rivers run.', 'Rivers flow.']
        >>> [row.label for row in batch if row.error is None]
        ['prod', 'test']
        >>> batch.to_pandas().groupby("temperature")["completion_tokens"].mean()  # doctest: +SKIP
    """

    show_reasoning = "folded"
    base: int | None = None

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
        """The responses' texts; "" for a row without one."""
        return [row.text for row in self]

    @property
    def responses(self) -> list[Response | None]:
        """The responses; None for a row without one."""
        return [row.response for row in self]

    @property
    def errors(self) -> list[BaseException | None]:
        """The errors; None for a row that did not fail."""
        return [row.error for row in self]

    @property
    def setting_name(self) -> str:
        """The name of the setting if all rows have the same single one, else ""."""
        names = {name for row in self for name in row.setting}
        return one_line(names.pop(), _MAX_LABEL) if len(names) == 1 else ""

    def only_different(self) -> Batch:
        """The rows whose text differs from that of every row before; failed rows are left out."""
        seen: set[str] = set()
        distinct = []
        for row in self:
            if row.error is None and row.text not in seen:
                seen.add(row.text)
                distinct.append(row)
        return Batch(distinct, is_complete=self.is_complete)

    def against(self, base: int | str) -> Batch:
        """The same rows, with the words marked that differ from another row than the first.

        Args:
            base: The index or the label of the row that the others are compared with.

        Raises:
            UnknownNameError: There is no such row.

        Examples:
            >>> batch.against("test").base
            1
        """
        labels = [row.label for row in self]
        if isinstance(base, str):
            if base not in labels:
                raise UnknownNameError.of("row", base, labels)
            index = labels.index(base)
        else:
            if not -len(self) <= base < len(self):
                raise UnknownNameError.of("row", str(base), [str(number) for number in range(len(self))])
            index = base % len(self)
        compared = Batch(self._rows, is_complete=self.is_complete)
        compared.show_reasoning, compared.base = self.show_reasoning, index
        return compared

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict for each row: its setting, text, finish reason, token counts, latency and error."""
        return [row.to_dict() for row in self]

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame with a column for each key of `to_dicts`.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return make_data_frame(self.to_dicts(), "to_dicts() works without it.")

    def mark_differences(self) -> list[list[tuple[str, bool]]]:
        """The rows' texts in pieces: (piece, whether it differs from the base). In one piece until complete."""
        texts = [printable(text) for text in self.texts]
        return mark_differences(texts, self.base) if self.is_complete else [[(text, False)] for text in texts]

    def to_text(self, *, times: bool = False) -> str:
        """The rows as text: a heading for each, below it the text with its differences from the base *marked*.

        Args:
            times: Whether the headings say how long it took; without times the same responses give the same text.
        """
        parts = []
        for row, pieces in zip(self, self.mark_differences(), strict=True):
            finish, tokens, seconds = row.figures()
            facts = [finish, f"{tokens} tokens" if tokens else "", f"{seconds} s" if times and seconds else ""]
            heading = " · ".join(filter(None, [row.label, *facts]))
            text = "".join(f"*{piece}*" if differs else piece for piece, differs in pieces)
            body = "\n".join(filter(None, [text, row.failure, row.note]))
            parts.append(f"[{heading}]\n{body or '…'}")
        return printable("\n\n".join(parts))

    def __repr__(self) -> str:
        return self.to_text()

    def summary(self) -> str:
        """The batch on one line: how many responses, how many different ones, how many failures."""
        failed = sum(row.error is not None for row in self)
        different = len(self.only_different())
        return f"{len(self)} responses, {different} different" + (f", {failed} failed" if failed else "")
