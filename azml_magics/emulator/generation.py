"""What a client wants generated, independent of the wire format: a prompt, the turns before it, and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DEFAULT_MAX_TOKENS = 256
"""The Inference API's documented default; used on every route, so that no demo is cut at Llama's native 16."""

LIMITS = ("max_new_tokens", "max_tokens", "max_gen_len", "max_completion_tokens")
"""The names by which the different images take the token limit."""

_MAX_NUMBER = 10**9


@dataclass(frozen=True)
class GenerationSettings:
    """The model kwargs that have an effect on the generated text.

    Attributes:
        max_tokens: The token limit, or None for no limit.
        min_tokens: Tokens to generate at least (vLLM).
        stop: Sequences before which the text ends.
        temperature: With `seed`, it chooses among the prepared replies.
        seed: Any integer, or None if absent.
        return_full_text: Whether the prompt is repeated, or None if absent.
        effort: How long a reasoning model is to think, or "" if absent.
    """

    max_tokens: int | None = None
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int | None = None
    return_full_text: bool | None = None
    effort: str = ""


@dataclass(frozen=True)
class GenerationRequest:
    """One prompt with its context.

    Attributes:
        prompt: The last user message, or the prompt of a completion.
        system: The system message, "" if absent.
        earlier: The turns before the prompt, as (role, text).
        tool_results: (tool name, text) of the tool messages that end the conversation.
        attachments: Descriptions of image and audio parts.
        task: "text", "summary" or "translation".
        settings: The model kwargs.
        index: The position among the choices of one request (`n`).
        first_variant: Which prepared reply is the first one. Deployments differ in it, as models differ.
        tools: The names of the tools that are offered.
    """

    prompt: str
    system: str = ""
    earlier: tuple[tuple[str, str], ...] = ()
    tool_results: tuple[tuple[str, str], ...] = ()
    attachments: tuple[str, ...] = ()
    task: str = "text"
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    index: int = 0
    first_variant: int = 0
    tools: tuple[str, ...] = ()

    @property
    def variant(self) -> int:
        """Which of the prepared replies to give: the next one for every 0.3 of temperature, seed and choice."""
        settings = self.settings
        return self.first_variant + round(settings.temperature * 10) // 3 + (settings.seed or 0) + self.index


def read_lenient_settings(parameters: Any) -> GenerationSettings:
    """Return the settings in the `parameters` or `params` of /score, where a wrong value is ignored."""
    given = parameters if isinstance(parameters, dict) else {}
    stop = given.get("stop", given.get("stop_sequences"))
    marks = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    full = given.get("return_full_text")
    limit = next((given[name] for name in LIMITS if isinstance(given.get(name), int)), DEFAULT_MAX_TOKENS)
    return GenerationSettings(
        max_tokens=max(0, int(limit)),
        min_tokens=_number(given.get("min_new_tokens"), 0, int),
        stop=tuple(mark for mark in marks if isinstance(mark, str)),
        temperature=_number(given.get("temperature"), 0.0, float),
        seed=given.get("seed") if isinstance(given.get("seed"), int) else None,
        return_full_text=full if isinstance(full, bool) else None,
    )


def _number(value: Any, default: Any, kind: type) -> Any:
    return kind(value) if isinstance(value, int | float) and abs(value) < _MAX_NUMBER else default
