"""The whole output of a Runnable as a Response: a text, a message, an agent's state, or any object."""

from __future__ import annotations

from typing import Any

from ..core.response import Response
from .agent_messages import after_prompt, agent_facts
from .outputs import (
    as_json,
    is_conversation,
    is_text,
    message_facts,
    messages_in,
    piece_text,
    reasoning_text,
    sum_usage,
)

_RAW_FIELDS = {"raw", "parsed", "parsing_error"}  # of with_structured_output(include_raw=True)


def response_of(output: Any, *, config: str, latency: float) -> Response:
    """Return the whole output of a Runnable as a Response.

    Args:
        output: A text or a message; the state of an agent, whose last message counts; what `with_structured_output`
            returns; or any object, whose text is its JSON.
        config: What messages call the Runnable.
        latency: Seconds that the call took.
    """
    facts: dict[str, Any] = {"config": config, "latency": latency}
    if is_text(output):
        thoughts = reasoning_text(output)
        return Response(piece_text(output), **facts, **message_facts(output), reasoning=thoughts)
    parsed = _parsed_of(output)
    if isinstance(output, dict) and output.keys() >= _RAW_FIELDS:
        facts |= message_facts(output["raw"]) | {"reasoning": reasoning_text(output["raw"])}
        text = piece_text(output["raw"]) if parsed is None else as_json(parsed)
        return Response(text, parsed=parsed, format="json" if parsed is not None else "markdown", **facts)
    if isinstance(output, dict) and is_conversation(output.get("messages")):
        facts |= agent_facts(after_prompt(output["messages"]))
        object_facts = {"text": as_json(parsed), "parsed": parsed, "format": "json"} if parsed is not None else {}
        return Response(**{**facts, **object_facts})
    usage = sum_usage(messages_in(output))
    return Response(as_json(parsed), parsed=parsed, usage=usage, format="json", **facts)


def parsing_error(output: Any) -> Exception | None:
    """Why `with_structured_output(include_raw=True)` found no object in the response; None if it did."""
    if isinstance(output, dict) and output.keys() >= _RAW_FIELDS and isinstance(output["parsing_error"], Exception):
        return output["parsing_error"]
    return None


def _parsed_of(output: Any) -> Any:
    """Return the object in an output; None for an agent's state without one."""
    if isinstance(output, dict) and output.keys() >= _RAW_FIELDS:
        return output["parsed"]
    if isinstance(output, dict) and is_conversation(output.get("messages")):
        return output.get("structured_response")
    return output
