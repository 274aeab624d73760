"""What comes back from an endpoint, as data: Usage, Chunk, Response."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass, field, fields
from typing import Any

_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


@dataclass(frozen=True)
class Usage:
    """Token counts of the endpoint; this package never counts itself.

    Attributes:
        prompt_tokens: tokens of the prompt, or None if the endpoint does not say.
        completion_tokens: tokens of the response, or None.
        total_tokens: their sum, or None.
        details: parts of the counts under their wire names, such as
            {"completion_tokens_details": {"reasoning_tokens": 5}}; not part of a comparison of two usages.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    details: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_wire(cls, usage: object) -> Usage | None:
        """Return the counts in an OpenAI-style `usage` object, or None if it holds none."""
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
        """Return the counts that are known, under their wire names."""
        return {name: value for name, value in vars(self).items() if name != "details" and value is not None}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed response. Only what arrived with this piece is set.

    Attributes:
        text: the next piece of the text.
        reasoning: the next piece of a reasoning model's thoughts.
        tool_calls: fragments as on the wire: `[{"index": 0, "id": …, "function": {"name": …, "arguments": "…"}}]`.
        usage: token counts; most endpoints send them with the last piece.
        finish_reason: why the response ended, in the endpoint's words.
        logprobs: log probabilities of the piece's tokens, as on the wire.
        model: the name that the endpoint gives its model.
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
    """A response of an endpoint. `str(response)` is its text.

    Attributes:
        text: the text, exactly as it arrived.
        parsed: the object read from the text, if JSON or a schema was requested; else None.
        usage: token counts, or None if the endpoint does not count.
        finish_reason: "stop", "length", "tool_calls", … in the endpoint's words; "interrupted" after a kernel
            interrupt; None if the endpoint does not say.
        latency: seconds until the response was complete.
        time_to_first_token: seconds until the first piece of a stream, or None.
        request_id: the id under which the service logs the request, or "".
        deployment: the deployment that responded, or "".
        config: name of the config; "" if it is unnamed.
        model: the name that the endpoint gives its model, or "".
        tool_calls: OpenAI-style `{"id", "type", "function": {"name", "arguments"}}` dicts.
        reasoning: a reasoning model's thoughts, or "".
        logprobs: log probabilities of the tokens, as on the wire, or None.
        raw: the decoded JSON of the body; None for a stream.
        format: how to show it: "markdown", "text", "json" or "code".
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

    def to_dict(self, *names: str) -> dict[str, Any]:
        """Return the response as JSON data.

        Args:
            names: The fields to return, also if they are not set. Without names: the text and every other field that
                is set, except `parsed`, `raw` and `format`.

        Examples:
            >>> Response("Hi", finish_reason="stop").to_dict()
            {'text': 'Hi', 'finish_reason': 'stop'}
            >>> Response("Hi").to_dict("text", "usage")
            {'text': 'Hi', 'usage': None}
        """
        data = {name: getattr(self, name) for name in names or _DATA_FIELDS}
        if "usage" in data:
            data["usage"] = self.usage.to_dict() if self.usage else None
        if "tool_calls" in data:
            data["tool_calls"] = list(self.tool_calls)
        return data if names else {name: value for name, value in data.items() if value or name == "text"}

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
