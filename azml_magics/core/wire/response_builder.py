"""Puts the chunks of a stream together to a response."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .tool_calls import ToolCallBuilder

if TYPE_CHECKING:
    from ..response import Chunk, Response, Usage, Verdict

_SEVERITIES = ("", "safe", "low", "medium", "high")


class ResponseBuilder:
    """Collects the chunks of one stream, each in the choice that it belongs to."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._model = ""
        self._id = ""

    def add(self, chunk: Chunk) -> None:
        """Add a chunk, and those of other choices that came with it."""
        choice = self._choices.get(chunk.index)
        if choice is None:
            choice = self._choices[chunk.index] = _Choice()
        choice.add(chunk)
        self._usage = chunk.usage or self._usage
        self._model = self._model or chunk.model
        self._id = self._id or chunk.id
        for other in chunk.others:
            self.add(other)

    def build(self, base: Response) -> Response:
        """Return `base` with what has been collected; several choices stand in `choices` as well."""
        base = replace(base, usage=self._usage, model=self._model, id=self._id)
        choices = [self._choices[index].build(base) for index in sorted(self._choices)]
        if not choices:
            return base
        return replace(choices[0], choices=tuple(choices)) if len(choices) > 1 else choices[0]


class _Choice:
    """What has arrived of one choice."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._texts: list[str] = []
        self._reasonings: list[str] = []
        self._tool_calls = ToolCallBuilder()
        self._logprobs: list[Any] = []
        self._filters: dict[tuple[str, str], Verdict] = {}
        self._items: list[dict[str, Any]] = []

    def add(self, chunk: Chunk) -> None:
        if chunk.retracts:
            self._reasonings = ["".join([*self._reasonings, *self._texts, chunk.reasoning]).strip()]
            self._texts = []
        elif chunk.reasoning:
            self._reasonings.append(chunk.reasoning)
        if chunk.text:
            self._texts.append(chunk.text)
        for fragment in chunk.tool_calls:
            self._tool_calls.add(fragment)
        if chunk.logprobs:
            self._logprobs.append(chunk.logprobs)
        for verdict in chunk.filters:
            place = verdict.source, verdict.category
            if place not in self._filters or _gravity(verdict) >= _gravity(self._filters[place]):
                self._filters[place] = verdict
        self._items += chunk.items
        self.finish_reason = chunk.finish_reason or self.finish_reason

    def build(self, base: Response) -> Response:
        return replace(
            base,
            text="".join(self._texts),
            reasoning="".join(self._reasonings),
            tool_calls=self._tool_calls.tool_calls,
            logprobs=_merge_logprobs(self._logprobs),
            finish_reason=self.finish_reason,
            filters=tuple(self._filters.values()),
            items=tuple(self._items),
        )


def _gravity(verdict: Verdict) -> tuple[bool, bool, int]:
    """Return what to sort verdicts by: of several on one category the gravest counts."""
    severity = _SEVERITIES.index(verdict.severity) if verdict.severity in _SEVERITIES else 0
    return verdict.filtered, bool(verdict.detail), severity


def _merge_logprobs(pieces: list[Any]) -> Any:
    contents = [
        piece["content"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("content"), list)
    ]
    return {"content": [token for content in contents for token in content]} if contents else None
