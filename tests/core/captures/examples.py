"""The replies, streams and refusals in `2026/`, and what must be read in each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, EndpointError

if TYPE_CHECKING:
    from azml_magics.core.response import Response, Usage

FOLDER = Path(__file__).parent / "2026"
RESPONSES, ANTHROPIC = "/openai/v1/responses", "/anthropic/v1/messages"
CHAT, EMBEDDINGS, SCORE = "/openai/v1/chat/completions", "/openai/v1/embeddings", "/score"
SEA = "Rivers wash salts into it."
STOP, LENGTH, TOOLS = "stop", "length", "tool_calls"


@dataclass(frozen=True)
class Counts:
    """Token counts: of the prompt, of the response, and which of them were reasoned or cached."""

    prompt: int
    completion: int
    reasoning: int = 0
    cached: int = 0


@dataclass(frozen=True)
class Filter:
    """One verdict of a content filter that must be among the response's."""

    category: str
    source: str
    filtered: bool = False
    severity: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Example:
    """One file and what is read in it.

    Attributes:
        file: The path inside `2026/`.
        path: The route that it answers on.
        formatter: Needed only if the route implies none.
        text: The answer; `vectors` for an embedding.
        calls: Tool calls as (id, name, arguments).
        finish: The finish reason, in the words of the chat route.
        items: Types of the items that the next turn has to send back.
        then: The file of the reply to the request that follows.
        error: The class of the error, for a refusal.
        says: Words that the error's message or remedy must have.
        retry_after: Seconds that the refusal asks to wait.
    """

    file: str
    path: str
    formatter: str = ""
    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    counts: Counts | None = None
    finish: str = STOP
    model: str = ""
    filters: tuple[Filter, ...] = ()
    items: tuple[str, ...] = ()
    vectors: list[list[float]] = field(default_factory=list)
    then: str = ""
    error: str = ""
    says: tuple[str, ...] = ()
    retry_after: float | None = None

    @property
    def folder(self) -> str:
        """The folder, which is named for the wire."""
        return self.file.partition("/")[0]

    @property
    def is_stream(self) -> bool:
        """Whether the file is a stream of events."""
        return self.file.endswith(".sse")

    @property
    def status(self) -> int:
        """The HTTP status, which the names of refusals have in them."""
        status = self.file.partition("error-")[2][:3] or self.file.partition("/")[2][3:6]
        return int(status) if self.error and status.isdigit() else 200

    @property
    def head(self) -> dict[str, str]:
        """The headers of the reply."""
        kind = "text/event-stream" if self.is_stream else "application/json"
        lines = self._raw.decode().partition("\n\n")[0].splitlines()[1:] if self.file.endswith(".txt") else []
        return {"content-type": kind, **dict(line.split(": ", 1) for line in lines)}

    @property
    def body(self) -> bytes:
        """The body of the reply."""
        return self._raw.partition(b"\n\n")[2] if self.file.endswith(".txt") else self._raw

    @property
    def _raw(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def http(self) -> bytes:
        """The whole reply, with status line and headers."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.head.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body

    @property
    def replies(self) -> list[bytes]:
        """The reply, and the one to the request that follows it."""
        return [self.http, *([EXAMPLES_BY_FILE[self.then].http] if self.then else [])]


_MINI = "gpt-5-mini-2025-08-07"
_CLAUDE = "claude-sonnet-4-6"
_WEATHER = ("call_0001", "get_weather", {"city": "Lisbon"})
_JAILBREAK = Filter("jailbreak", "prompt", filtered=True)

EXAMPLES: tuple[Example, ...] = (
    # ---- OpenAI Responses
    Example("responses/01-reply.json", RESPONSES, text="Lisbon.", counts=Counts(19, 3), model=_MINI),
    Example(
        "responses/01b-reply-azure-content-filters.json", RESPONSES,
        text="Lisbon.", counts=Counts(19, 3), model=_MINI,
        filters=(Filter("jailbreak", "prompt"), Filter("violence", "completion", severity="safe")),
    ),
    Example(
        "responses/02-reply-reasoning.json", RESPONSES,
        text="Rivers wash salts from rock into it.",
        reasoning="**Recalling the water cycle**\n\nRivers carry dissolved ions.\n\n**Answering**\n\nKeep it short.",
        counts=Counts(13, 212, reasoning=192), model=_MINI, items=("reasoning", "message"),
    ),
    Example(
        "responses/03-reply-function-call.json", RESPONSES,
        calls=(_WEATHER,), counts=Counts(60, 24, reasoning=8), finish=TOOLS, model=_MINI,
        items=("reasoning", "function_call"),
    ),
    Example(
        "responses/04-reply-json-schema.json", RESPONSES,
        text='{"city":"Lisbon","country":"Portugal"}', counts=Counts(40, 12), model=_MINI,
    ),
    Example(
        "responses/07-reply-incomplete-max-tokens.json", RESPONSES,
        counts=Counts(12, 64, reasoning=64), finish=LENGTH, model=_MINI,
    ),
    Example(
        "responses/08-reply-queued.json", RESPONSES,
        text="Lisbon.", counts=Counts(19, 3), model=_MINI, then="responses/01-reply.json",
    ),
    Example(
        "responses/09-error-400-chat-operation.json", CHAT,
        error="BadRequestError", says=("gpt-5-codex", "openai-responses"),
    ),
    Example(
        "responses/09-error-400-content-filter.json", RESPONSES,
        error="ContentFilterError", filters=(_JAILBREAK,), says=("prompt",),
    ),
    Example(
        "responses/09-error-400-unsupported-parameter.json", RESPONSES, error="BadRequestError", says=("'temperature'",)
    ),
    Example("responses/10-stream-text.sse", RESPONSES, text="Lisbon.", counts=Counts(19, 3), model=_MINI),
    Example(
        "responses/11-stream-reasoning-summary.sse", RESPONSES,
        text=SEA, reasoning="**Recalling** rivers and rock.", counts=Counts(13, 212, reasoning=192), model=_MINI,
        items=("reasoning", "message"),
    ),
    Example(
        "responses/12-stream-function-call.sse", RESPONSES,
        calls=(_WEATHER,), counts=Counts(60, 16), finish=TOOLS, model=_MINI,
    ),
    Example(
        "responses/13-stream-error.sse", RESPONSES,
        error="RateLimitError", says=("Too many tokens",),
    ),
    Example(
        "responses/13-stream-incomplete.sse", RESPONSES,
        text="It begins", counts=Counts(12, 9), finish=LENGTH, model=_MINI,
    ),
    # ---- Anthropic Messages
    Example("anthropic/01-reply.json", ANTHROPIC, text="Lisbon.", counts=Counts(14, 12), model=_CLAUDE),
    Example(
        "anthropic/02-reply-thinking.json", ANTHROPIC,
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(14, 12), model=_CLAUDE, items=("thinking", "text"),
    ),
    Example(
        "anthropic/03-reply-tool-use.json", ANTHROPIC,
        text="I'll look.", calls=(("toolu_0001", "get_weather", {"city": "Lisbon"}),),
        counts=Counts(14, 12), finish=TOOLS, model=_CLAUDE,
    ),
    Example(
        "anthropic/06-error-400.json", ANTHROPIC, error="BadRequestError", says=("max_tokens: Field required",)
    ),
    Example("anthropic/06-error-429.json", ANTHROPIC, error="RateLimitError", says=("exceed the rate limit",)),
    Example("anthropic/10-stream-text.sse", ANTHROPIC, text="Lisbon.", counts=Counts(14, 6), model=_CLAUDE),
    Example(
        "anthropic/11-stream-thinking.sse", ANTHROPIC,
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(14, 40), model=_CLAUDE, items=("thinking", "text"),
    ),
    # ---- chat completions
    Example(
        "chat/01-error-400-max-tokens.json", CHAT, error="BadRequestError", says=("'max_completion_tokens'",)
    ),
    Example("chat/01-error-400-temperature.json", CHAT, error="BadRequestError", says=("'temperature'",)),
    Example(
        "chat/01-error-400-tools-reasoning-effort.json", CHAT,
        error="BadRequestError", says=("reasoning_effort", "openai-responses"),
    ),
    Example(
        "chat/02-reply-all-reasoning-no-answer.json", CHAT,
        counts=Counts(10, 64, reasoning=64), finish=LENGTH, model="m",
    ),
    Example(
        "chat/02-reply-reasoning-content.json", CHAT,
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(10, 5), model="m",
    ),
    Example(
        "chat/02-reply-think-tags.json", CHAT,
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(10, 5), model="m",
    ),
    Example(
        "chat/03-stream-think-tags.sse", CHAT, text=SEA, reasoning="Rivers carry ions.", model="m"
    ),
    Example(
        "chat/04-reply-mistral-thinking-chunks.json", CHAT,
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(10, 5), model="m",
    ),
    Example(
        "chat/06-reply-content-filter-results.json", CHAT,
        text="Lisbon.", counts=Counts(3254, 163, reasoning=128, cached=3200), model=_MINI,
        filters=(
            Filter("jailbreak", "prompt"),
            Filter("violence", "completion", severity="low"),
            Filter("protected_material_text", "completion", detail="https://example.org/x"),
        ),
    ),
    Example(
        "chat/06-stream-async-filter.sse", CHAT,
        text="Lisbon.", model="m", filters=(Filter("violence", "completion", severity="low"),),
    ),
    Example(
        "chat/08-reply-audio.json", CHAT,
        text="Golden retrievers are friendly.", counts=Counts(10, 5), model="m",
    ),
    # ---- /score of the curated image
    Example(
        "score/01-reply-reasoning.json", SCORE, "openai-chat",
        text=SEA, reasoning="Rivers carry ions.", counts=Counts(9, 12), model="m",
    ),
    Example(
        "score/03-reply-tool-calls.json", SCORE, "openai-chat",
        calls=(("call_1", "get_weather", {"city": "Lisbon"}),), counts=Counts(9, 12), finish=TOOLS, model="m",
    ),
    # ---- embeddings
    Example(
        "embeddings/01-reply.json", EMBEDDINGS, "embeddings",
        vectors=[[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], model="text-embedding-3-small",
    ),
    Example("embeddings/02-reply-score-mlflow.json", SCORE, "embeddings", vectors=[[0.1, 0.2, 0.3]]),
    Example(
        "embeddings/03-error-400-chat-on-embedding.json", CHAT,
        error="BadRequestError", says=("text-embedding-3-small", "embeddings"),
    ),
    # ---- refusals of any wire
    Example("errors/01-429-headers.txt", CHAT, error="RateLimitError", says=("token",), retry_after=26.0),
    Example("errors/02-401-audience.json", CHAT, error="AuthenticationError", says=("https://ai.azure.com",)),
    Example("errors/04-404-deployment.json", CHAT, error="NotFoundError", says=("deployment",)),
    Example(
        "errors/06-anthropic-400-sampling.json", ANTHROPIC, error="BadRequestError", says=("temperature",)
    ),
)  # fmt: skip
EXAMPLES_BY_FILE = {example.file: example for example in EXAMPLES}


def check_response(example: Example, response: Response) -> None:
    """Compare what was read with what the file says.

    Raises:
        AssertionError: They differ.
    """
    assert not example.error, f"read as an answer: {response!r}"
    if example.vectors:
        assert response.parsed == (example.vectors if len(example.vectors) > 1 else example.vectors[0])
        return
    assert response.text == example.text
    assert response.reasoning.strip() == example.reasoning
    assert response.finish_reason == example.finish
    assert response.model == example.model
    called = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in response.tool_calls
    ]
    assert called == list(example.calls)
    if example.counts:
        assert _counts_of(response.usage) == example.counts
    if example.items:
        assert [item["type"] for item in response.items] == list(example.items)
    _check_filters(example, response)


def _counts_of(usage: Usage | None) -> Counts | None:
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    assert usage.total_tokens == (prompt or 0) + (completion or 0)
    parts = {name: count for group in usage.details.values() for name, count in group.items()}
    reasoning, cached = parts.get("reasoning_tokens", 0), parts.get("cached_tokens", 0)
    return Counts(prompt or 0, completion or 0, reasoning, cached)


def _check_filters(example: Example, holder: Any) -> None:
    for wanted in example.filters:
        (found,) = (v for v in holder.filters if (v.category, v.source) == (wanted.category, wanted.source))
        assert found.filtered is wanted.filtered
        assert wanted.severity in (found.severity or "")
        assert wanted.detail in (found.detail or "")


def check_error(example: Example, error: AzmlError) -> None:
    """Compare the error that was raised with what the file says.

    Raises:
        AssertionError: They differ.
        AzmlError: No error was expected.
    """
    if not example.error:
        raise error
    assert type(error).__name__ == example.error
    message = str(error)
    assert "\n" not in message
    for words in example.says:
        assert words in message
    assert isinstance(error, EndpointError)
    assert example.is_stream or error.status == example.status
    if example.retry_after is not None:
        assert error.retry_after == example.retry_after
    _check_filters(example, error)
