"""What a request to the Messages route asks for, after the checks that the service makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azml_magics.emulator.generation import GenerationSettings
from azml_magics.emulator.http_response import HttpResponse

NEWEST = "2026-10-21"
_VERSIONS = ("2023-06-01", NEWEST)
_SAMPLING = ("temperature", "top_p", "top_k")
_LEAST_BUDGET = 1024
SIGNATURE = "EqQB"
"""How the signatures of thinking blocks begin; a block with another one is refused."""

ERROR_KINDS = {
    400: ("invalid_request_error", "messages: Input is not valid"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: not found"),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed the rate limit."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
"""Status -> the type of the error, and a message for it."""

_STATUS = {kind: status for status, (kind, _) in ERROR_KINDS.items()}


class RefusedError(Exception):
    """A request that the service refuses; the argument says why."""


@dataclass(frozen=True)
class MessagesRequest:
    """A checked request.

    Attributes:
        body: The body as sent.
        messages: The conversation in chat form, the system text included.
        functions: The functions of its tools, in chat form.
        schema: The JSON schema of the text, or None.
        settings: The limit, the stop sequences and the temperature.
    """

    body: dict[str, Any]
    messages: list[dict[str, Any]]
    functions: list[dict[str, Any]]
    schema: dict[str, Any] | None
    settings: GenerationSettings

    @property
    def thinks(self) -> bool:
        """Whether the model is to think before it responds."""
        return _object(self.body, "thinking").get("type") in ("adaptive", "enabled")

    @property
    def shows_thoughts(self) -> bool:
        """Whether the text of the thoughts is sent, and not their signature alone."""
        return _object(self.body, "thinking").get("display") != "omitted"

    @property
    def tool_choice(self) -> Any:
        """The tool choice, in chat form."""
        choice = _object(self.body, "tool_choice")
        if choice.get("type") == "tool":
            return {"type": "function", "function": {"name": choice.get("name")}}
        return {"any": "required", "none": "none"}.get(str(choice.get("type")), "auto")

    @property
    def takes_several_calls(self) -> bool:
        """Whether several tools may be called at once."""
        return _object(self.body, "tool_choice").get("disable_parallel_tool_use") is not True


def messages_error(message: str, kind: str = "invalid_request_error", request_id: str = "") -> HttpResponse:
    """Return an error of the Messages route."""
    data = {"type": "error", "error": {"type": kind, "message": message}, "request_id": f"req_{request_id}"}
    return HttpResponse.fastapi(data, _STATUS[kind])


def read_request(body: Any, version: str) -> MessagesRequest:
    """Return what a body asks for.

    Args:
        body: The JSON that was sent.
        version: The header anthropic-version.

    Raises:
        RefusedError: The service would refuse it.
    """
    if not version:
        raise RefusedError("anthropic-version: header is required")
    if version not in _VERSIONS:
        raise RefusedError(f'anthropic-version: "{version[:40]}" is not a valid version')
    if not isinstance(body, dict):
        raise RefusedError("Input should be a valid dictionary")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise RefusedError(f"{name}: Field required")
    _check_settings(body, version)
    messages = [message for at, given in enumerate(_turns(body)) for message in _read_message(given, at)]
    _check_results(body["messages"])
    _check_declared(body)
    system = _text(body.get("system"))
    if system:
        messages.insert(0, {"role": "system", "content": system})
    temperature = body.get("temperature")
    settings = GenerationSettings(
        max_tokens=body["max_tokens"],
        stop=tuple(mark for mark in _list(body, "stop_sequences") if isinstance(mark, str)),
        temperature=float(temperature) if isinstance(temperature, int | float) else 0.0,
        effort=str(_object(body, "output_config").get("effort") or ""),
    )
    return MessagesRequest(body, messages, _read_functions(body), _read_schema(body), settings)


def _check_settings(body: dict[str, Any], version: str) -> None:
    limit = body["max_tokens"]
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise RefusedError("max_tokens: Input should be a valid integer")
    if limit < 1:
        raise RefusedError("max_tokens: Input should be greater than or equal to 1")
    if version == NEWEST:
        for name in _SAMPLING:
            if name in body:
                raise RefusedError(f"{name}: Extra inputs are not permitted")
    thinking = _object(body, "thinking")
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < _LEAST_BUDGET:
            raise RefusedError(
                f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
            )
        if budget >= limit:
            raise RefusedError("`max_tokens` must be greater than `thinking.budget_tokens`")


def _turns(body: dict[str, Any]) -> list[Any]:
    messages = body["messages"]
    if not isinstance(messages, list):
        raise RefusedError("messages: Input should be a valid list")
    if not messages:
        raise RefusedError("messages: at least one message is required")
    return messages


def _read_message(given: Any, at: int) -> list[dict[str, Any]]:
    """Return a message in chat form; the results of tools become messages of their own."""
    role = given.get("role") if isinstance(given, dict) else None
    if role == "system":
        raise RefusedError(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.'
        )
    if role not in ("user", "assistant"):
        raise RefusedError(f"messages.{at}.role: Input should be 'user' or 'assistant'")
    content = given.get("content")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise RefusedError(f"messages.{at}.content: Input should be a valid list")
    if not content:
        raise RefusedError(f"messages.{at}: all messages must have non-empty content")
    return _read_blocks(role, content, at)


def _read_blocks(role: str, content: list[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    parts, calls, results = [], [], []
    for place, block in enumerate(content):
        kind = block.get("type")
        if kind == "tool_use":
            calls.append({"id": block.get("id"), "function": {"name": block.get("name")}})
        elif kind == "tool_result":
            text = _text(block.get("content"))
            results.append({"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text})
        elif kind == "thinking":
            if not str(block.get("signature", "")).startswith(SIGNATURE):
                raise RefusedError(f"messages.{at}.content.{place}: Invalid `signature` in `thinking` block")
        elif kind in ("text", "image", "document"):
            parts.append(block)
        elif kind != "redacted_thinking":
            raise RefusedError(
                f"messages.{at}.content.{place}: Input tag '{str(kind)[:40]}' found using 'type' is unknown"
            )
    own = [{"role": role, "content": parts, "tool_calls": calls}] if parts or calls else []
    return [*results, *own]


def _check_results(messages: list[dict[str, Any]]) -> None:
    """Check that the results of all tool calls stand in the message after them."""
    for at, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        after = messages[at + 1]["content"] if at + 1 < len(messages) else []
        found = {str(block.get("tool_use_id")) for block in after if isinstance(block, dict)}
        for block in blocks:
            if block.get("type") == "tool_use" and str(block.get("id")) not in found:
                raise RefusedError(
                    f"messages.{at + 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                    f"{str(block.get('id'))[:60]}. Each `tool_use` block must have a corresponding `tool_result` block "
                    "in the next message."
                )


def _check_declared(body: dict[str, Any]) -> None:
    """Check that a request with calls of tools, or their results, offers tools."""
    blocks = [block for turn in body["messages"] if isinstance(turn["content"], list) for block in turn["content"]]
    if not body.get("tools") and any(block.get("type") in {"tool_use", "tool_result"} for block in blocks):
        raise RefusedError("Requests which include `tool_use` or `tool_result` blocks must define tools.")


def _read_functions(body: dict[str, Any]) -> list[dict[str, Any]]:
    functions = []
    for at, tool in enumerate(_list(body, "tools")):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise RefusedError(f"tools.{at}.custom.name: Field required")
        if not isinstance(tool.get("input_schema"), dict):
            raise RefusedError(f"tools.{at}.custom.input_schema: Field required")
        functions.append({"name": tool["name"], "parameters": tool["input_schema"]})
    return functions


def _read_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    given = _object(_object(body, "output_config"), "format")
    schema = given.get("schema")
    if given.get("type") == "json_schema" and not isinstance(schema, dict):
        raise RefusedError("output_config.format.schema: Field required")
    return schema if isinstance(schema, dict) else None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(block.get("text", "")) for block in blocks if isinstance(block, dict))


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    found = holder.get(name)
    return found if isinstance(found, list) else []


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
