"""What the messages of an agent's run come to: the text of the last one, the steps before it, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.response import ToolRun
from .outputs import message_facts, piece_text, reasoning_text, sum_usage, tool_call_to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..core.messages import Message

_SPOKEN = {"ai", "AIMessageChunk"}


def is_of_model(message: Any) -> bool:
    """Whether a model said it."""
    return getattr(message, "type", "") in _SPOKEN


def is_of_tool(message: Any) -> bool:
    """Whether it is the result of a tool."""
    return getattr(message, "type", "") == "tool"


def after_prompt(messages: Sequence[Any]) -> list[Any]:
    """Return the messages after the last one of the user."""
    last = max((at for at, message in enumerate(messages) if getattr(message, "type", "") == "human"), default=-1)
    return list(messages[last + 1 :])


def agent_facts(messages: Iterable[Any], *, is_whole: bool = True) -> dict[str, Any]:
    """Return the fields of a Response that an agent's messages tell.

    Args:
        messages: What the models and the tools said in a run, in order. The last message is the response, which is a
            tool's if the tool returns directly.
        is_whole: Whether the run has ended by itself; else all messages are steps before a response that did not come.
    """
    said = [message for message in messages if is_of_model(message) or is_of_tool(message)]
    last = said[-1] if said and is_whole else None
    thoughts = [reasoning_text(message) for message in said]
    before = said[:-1] if is_of_model(last) else said
    facts = message_facts(last) if last is not None else {}
    return {
        **facts,
        "text": piece_text(last) if last is not None else "",
        "usage": sum_usage(said),
        "reasoning": "\n\n".join(filter(None, thoughts)),
        "steps": tuple(_step(message) for message in before),
    }


def _step(message: Any) -> Message:
    text = piece_text(message)
    if is_of_tool(message):
        failed = {"is_error": True} if getattr(message, "status", "") == "error" else {}
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": text, **failed}
    calls = [tool_call_to_wire(call) for call in getattr(message, "tool_calls", None) or ()]
    return {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}


class ToolRuns:
    """Pairs the tool calls of models with their results."""

    def __init__(self) -> None:
        self._asked: dict[Any, ToolRun] = {}

    def read(self, message: Any) -> Iterator[ToolRun]:
        """Return each call of a model's message as a run that begins, or the run that a tool's result ends."""
        if is_of_model(message):
            for call in getattr(message, "tool_calls", None) or ():
                function = tool_call_to_wire(call)["function"]
                run = ToolRun(str(function["name"]), function["arguments"], id=str(call.get("id") or ""))
                self._asked[call.get("id")] = run
                yield run
        elif is_of_tool(message):
            asked = self._asked.get(message.tool_call_id) or ToolRun(str(message.name or ""), id=message.tool_call_id)
            failed = getattr(message, "status", "") == "error"
            yield ToolRun(asked.name, asked.arguments, piece_text(message), is_error=failed, id=asked.id)
