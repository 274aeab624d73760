"""Reads OpenAI's list of choices, whole and streamed, in chat (`message`, `delta`) and completions (`text`).

Sources: Azure AI Model Inference API and Azure OpenAI references; vLLM, which names the reasoning `reasoning`.
"""

from __future__ import annotations

from typing import Any

from ..errors import ModelError, ResponseFormatError
from ..response import Chunk, Response, Usage
from .failures import make_missing_text_error, raise_if_filtered
from .tool_calls import normalize_tool_calls

# Keys of an event that comes before the text and has no choices.
_PREAMBLE = ("id", "object", "model", "prompt_filter_results")


def parse_choices(value: Any) -> Response:
    """Return the response in the first choice of a decoded body.

    Raises:
        ContentFilterError: The finish reason is the content filter's; `response` has the text up to there.
        ModelError: The choice is empty.
        ResponseFormatError: There is no choice, or it has neither a message nor a text.
    """
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list):
        raise make_missing_text_error(value)
    if not choices or not isinstance(choices[0], dict):
        raise ResponseFormatError("The response has no choices", remedy="Try again, then check the deployment's logs.")
    choice = choices[0]
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    text = extract_text(message.get("content")) if message else extract_text(choice.get("text"))
    response = Response(
        text=text or extract_text(message.get("refusal")),
        raw=value,
        usage=Usage.from_wire(value.get("usage")),
        finish_reason=text_or_none(choice.get("finish_reason")),
        tool_calls=normalize_tool_calls(message.get("tool_calls")),
        reasoning=extract_reasoning(message),
        model=text_or_none(value.get("model")) or "",
        logprobs=choice.get("logprobs"),
    )
    raise_if_filtered(response.finish_reason, response)
    if not message and "text" not in choice:
        raise ResponseFormatError(
            "The response's choice has neither a message nor a text", remedy="Check the formatter and route."
        )
    if not (response.text or response.tool_calls or response.reasoning or response.finish_reason):
        raise ModelError("The deployment returned an empty choice", remedy="Look at its logs.", status=200)
    return response


def parse_choices_event(value: dict[str, Any]) -> Chunk | None:
    """Return what the first choice of an event adds; None for an event without choices, such as a preamble.

    Raises:
        ResponseFormatError: The event has no choices and is not known to come without them.
    """
    choices = value.get("choices")
    if choices:
        return _parse_delta(choices[0] if isinstance(choices, list) else choices, value)
    if choices is not None:
        usage = Usage.from_wire(value.get("usage"))
        return Chunk(usage=usage, model=text_or_none(value.get("model")) or "") if usage else None
    if any(key in value for key in _PREAMBLE):
        return None
    raise make_missing_text_error(value)


def _parse_delta(choice: Any, value: dict[str, Any]) -> Chunk:
    delta = (choice.get("delta") or choice.get("message") or choice) if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        raise make_missing_text_error(value)
    return Chunk(
        text=extract_text(delta.get("content") or delta.get("text")),
        reasoning=extract_reasoning(delta),
        tool_calls=normalize_tool_calls(delta.get("tool_calls")),
        usage=Usage.from_wire(value.get("usage")),
        finish_reason=text_or_none(choice.get("finish_reason")),
        logprobs=choice.get("logprobs"),
        model=text_or_none(value.get("model")) or "",
    )


def extract_text(content: Any) -> str:
    """Return the text of a message's content: a text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(extract_text(part) for part in content if isinstance(part, (str, dict)))
    if isinstance(content, dict):
        text = content.get("text")
        return text if isinstance(text, str) else ""
    return ""


def extract_reasoning(message: dict[str, Any]) -> str:
    """Return the text of a message's `reasoning_content`, or of its `reasoning`."""
    return extract_text(message.get("reasoning_content") or message.get("reasoning"))


def text_or_none(value: Any) -> str | None:
    """Return a text that is not empty, else None."""
    return value if isinstance(value, str) and value else None
