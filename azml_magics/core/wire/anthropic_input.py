"""The request of Anthropic's Messages API: messages as turns of content blocks, and model kwargs under its names.

Kwargs of the chat route are put where this one has the same thing under another name, so that a config can move between
the two. Everything else is sent as it is.

Source: Anthropic API reference, "Messages".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import PromptError
from ..messages import text_of
from .renaming import take_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..messages import Message

DEFAULT_MAX_TOKENS = 4096
"""What is sent if no limit is set: the route requires one."""

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""The limit under its own name, then under those of OpenAI's routes."""

STOPS = ("stop_sequences", "stop")
"""The stop texts under their own name, then under that of the chat route."""

_SYSTEM_ROLES = {"system", "developer"}
_TOOL_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_OWN_BLOCKS = {"text", "thinking", "redacted_thinking", "tool_use"}

Block = dict[str, Any]


def split_system(messages: Sequence[Message]) -> tuple[str | list[Any], list[Message]]:
    """Return the system messages, which have a place of their own, and the other messages as turns.

    The system is a text; it is a list of blocks if one of the messages has parts, such as a text to be cached.
    """
    contents = [message.get("content") for message in messages if message.get("role") in _SYSTEM_ROLES]
    if all(isinstance(content, str) for content in contents):
        system: str | list[Any] = "\n\n".join(filter(None, contents))
    else:
        system = [block for content in contents for block in _to_blocks(content)]
    turns: list[Message] = []
    for message in messages:
        if message.get("role") not in _SYSTEM_ROLES:
            _add_turn(turns, message)
    return system, turns


def _add_turn(turns: list[Message], message: Message) -> None:
    """Add a message as a turn. The results of all tools that were called together make one turn of the user."""
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": _to_content(content)}
        if message.get("is_error"):
            result["is_error"] = True
        if turns and _has_tool_results(turns[-1]):
            turns[-1]["content"].append(result)
        else:
            turns.append({"role": "user", "content": [result]})
        return
    turns.append(
        {"role": role, "content": _assistant_content(message) if role == "assistant" else _to_content(content)}
    )


def declare_called_tools(turns: Sequence[Message]) -> dict[str, Any]:
    """Return `tools` and `tool_choice` for turns with calls of tools, for a request that offers none itself.

    The route refuses such turns in a request without tools. What a later prompt of a conversation cannot offer any
    more is declared by its name, and not to be called.
    """
    blocks = [block for turn in turns if isinstance(turn.get("content"), list) for block in turn["content"]]
    names = dict.fromkeys(
        str(block["name"])
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "tool_use" and block.get("name")
    )
    if not names:
        return {}
    tools = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in names]
    return {"tools": tools, "tool_choice": {"type": "none"}}


def _has_tool_results(turn: Message) -> bool:
    content = turn.get("content")
    return isinstance(content, list) and bool(content) and content[0].get("type") == "tool_result"


def _assistant_content(message: Message) -> Any:
    """Return the content of an assistant's turn: the blocks that the server sent, if the message keeps them.

    Thoughts that a limit cut short have no signature, and the server would refuse them, as it refuses empty texts.
    """
    kept = [block for block in message.get("items") or () if isinstance(block, dict) and _can_go_back(block)]
    if any(block.get("type") in _OWN_BLOCKS for block in kept):
        return kept
    calls = [call for call in message.get("tool_calls") or () if isinstance(call, dict)]
    content = message.get("content")
    if not calls:
        return _to_content(content)
    return [*_to_blocks(content), *map(_to_tool_use, calls)]


def _can_go_back(block: Block) -> bool:
    required = {"thinking": "signature", "text": "text"}.get(str(block.get("type")))
    return required is None or bool(block.get(required))


def _to_tool_use(call: Mapping[str, Any]) -> Block:
    function = call.get("function") or {}
    arguments = function.get("arguments") or {}
    return {
        "type": "tool_use",
        "id": call.get("id"),
        "name": function.get("name"),
        "input": _as_object(arguments),
    }


def _as_object(arguments: Any) -> dict[str, Any]:
    """Return the arguments of a tool call as an object, which this route requires; broken JSON stays a text in it."""
    if isinstance(arguments, str):
        try:
            value = json.loads(arguments)
        except (ValueError, RecursionError):
            value = arguments
    else:
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}


# ---- content ------------------------------------------------------------------------------------------------------


def _to_content(content: Any) -> Any:
    """Return a message's content: a text as it is, the parts of the chat route as blocks of this one."""
    return content if isinstance(content, str) else _to_blocks(content)


