"""Reads the response object of the Responses API: its output items, its status, its usage and its filters.

Sources: Microsoft Foundry's Responses API; OpenAI API reference, "Responses".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..errors import ModelError
from ..response import Response, Usage
from .failures import make_embedded_error, make_empty_text_error, make_missing_text_error, raise_if_filtered
from .filters import parse_verdicts
from .json_body import as_text, text_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..response import Verdict

UNFINISHED = ("queued", "in_progress")
"""The statuses of a response that the server still works on."""

SEPARATOR = "\n\n"
"""What stands between the texts of two messages, and between two parts of a summary."""

_INCOMPLETE = {"max_output_tokens": "length"}  # other reasons, such as content_filter, are finish reasons already
_USAGE = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
_USAGE_DETAILS = {"prompt_tokens_details": "input_tokens_details", "completion_tokens_details": "output_tokens_details"}


def parse_response_object(value: Any) -> Response:
    """Return the response in a decoded response object.

    Raises:
        ModelError: The server reports a failure, a cancellation or a response that is not ready, or sends no output.
        ContentFilterError: The content filter stopped the response; `response` has the text up to there.
        ResponseFormatError: The value is not a response object.
    """
    output = value.get("output") if isinstance(value, dict) else None
    if not isinstance(output, list):
        raise make_missing_text_error(value)
    raise_for_status(value)
    response = make_response(value, output)
    raise_if_filtered(response.finish_reason, response)
    if not (output or response.finish_reason == "length"):
        raise make_empty_text_error()
    return response


def make_response(value: dict[str, Any], output: list[Any]) -> Response:
    """Return what a response object says about itself, and what is in its output items."""
    return Response(
        SEPARATOR.join(filter(None, map(message_text, output))),
        raw=value,
        usage=parse_usage(value.get("usage")),
        finish_reason=_finish_reason_of(value, output),
        model=text_or_none(value.get("model")) or "",
        id=text_or_none(value.get("id")) or "",
        tool_calls=tuple(_tool_calls_of(output)),
        reasoning=SEPARATOR.join(filter(None, map(reasoning_text, output))),
        logprobs=_logprobs_of(output),
        items=tuple(item for item in output if isinstance(item, dict)),
        filters=tuple(_verdicts_of(value.get("content_filters"))),
    )


def raise_for_status(value: dict[str, Any]) -> None:
    """Raise the failure that a response object reports."""
    status = value.get("status")
    if status == "failed":
        raise make_embedded_error({"error": value.get("error") or {"message": "the response failed"}})
    if status == "cancelled":
        raise ModelError("The response was cancelled on the server", remedy="Send the prompt again.", status=200)
    if status in UNFINISHED:
        raise ModelError(
            "The server still works on the response",
            remedy="Send the prompt again, or raise total_timeout.",
            status=200,
        )


def _finish_reason_of(value: dict[str, Any], output: Iterable[Any]) -> str | None:
    """Return why a response ended, in the words of the chat route; None if it does not say."""
    status = value.get("status")
    if status == "incomplete":
        details = value.get("incomplete_details")
        reason = text_or_none(details.get("reason")) if isinstance(details, dict) else None
        return _INCOMPLETE.get(reason or "", reason) or "incomplete"
    if status != "completed":
        return None
    return "tool_calls" if any(_tool_calls_of(output)) else "stop"


def message_text(item: Any) -> str:
    """Return the text of an output item, its refusal included; "" for an item that is no message."""
    texts = {"output_text": "text", "refusal": "refusal"}
    parts = _parts(item, "message", "content")
    return "".join(text_or_none(part.get(texts.get(str(part.get("type")), ""))) or "" for part in parts)


def reasoning_text(item: Any) -> str:
    """Return the text of a reasoning item: its summary, or else the thoughts themselves, which open models send."""
    summary = _join_texts(_parts(item, "reasoning", "summary"), SEPARATOR)
    return summary or _join_texts(_parts(item, "reasoning", "content"), "")


def _join_texts(parts: Iterable[dict[str, Any]], separator: str) -> str:
    return separator.join(filter(None, (text_or_none(part.get("text")) for part in parts)))


def _parts(item: Any, kind: str, name: str) -> Iterator[dict[str, Any]]:
    parts = item.get(name) if isinstance(item, dict) and item.get("type") == kind else None
    return (part for part in parts if isinstance(part, dict)) if isinstance(parts, list) else iter(())


def _tool_calls_of(output: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Return the function calls among output items, as the chat route writes them."""
    for item in output:
        if isinstance(item, dict) and item.get("type") == "function_call":
            yield {"id": call_id_of(item), "type": "function", "function": function_of(item)}


def call_id_of(item: dict[str, Any]) -> str:
    """Return the id to which the result of a function call refers."""
    return text_or_none(item.get("call_id")) or text_or_none(item.get("id")) or ""


def function_of(item: dict[str, Any]) -> dict[str, str]:
    """Return the name and the arguments of a function call."""
    arguments = item.get("arguments")
    return {"name": text_or_none(item.get("name")) or "", "arguments": as_text(arguments) if arguments else ""}


def _verdicts_of(filters: Any) -> Iterator[Verdict]:
    """Return Azure's verdicts, one entry for the prompt and one for the completion."""
    for entry in filters if isinstance(filters, list) else ():
        if isinstance(entry, dict):
            source: Literal["prompt", "completion"] = "prompt" if entry.get("source_type") == "prompt" else "completion"
            yield from parse_verdicts(entry.get("content_filter_results"), source)


def parse_usage(usage: Any) -> Usage | None:
    """Return the token counts, with details under the names of the chat route."""
    if not isinstance(usage, dict):
        return None
    names = {**_USAGE, **_USAGE_DETAILS}
    return Usage.from_wire({name: usage.get(here) for name, here in names.items()})


def _logprobs_of(output: Iterable[Any]) -> Any:
    tokens = [
        token for item in output for part in _parts(item, "message", "content") for token in part.get("logprobs") or ()
    ]
    return {"content": tokens} if tokens else None
