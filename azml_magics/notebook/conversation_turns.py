"""-c NAME: the turns of a conversation, kept under its name and sent with the next prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.endpoints import Origin
from azml_magics.core.messages import without_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

    from .context import NotebookContext


def with_earlier_turns(
    context: NotebookContext, name: str, messages: Sequence[Message], config: LLMConfig
) -> list[Message]:
    """Return the messages after the turns that the conversation has; a system message stays first.

    The last response goes back with its items (encrypted reasoning, signed thoughts), if it goes to the model that made
    them: no other can read them.
    """
    session = context.session
    earlier = session.conversations.get(name, [])
    if session.conversation_models.get(name) != _model_of(config):
        earlier = [without_items(turn) for turn in earlier]
    system = [turn for turn in messages if turn.get("role") == "system"]
    return [*system, *earlier, *(turn for turn in messages if turn.get("role") != "system")]


def keep_turns(
    context: NotebookContext, name: str, messages: Sequence[Message], response: Response, config: LLMConfig
) -> None:
    """Store the conversation with the messages that were sent and the response.

    The system message is not stored: it is the config's. Nor are tool calls, other than as text: a turn that has them
    may only be followed by their results.
    """
    turns = [without_items(turn) for turn in messages if turn.get("role") != "system"]
    last: Message = {"role": "assistant", "content": _content_of(response)}
    if response.items and not response.tool_calls:
        last["items"] = list(response.items)
    context.session.conversations[name] = [*turns, last]
    context.session.conversation_models[name] = _model_of(config)


def _model_of(config: LLMConfig) -> str:
    """What tells one model from another."""
    return f"{Origin.of(config.endpoint_url)} {config.model or ''} {config.deployment_name}"


def _content_of(response: Response) -> str:
    """The response as text, with its tool calls."""
    functions = [call.get("function", {}) for call in response.tool_calls]
    calls = [f"[called {function.get('name')}({function.get('arguments', '')})]" for function in functions]
    return "\n".join(filter(None, [response.text, *calls]))