def _to_blocks(content: Any) -> list[Any]:
    """Return a message's content as blocks; empty texts, which this route refuses, are left out."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if content is not None and not isinstance(content, (list, tuple)):
        text_of(content)  # raises
    return [block for part in content or () if (block := _to_block(part)) is not None]


def _to_block(part: Any) -> Any:
    """Return a part of a message; one that the chat route does not have is taken for a block of this route."""
    if isinstance(part, str):
        part = {"type": "text", "text": part}
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return part if part.get("text") else None
    if kind == "image_url":
        image = part.get("image_url")
        return {"type": "image", "source": _to_source(image.get("url") if isinstance(image, dict) else image)}
    if kind == "file" and isinstance(part.get("file"), dict):
        return _to_document(part["file"])
    if kind == "input_audio":
        raise PromptError(
            "Anthropic's Messages API takes no audio, and the prompt has a part of type 'input_audio'",
            remedy="Use a deployment that takes audio, with the formatter openai-chat.",
            error_code="no-audio",
        )
    return part


def _to_source(url: Any) -> Block:
    """Return where an image or document is: its bytes from a data: URL, or its URL."""
    head, comma, data = str(url).partition(",")
    if not (head.startswith("data:") and comma):
        return {"type": "url", "url": url}
    media_type, _, encoding = head.removeprefix("data:").partition(";")
    if media_type == "text/plain" and encoding != "base64":
        return {"type": "text", "media_type": media_type, "data": data}
    return {"type": "base64", "media_type": media_type, "data": data}


def _to_document(file: Mapping[str, Any]) -> Block:
    name, url = file.get("filename"), file.get("file_data")
    source = {"type": "file", "file_id": file["file_id"]} if file.get("file_id") else _to_source(url)
    return {"type": "document", "source": source, **({"title": name} if name else {})}


# ---- model kwargs -------------------------------------------------------------------------------------------------


def rename_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model kwargs as the keys of the request's body, `max_tokens` first.

    `max_completion_tokens` and the like become `max_tokens`, unless that is given; `stop` becomes `stop_sequences`;
    `reasoning_effort` and `response_format` go into `output_config`; functions among `tools`, `tool_choice` and
    `parallel_tool_calls` are written as this route writes them.
    """
    body = dict(kwargs)
    take_first(body, LIMITS)
    take_first(body, STOPS)
    body = {"max_tokens": DEFAULT_MAX_TOKENS, **body}
    if isinstance(body.get("stop_sequences"), str):
        body["stop_sequences"] = [body["stop_sequences"]]
    if isinstance(body.get("tools"), list):
        body["tools"] = [_to_tool(tool) for tool in body["tools"]]
    if "tool_choice" in body:
        body["tool_choice"] = _to_tool_choice(body["tool_choice"])
    if "parallel_tool_calls" in body:
        choice = body.get("tool_choice")
        choice = choice if isinstance(choice, dict) else {"type": "auto"}
        body["tool_choice"] = {**choice, "disable_parallel_tool_use": not body.pop("parallel_tool_calls")}
    _add_output_config(body)
    return body


def _add_output_config(body: dict[str, Any]) -> None:
    given = body.get("output_config")
    config = dict(given) if isinstance(given, dict) else {}
    if "reasoning_effort" in body:
        config["effort"] = body.pop("reasoning_effort")
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        del body["response_format"]
        config["format"] = {"type": "json_schema", "schema": close_objects(wanted["json_schema"].get("schema"))}
    if config:
        body["output_config"] = config


def close_objects(schema: Any) -> Any:
    """Return a JSON schema whose objects say that they have no other properties, as this route requires."""
    if isinstance(schema, list):
        return [close_objects(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: value if name in _LITERALS else close_objects(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


_LITERALS = {"enum", "const", "default", "examples", "required"}  # their values are no schemas


def _to_tool(tool: Any) -> Any:
    """Return a function of the chat route, or of the Responses API, as a tool; a tool of this route as it is."""
    if not (isinstance(tool, dict) and tool.get("type") == "function"):
        return tool
    function = tool["function"] if isinstance(tool.get("function"), dict) else tool
    named = {"name": function.get("name"), "description": function.get("description")}
    return {
        **{name: value for name, value in named.items() if value is not None},
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
        **({"strict": True} if function.get("strict") else {}),
    }


def _to_tool_choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return {"type": _TOOL_CHOICES.get(choice, choice)}
    if isinstance(choice, dict) and choice.get("type") == "function":
        function = choice["function"] if isinstance(choice.get("function"), dict) else choice
        return {"type": "tool", "name": function.get("name")}
    return choice
