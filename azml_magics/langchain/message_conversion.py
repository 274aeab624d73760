"""LangChain messages <-> the message dicts of the wire: roles, content parts, tool calls, names.

    messages_to_wire([SystemMessage("Be brief."), HumanMessage("Hello")])
    -> [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]

The reasoning of a reasoning model is not sent back, as Azure's documentation requires; encrypted reasoning and signed
thoughts go into `items`, for the wire formats that want them back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from ..core.errors import PromptError
from . import items
from .content_blocks import to_content_parts

_ROLES: tuple[tuple[type[BaseMessage], str], ...] = (
    (HumanMessage, "user"),
    (AIMessage, "assistant"),
    (SystemMessage, "system"),
    (ToolMessage, "tool"),
    (FunctionMessage, "function"),
)
_PLAIN: dict[str, type[BaseMessage]] = {"user": HumanMessage, "system": SystemMessage}
_OPENAI_ROLE = "__openai_role__"  # LangChain keeps the role "developer" of a system message here


def messages_to_wire(messages: Iterable[BaseMessage]) -> list[dict[str, Any]]:
    """Convert LangChain messages to role-and-content dicts.

    Args:
        messages: Messages of any LangChain class with a role.

    Returns:
        One dict per message, in OpenAI's chat form.

    Raises:
        PromptError: A message has no role, or a content block that cannot be sent.
    """
    return [message_to_wire(message) for message in messages]


def message_to_wire(message: BaseMessage) -> dict[str, Any]:
    """Convert one message; see `messages_to_wire`."""
    role = _get_role(message)
    spoken = role in {"assistant", "tool", "function"}
    wire: dict[str, Any] = {"role": role, "content": to_content_parts(message.content, spoken=spoken)}
    if isinstance(message, ToolMessage):
        wire["tool_call_id"] = message.tool_call_id
        return wire  # strict servers refuse a name here; the call already has it
    if message.name:
        wire["name"] = message.name
    if isinstance(message, AIMessage):
        calls = _tool_calls_to_wire(message)
        if calls:
            wire["tool_calls"] = calls
        kept = items.find_items(message, wire["content"])
        if kept:
            wire["items"] = kept
    return wire


def _get_role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for kind, role in _ROLES:
        if isinstance(message, kind):
            return str(message.additional_kwargs.get(_OPENAI_ROLE, role)) if role == "system" else role
    raise PromptError(
        f"A {type(message).__name__} has no role that an endpoint knows",
        remedy="Use HumanMessage, AIMessage, SystemMessage, ToolMessage, or ChatMessage with a role.",
    )


def _tool_calls_to_wire(message: AIMessage) -> list[dict[str, Any]]:
    calls = [
        _tool_call_to_wire(call["id"], call["name"], json.dumps(call["args"], ensure_ascii=False))
        for call in message.tool_calls
    ]
    calls += [
        _tool_call_to_wire(call["id"], call["name"] or "", call["args"] or "") for call in message.invalid_tool_calls
    ]
    return calls or list(message.additional_kwargs.get("tool_calls") or ())


def _tool_call_to_wire(identity: str | None, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


# ---- from the wire -------------------------------------------------------------------------------------------


def messages_from_wire(messages: Iterable[dict[str, Any]]) -> list[BaseMessage]:
    """Convert role-and-content dicts to LangChain messages.

    Args:
        messages: Dicts in OpenAI's chat form.

    Returns:
        One message per dict; an unknown role gives a ChatMessage.

    Raises:
        PromptError: A message has no role.
    """
    return [message_from_wire(message) for message in messages]


def message_from_wire(wire: dict[str, Any]) -> BaseMessage:
    """Convert one dict; see `messages_from_wire`. A null content, as with tool calls, becomes ""."""
    role = wire.get("role")
    if not isinstance(role, str) or not role:
        raise PromptError("A message has no role", remedy='Give it one: {"role": "user", "content": "…"}.')
    content = wire.get("content")
    common: dict[str, Any] = {"content": "" if content is None else content, "name": wire.get("name")}
    if role == "assistant":
        return _assistant_message(wire, common)
    if role == "developer":
        return SystemMessage(**common, additional_kwargs={_OPENAI_ROLE: role})
    if role == "tool":
        return ToolMessage(**common, tool_call_id=str(wire.get("tool_call_id") or ""))
    if role == "function" and common["name"]:
        return FunctionMessage(**common)
    return _PLAIN[role](**common) if role in _PLAIN else ChatMessage(**common, role=role)


def _assistant_message(wire: dict[str, Any], common: dict[str, Any]) -> AIMessage:
    calls, invalid = tool_calls_from_wire(wire.get("tool_calls") or ())
    reasoning = wire.get("reasoning_content")
    kept = {"reasoning_content": reasoning, items.KEY: list(wire.get("items") or ())}
    return AIMessage(
        **common,
        tool_calls=calls,
        invalid_tool_calls=invalid,
        additional_kwargs={name: value for name, value in kept.items() if value},
    )


def tool_calls_from_wire(calls: Iterable[dict[str, Any]]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return (valid, invalid) tool calls of a response; valid ones have a name and a JSON object as arguments."""
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in calls:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        name, given = function.get("name"), function.get("arguments")
        identity = None if call.get("id") is None else str(call["id"])  # some servers count their calls: 0, 1
        arguments = _parse_arguments(given)
        if arguments is not None and isinstance(name, str) and name:
            valid.append(ToolCall(name=name, args=arguments, id=identity, type="tool_call"))
        else:
            text = given if isinstance(given, str) else json.dumps(given)
            problem = "The arguments are not a JSON object" if arguments is None else "The call names no function"
            invalid.append(InvalidToolCall(name=name, args=text, id=identity, error=problem, type="invalid_tool_call"))
    return valid, invalid


def _parse_arguments(arguments: Any) -> dict[str, Any] | None:
    """Return the arguments as a dict: {} if the server omits them, None if they are not a JSON object."""
    if arguments is None or arguments == "":
        return {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments, strict=False)
        except (ValueError, RecursionError):
            return None
    return arguments if isinstance(arguments, dict) else None
