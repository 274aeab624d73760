"""Reads the message object of Anthropic's Messages API: its content blocks, why it stopped, and its usage.

Source: Anthropic API reference, "Messages".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ContentFilterError
from ..response import Response, Usage, Verdict
from .failures import make_empty_text_error, make_missing_text_error
from .json_body import as_text, text_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FINISH_REASONS = {  # in the words of the chat route; other ones, such as pause_turn, are kept
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_PROMPT_PARTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_SEPARATOR = "\n\n"  # between blocks of thoughts


def parse_message(value: Any) -> Response:
    """Return the response in a decoded message object.

    Raises:
        ContentFilterError: The model refuses; `response` has the text up to there.
        ModelError: The message is empty, and does not say why.
        ResponseFormatError: The value is not a message object.
    """
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, list):
        raise make_missing_text_error(value)
    blocks = [block for block in content if isinstance(block, dict)]
    response = make_response(blocks, value)
    raise_if_refused(value, response)
    if not (blocks or response.finish_reason):
        raise make_empty_text_error()
    return response


def make_response(blocks: list[dict[str, Any]], value: Mapping[str, Any]) -> Response:
    """Return what is in content blocks, and what the message says about itself."""
    return Response(
        _join(blocks, "text", "text", ""),
        raw=value,
        usage=parse_usage(value.get("usage")),
        finish_reason=finish_reason_of(value),
        model=text_or_none(value.get("model")) or "",
        id=text_or_none(value.get("id")) or "",
        tool_calls=tuple(to_tool_call(block) for block in blocks if block.get("type") == "tool_use"),
        reasoning=_join(blocks, "thinking", "thinking", _SEPARATOR),
        items=tuple(blocks),
    )


def _join(blocks: Iterable[dict[str, Any]], kind: str, name: str, separator: str) -> str:
    return separator.join(text_or_none(block.get(name)) or "" for block in blocks if block.get("type") == kind)


def to_tool_call(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool_use block as the chat route writes it."""
    function = {"name": text_or_none(block.get("name")) or "", "arguments": as_text(block.get("input") or {})}
    return {"id": block.get("id"), "type": "function", "function": function}


def finish_reason_of(value: Mapping[str, Any]) -> str | None:
    """Return why a message ended, in the words of the chat route; None if it does not say."""
    reason = text_or_none(value.get("stop_reason"))
    return _FINISH_REASONS.get(reason, reason) if reason else None


def raise_if_refused(value: Mapping[str, Any], response: Response | None = None) -> None:
    """Raise ContentFilterError if the model refuses; the error keeps the `response`."""
    if value.get("stop_reason") != "refusal":
        return
    details = value.get("stop_details")
    details = details if isinstance(details, dict) else {}
    category, explanation = (text_or_none(details.get(name)) for name in ("category", "explanation"))
    why = ": ".join(filter(None, [category, explanation]))
    error = ContentFilterError(
        "The content filter stopped the response (stop reason refusal)" + (f": {why}" if why else ""),
        remedy="Rephrase the prompt.",
        status=200,
        filters=[Verdict(category, filtered=True, detail=explanation or "")] if category else (),
    )
    error.response = response
    raise error


def parse_usage(usage: Any) -> Usage | None:
    """Return the token counts under the names of the chat route.

    `input_tokens` leaves out what was read from the cache or written to it: the prompt is the sum of the three.
    """
    if not isinstance(usage, dict):
        return None
    counts = [usage[name] for name in _PROMPT_PARTS if isinstance(usage.get(name), int)]
    details = usage.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
    return Usage.from_wire(
        {
            "prompt_tokens": sum(counts) if counts else None,
            "completion_tokens": usage.get("output_tokens"),
            "prompt_tokens_details": _known(
                cached_tokens=usage.get("cache_read_input_tokens"),
                cache_creation_tokens=usage.get("cache_creation_input_tokens"),
            ),
            "completion_tokens_details": _known(reasoning_tokens=thinking),
        }
    )


def _known(**counts: Any) -> dict[str, int] | None:
    return {name: count for name, count in counts.items() if isinstance(count, int)} or None
