"""The text that the demo endpoint generates for a prompt: always the same for the same request."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from azml_magics.emulator import tokens
from azml_magics.emulator.canned_replies import find_entry, find_reply
from azml_magics.emulator.summary import summarize, summarize_prompt
from azml_magics.emulator.unknown_prompts import reply_to_attachments, reply_to_unknown

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationRequest

_MAX_MIN_TOKENS = 20_000


@lru_cache(maxsize=256)
def generate(request: GenerationRequest) -> tokens.LimitedText:
    """Return the tokens for a request and why they end, after stop sequences and max_tokens.

    With min_tokens or ignore_eos (vLLM) the text is repeated until it is long enough.
    """
    settings = request.settings
    text = compose(request)
    result = tokens.apply_limits(text, settings.max_tokens, settings.stop)
    wanted = min(settings.min_tokens, _MAX_MIN_TOKENS)
    if len(result.tokens) >= wanted:
        return result
    repeated = " ".join([text] * (1 + wanted // tokens.count(text)))
    return tokens.apply_limits(repeated, settings.max_tokens or wanted, settings.stop)


def generate_several(request: GenerationRequest, n: int) -> list[tokens.LimitedText]:
    """Return `n` results for one request; they differ as far as there are several prepared replies."""
    return [generate(replace(request, index=index)) for index in range(n)]


def compose(request: GenerationRequest) -> str:
    """Return the whole text for a request, before limits apply."""
    if request.task == "summary":
        return summarize(request.prompt)
    entry = find_entry(request)
    if request.tool_results and not (entry and entry.calls):
        return _report_tools(request)
    if request.attachments:
        return reply_to_attachments(request.prompt, request.attachments)
    conversation = " ".join(text for _, text in request.earlier)
    return (
        find_reply(request, request.variant)
        or summarize_prompt(request.prompt, conversation)
        or reply_to_unknown(request.prompt, request.variant)
    )


def _report_tools(request: GenerationRequest) -> str:
    lines = (_report(name or "The tool", text.strip()[:600]) for name, text in request.tool_results)
    return " ".join(line if line.endswith((".", "!", "?")) else f"{line}." for line in lines)


def _report(name: str, text: str) -> str:
    if text.startswith("Error:"):
        return f"I could not find that out: {text.removeprefix('Error:').strip()}"
    return f"{name} returned: {text}"
