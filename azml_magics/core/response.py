"""What comes back from an endpoint, as data: Usage, Verdict, Chunk, Response."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

_TRUNCATED = ("length", "max_tokens", "max_output_tokens")  # finish reasons of OpenAI, Anthropic and Responses
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

    @property
    def reasoning_tokens(self) -> int:
        """Tokens of the response that are thoughts; 0 if the endpoint does not say."""
        return self._detail("completion", "reasoning_tokens")

    @property
    def cached_tokens(self) -> int:
        """Tokens of the prompt that the endpoint had in its cache; 0 if it does not say."""
        return self._detail("prompt", "cached_tokens")

    @property
    def audio_tokens(self) -> int:
        """Tokens of sound in the prompt and the response; 0 if the endpoint does not say."""
        return self._detail("prompt", "audio_tokens") + self._detail("completion", "audio_tokens")

    def _detail(self, side: str, name: str) -> int:
        return _count(self.details.get(f"{side}_tokens_details", {}).get(name)) or 0

    def __add__(self, other: Usage | None) -> Usage:
        """Return the sums of the counts of both; a count that one of them does not know is that of the other."""
        if other is None:
            return self
        return Usage(
            _add_counts(self.prompt_tokens, other.prompt_tokens),
            _add_counts(self.completion_tokens, other.completion_tokens),
            _add_counts(self.total_tokens, other.total_tokens),
            _add_details(self.details, other.details),
        )

    def to_dict(self) -> dict[str, int]:
        """Return the counts that are known, under their wire names."""
        return {name: value for name, value in vars(self).items() if name != "details" and value is not None}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _add_counts(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def _add_details(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sums of the numbers in two objects of objects; anything else is that of `other`."""
    added = {**one, **other}
    for name in one.keys() & other.keys():
        first, second = one[name], other[name]
        if isinstance(first, dict) and isinstance(second, dict):
            added[name] = _add_details(first, second)
        elif (count := _count(first)) is not None and _count(second) is not None:
            added[name] = count + second
    return added


@dataclass(frozen=True)
class Verdict:
    """What a content filter says about the prompt or the response in one category.

    Attributes:
        category: "hate", "violence", "jailbreak", "protected_material_text", … in the service's words.
        severity: "safe", "low", "medium" or "high"; "" for categories that are only detected.
        filtered: whether the filter stopped the request or the response for it.
        source: whether it is about the "prompt" or the "completion".
        detail: what else the service says, such as "detected" or the citation of protected material; or "".
    """

    category: str
    severity: str = ""
    filtered: bool = False
    source: Literal["prompt", "completion"] = "completion"
    detail: str = ""


@dataclass(frozen=True)
class ToolRun:
    """A call of a tool that a model asked for, and its result.

    Attributes:
        name: the tool's name.
        arguments: its arguments as the model wrote them: JSON text.
        result: what the model was told of the result; None while the tool runs, or if it was never finished.
        is_error: whether the result is an error: the tool raised, took too long, does not exist, was not allowed.
        id: the id of the call, as on the wire.
    """

    name: str
    arguments: str = ""
    result: str | None = None
    is_error: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed response. Only what arrived with this piece is set.

    A stream yields the pieces of the first choice. Those of others (a request may set `n`) end up in
    `Response.choices`.

    Attributes:
        text: the next piece of the text.
        reasoning: the next piece of a reasoning model's thoughts.
        tool_calls: fragments as on the wire: `[{"index": 0, "id": …, "function": {"name": …, "arguments": "…"}}]`.
        usage: token counts; most endpoints send them with the last piece.
        finish_reason: why the response ended, in the endpoint's words.
        logprobs: log probabilities of the piece's tokens, as on the wire.
        model: the name that the endpoint gives its model.
        index: which choice the piece belongs to.
        filters: verdicts of content filters.
        items: what the wire format needs back in the next turn of the conversation.
        others: pieces of other choices that the same event brought.
        retracts: whether the text of all earlier pieces was thoughts: their end came without a beginning.
        id: the service's id of the response.
        tool_run: a tool that begins to run, or that has ended. Pieces after it belong to the model's next response.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    model: str = ""
    index: int = 0
    filters: tuple[Verdict, ...] = ()
    items: tuple[dict[str, Any], ...] = ()
    others: tuple[Chunk, ...] = ()
    retracts: bool = False
    id: str = field(default="", compare=False)
    tool_run: ToolRun | None = None


