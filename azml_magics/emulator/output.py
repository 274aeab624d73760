"""What one choice of a chat or completion holds before it is written down: text in parts, tool calls, reasoning."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens, tools
from azml_magics.emulator.jsonish import json_object
from azml_magics.emulator.keywords import topic
from azml_magics.emulator.schema import structured as fill_schema
from azml_magics.emulator.words import answers

if TYPE_CHECKING:
    from azml_magics.emulator.asking import Ask


@dataclass(frozen=True)
class Output:
    """`parts` are the tokens, each a chunk when streamed; `calls` as in `tool_calls`; `reasoning` is apart."""

    parts: list[str]
    finish_reason: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    reasoning: str = ""

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def reasoning_tokens(self) -> int:
        return tokens.count(self.reasoning)

    @property
    def tokens(self) -> int:
        """The tokens of text, calls and reasoning, as usage counts them."""
        called = sum(tokens.count(c["function"]["name"]) + tokens.count(c["function"]["arguments"]) for c in self.calls)
        return len(self.parts) + called + self.reasoning_tokens

    def reasoned(self, ask: Ask, *, inline: bool) -> Output:
        """The same with a reasoning text: apart, or inside <think> tags as api-version 2024-05-01-preview has it."""
        thought = f"The request is about {topic(ask.prompt)}. A demo endpoint cannot reason; it picks words by rule."
        if not inline:
            return replace(self, reasoning=thought)
        before = ["<think>", *tokens.tokenize(f"\n{thought}\n"), "</think>", "\n\n"]
        return replace(self, parts=[*before, *self.parts])


def chat_outputs(ask: Ask, n: int, calls: list[dict[str, Any]], schema: dict[str, Any] | None) -> list[Output]:
    """`n` choices: tool calls, or an object for `schema` ({} for any object), or text."""
    if calls:
        made = [tools.call(function, ask, at) for at, function in enumerate(calls)]
        return [Output([], "tool_calls", made)] * n
    if schema is not None:
        choices = ask.choices()
        value = fill_schema(schema, ask.prompt) if schema else json_object(ask.prompt, choices)
        ending = tokens.end_at(json.dumps(value, ensure_ascii=False), ask.settings.max_tokens, ask.settings.stop)
        return [Output(ending.tokens, ending.finish_reason)] * n
    return [Output(ending.tokens, ending.finish_reason) for ending in answers(ask, n)]
