"""What comes back from an endpoint, as data: Usage, Chunk, Response."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


@dataclass(frozen=True)
class Usage:
    """Tokens counted by the endpoint, never by this package. None where it did not say.

    details: the counts' parts in the endpoint's words, such as
        {"completion_tokens_details": {"reasoning_tokens": 5}}; they do not make two usages differ.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    details: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_wire(cls, usage: object) -> Usage | None:
        """The counts in an OpenAI-style `usage` object, or None where there are none."""
        if not isinstance(usage, dict):
            return None
        prompt, completion, total = (_count(usage.get(f"{part}_tokens")) for part in ("prompt", "completion", "total"))
        if total is None and prompt is not None and completion is not None:
            total = prompt + completion
        if prompt is None and completion is None and total is None:
            return None
        details = {name: parts for name, parts in usage.items() if name in _DETAILS and isinstance(parts, dict)}
        return cls(prompt, completion, total, details)

    def to_dict(self) -> dict[str, int]:
        """The counts that are known, under their wire names."""
        return {name: value for name, value in vars(self).items() if name != "details" and value is not None}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer as it streams in. Only the parts that this piece brought are set.

    `tool_calls` are the wire's fragments: `[{"index": 0, "id": …, "function": {"name": …, "arguments": "…"}}]`.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    model: str = ""


@dataclass(frozen=True)
class Response:
    """An endpoint's answer; `str(response)` is its text.

    text: the answer, exactly as it came.
    parsed: the object read from it, where one was asked for (as JSON, or by a schema); else None.
    usage: tokens, where the endpoint counts them; else None.
    finish_reason: "stop", "length", "tool_calls", … in the endpoint's words; "interrupted" after a kernel interrupt;
        None where it did not say.
    latency, time_to_first_token: seconds.
    request_id, deployment: as the endpoint named them, "" where it did not.
    config: name of the config that asked, "" for an unnamed one.
    model: the name that the endpoint gave itself.
    tool_calls: OpenAI-style `{"id", "type", "function": {"name", "arguments"}}` dicts.
    reasoning: a reasoning model's separate thoughts, "" where there are none.
    raw: the decoded JSON of the reply; None for a stream.
    format: how the person asked to see it: "markdown", "text", "json" or "code".
    """

    text: str
    parsed: Any = None
    usage: Usage | None = None
    finish_reason: str | None = None
    latency: float = 0.0
    time_to_first_token: float | None = None
    request_id: str = ""
    deployment: str = ""
    config: str = ""
    model: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    logprobs: Any = field(default=None, repr=False)
    raw: Any = field(default=None, repr=False)
    format: str = "markdown"

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Return the response as JSON data: the text and every other field that is set, without `parsed` and `raw`."""
        data = {name: getattr(self, name) for name in _DATA_FIELDS}
        data["usage"] = self.usage.to_dict() if self.usage else None
        data["tool_calls"] = list(self.tool_calls)
        return {name: value for name, value in data.items() if value or name == "text"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Response:
        """Return the response that `to_dict` wrote.

        Args:
            data: JSON data; unknown names are ignored.

        Raises:
            ValueError: The data is not that of a response.
        """
        try:
            known = {name: data[name] for name in _DATA_FIELDS if name in data}
            known["usage"] = Usage(**data["usage"]) if "usage" in data else None
            known["tool_calls"] = tuple(data.get("tool_calls", ()))
            response = cls(**known)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a response: {error}") from None
        if not isinstance(response.text, str):
            raise ValueError("not a response: its text is not a string")
        return response


_DATA_FIELDS = tuple(each.name for each in fields(Response) if each.name not in ("parsed", "raw", "format"))
