"""-c NAME: the turns of a conversation, kept under its name and sent with the next prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

    from .context import NotebookContext


def with_earlier_turns(context: NotebookContext, name: str, messages: Sequence[Message]) -> list[Message]:
    """Return the messages after the turns that the conversation has; a system message stays first."""
    earlier = context.session.conversations.get(name, [])
    system = [turn for turn in messages if turn.get("role") == "system"]
    return [*system, *earlier, *(turn for turn in messages if turn.get("role") != "system")]


def keep_turns(context: NotebookContext, name: str, messages: Sequence[Message], response: Response) -> None:
    """Store the conversation with the messages that were sent and the response.

    The system message is not stored: it is the config's.
    """
    turns = [dict(turn) for turn in messages if turn.get("role") != "system"]
    context.session.conversations[name] = [*turns, {"role": "assistant", "content": _content_of(response)}]


def _content_of(response: Response) -> str:
    """The response as a turn. Tool calls become text: a turn that has them may only be followed by their results."""
    functions = [call.get("function", {}) for call in response.tool_calls]
    calls = [f"[called {function.get('name')}({function.get('arguments', '')})]" for function in functions]
    return "\n".join(filter(None, [response.text, *calls]))