@dataclass(frozen=True)
class Response:
    """A response of an endpoint. `str(response)` is its text.

    Attributes:
        text: the text, exactly as it arrived.
        parsed: the object read from the text, if JSON or a schema was requested; the vector of an embedding; else None.
        usage: token counts, or None if the endpoint does not count.
        finish_reason: "stop", "length", "tool_calls", … in the endpoint's words; "interrupted" after a kernel
            interrupt; None if the endpoint does not say.
        latency: seconds until the response was complete.
        time_to_first_token: seconds until the first piece of a stream, or None.
        request_id: the id under which the service logs the request, or "".
        deployment: the deployment that responded, or "".
        config: name of the config; "" if it is unnamed.
        model: the name that the endpoint gives its model, or "".
        id: the service's id of the response, such as resp_… which `previous_response_id` takes; or "".
        tool_calls: OpenAI-style `{"id", "type", "function": {"name", "arguments"}}` dicts: what the model asks for.
        reasoning: a reasoning model's thoughts, or "".
        logprobs: log probabilities of the tokens, as on the wire, or None.
        raw: the decoded JSON of the body; None for a stream.
        format: how to show it: "markdown", "text", "json" or "code".
        show_reasoning: how to show the thoughts: "folded" above the text, "open" or "hidden".
        headers: rate limits, region and request ids in the response's headers, by lower-case name; not part of a
            comparison of two responses.
        attempts: how many times the request was sent.
        filters: verdicts of content filters on the prompt and the response.
        choices: the responses, this one first, if the endpoint sent several (a request may set `n`); else empty.
        items: what the wire format needs back in the next turn of the conversation, as on the wire: reasoning items,
            thinking blocks with their signatures.
        notices: what a reader should know about the response, one line each, such as that all tokens went into
            reasoning.
        steps: the messages between the prompt and this response: what the model asked its tools for, and the results.
            `usage`, `reasoning` and `latency` are those of all steps together.
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
    id: str = field(default="", compare=False)
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: str = ""
    logprobs: Any = field(default=None, repr=False)
    raw: Any = field(default=None, repr=False)
    format: str = "markdown"
    show_reasoning: str = field(default="folded", repr=False, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    attempts: int = 1
    filters: tuple[Verdict, ...] = ()
    choices: tuple[Response, ...] = field(default=(), repr=False)
    items: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    notices: tuple[str, ...] = field(default=(), repr=False, compare=False)
    steps: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def is_truncated(self) -> bool:
        """Whether the limit of tokens ended the response."""
        return self.finish_reason in _TRUNCATED

    @property
    def tool_runs(self) -> tuple[ToolRun, ...]:
        """The calls of tools in `steps`, each with its result."""
        results = {message.get("tool_call_id"): message for message in self.steps if message.get("role") == "tool"}
        calls = [call for message in self.steps for call in message.get("tool_calls") or ()]
        return tuple(as_tool_run(call, results.get(call.get("id"))) for call in calls)

    @property
    def requests(self) -> int:
        """How many requests led to this response: one for each step that asked for tools, and one for the rest."""
        return 1 + len([message for message in self.steps if message.get("role") == "assistant"])

    def replace(self, **fields: Any) -> Response:
        """Return a copy with some fields changed, in its choices as well: what is known of all of them."""
        choices = tuple(choice.replace(**fields) for choice in self.choices)
        return replace(self, **fields, choices=choices)

    def to_dict(self, *names: str) -> dict[str, Any]:
        """Return the response as JSON data.

        Args:
            names: The fields to return, also if they are not set. Without names: the text and every other field that
                is set, except `raw`, `format`, and a `parsed` that was read from the text.

        Examples:
            >>> Response("Hi", finish_reason="stop").to_dict()
            {'text': 'Hi', 'finish_reason': 'stop'}
            >>> Response("Hi").to_dict("text", "usage")
            {'text': 'Hi', 'usage': None}
        """
        data = {name: _to_data(name, getattr(self, name)) for name in names or _DATA_FIELDS}
        if names:
            return data
        data = {name: value for name, value in data.items() if value != _UNSET[name]}
        return {**data, "parsed": self.parsed} if self._is_vector else data

    @property
    def _is_vector(self) -> bool:
        return not self.text and isinstance(self.parsed, list)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Response:
        """Return the response that `to_dict` wrote.

        Args:
            data: JSON data; unknown names are ignored.

        Raises:
            ValueError: The data is not that of a response.
        """
        try:
            known = {name: _from_data(name, data[name]) for name in _DATA_FIELDS if name in data}
            response = cls(**known, parsed=data.get("parsed"))
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a response: {error}") from None
        if not isinstance(response.text, str):
            raise ValueError("not a response: its text is not a string")
        return response


def as_tool_run(call: Mapping[str, Any], message: Mapping[str, Any] | None = None) -> ToolRun:
    """Return a call of a tool with the message that has its result, if there is one."""
    function = call.get("function") or {}
    run = ToolRun(str(function.get("name", "")), str(function.get("arguments", "")), id=str(call.get("id", "")))
    if message is None:
        return run
    return replace(run, result=str(message.get("content", "")), is_error=bool(message.get("is_error")))


def _to_data(name: str, value: Any) -> Any:
    """Return a field of a response as JSON data."""
    if name == "usage":
        return {**value.to_dict(), **value.details} if value else None
    if name == "filters":
        return [asdict(verdict) for verdict in value]
    if name == "choices":
        return [choice.to_dict() for choice in value]
    if name == "headers":
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _from_data(name: str, value: Any) -> Any:
    """Return the field of a response that `_to_data` wrote."""
    if name == "usage":
        return _usage_from_data(value) if value is not None else None
    if name == "filters":
        return tuple(Verdict(**verdict) for verdict in value)
    if name == "choices":
        return tuple(Response.from_dict(choice) for choice in value)
    if name == "headers":
        return dict(value)
    return tuple(value) if name in {"tool_calls", "items", "notices", "steps"} else value


def _usage_from_data(data: Mapping[str, Any]) -> Usage:
    counts = {name: count for name, count in data.items() if name not in _DETAILS}
    return Usage(**counts, details={name: data[name] for name in _DETAILS if name in data})


_NOT_DATA = {"parsed", "raw", "format", "show_reasoning"}
_DATA_FIELDS = tuple(each.name for each in fields(Response) if each.name not in _NOT_DATA)
_UNSET = {name: _to_data(name, getattr(Response(""), name)) for name in _DATA_FIELDS} | {"text": None}
