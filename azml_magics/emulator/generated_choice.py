"""One choice of a chat or completion, before it is written in a wire format: text, tool calls, reasoning."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens, tool_calls
from azml_magics.emulator.canned_replies import find_entry, find_reply
from azml_magics.emulator.json_schema_values import has_properties_of, value_for_schema
from azml_magics.emulator.responder import generate_several
from azml_magics.emulator.unknown_prompts import reason_about, reply_to_unknown

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationRequest

_QUOTED_NAME = re.compile(r"(?<!\w)[\"'`“\u2018]([^\W\d][\w.-]{0,40})[\"'`”\u2019](?!\w)")


@dataclass(frozen=True)
class GeneratedChoice:
    """What one choice contains.

    Attributes:
        parts: The tokens of the text. Each is a chunk of a stream.
        finish_reason: "stop", "length" or "tool_calls".
        calls: Tool calls, in the form of `tool_calls` in a message.
        reasoning: The reasoning, which is sent apart from the text.
        is_refusal: Whether the text refuses what the prompt asks for.
    """

    parts: list[str]
    finish_reason: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    reasoning: str = ""
    is_refusal: bool = False

    @property
    def text(self) -> str:
        """The text of the choice."""
        return "".join(self.parts)

    @property
    def reasoning_tokens(self) -> int:
        """The number of tokens of the reasoning."""
        return tokens.count(self.reasoning)

    @property
    def tokens(self) -> int:
        """The number of tokens of text, calls and reasoning, as usage counts them."""
        called = sum(tokens.count(c["function"]["name"]) + tokens.count(c["function"]["arguments"]) for c in self.calls)
        return len(self.parts) + called + self.reasoning_tokens

    def with_reasoning(self, reasoning: str, *, inline: bool = False) -> GeneratedChoice:
        """Return the choice with a reasoning text.

        Args:
            reasoning: The text.
            inline: Put it into the text inside <think> tags, as api-version 2024-05-01-preview does.
        """
        if not inline:
            return replace(self, reasoning=reasoning)
        before = ["<think>", *tokens.tokenize(f"\n{reasoning}\n"), "</think>", "\n\n"]
        return replace(self, parts=[*before, *self.parts])

    def with_limit(self, max_tokens: int | None) -> GeneratedChoice:
        """Return the choice within a limit that counts its reasoning too; the text may be empty then."""
        if max_tokens is None or self.tokens <= max_tokens:
            return self
        thoughts = tokens.tokenize(self.reasoning)[:max_tokens]
        parts = self.parts[: max_tokens - len(thoughts)]
        return replace(self, parts=parts, finish_reason="length", calls=[], reasoning="".join(thoughts))


def reasoning_for(request: GenerationRequest) -> str:
    """Return what a reasoning model thinks about a request: the prepared text, or one about the prompt."""
    entry = find_entry(request)
    return (entry.reasoning if entry else "") or reason_about(request.prompt, is_known=entry is not None)


def make_choices(
    request: GenerationRequest, n: int, calls: list[dict[str, Any]], schema: dict[str, Any] | None
) -> list[GeneratedChoice]:
    """Return the choices for a request.

    Args:
        request: The prompt and its settings.
        n: How many choices.
        calls: The functions to call. Without any the choices are text.
        schema: The JSON schema of the text, {} for any object, or None for free text.
    """
    if calls:
        made = [tool_calls.call(function, request, at) for at, function in enumerate(calls)]
        return [GeneratedChoice([], "tool_calls", made)] * n
    if schema is not None:
        text = json.dumps(_json_value(request, schema), ensure_ascii=False)
        limited = tokens.apply_limits(text, request.settings.max_tokens, request.settings.stop)
        return [GeneratedChoice(limited.tokens, limited.finish_reason)] * n
    entry = find_entry(request)
    refuses = entry is not None and entry.refusal
    texts = generate_several(request, n)
    return [GeneratedChoice(limited.tokens, limited.finish_reason, is_refusal=refuses) for limited in texts]


def _json_value(request: GenerationRequest, schema: dict[str, Any]) -> Any:
    """Return the prepared reply if it is JSON that fits, or else a value that is made from the prompt."""
    prepared = _parse_json(find_reply(request, request.variant) or "")
    if schema:
        return prepared if has_properties_of(schema, prepared) else value_for_schema(schema, request.prompt)
    if isinstance(prepared, dict):
        return prepared
    names = dict.fromkeys(_QUOTED_NAME.findall(request.prompt[:4000])[:20])
    return {name: f"example {name}" for name in names} or {"response": reply_to_unknown(request.prompt)}


def _parse_json(text: str) -> Any:
    """Return the JSON value of `text`, which may stand in a code fence, or None."""
    try:
        return json.loads(text.strip().removeprefix("```json").removesuffix("```"))
    except ValueError:
        return None
