"""The `input` of the Responses route as chat messages: text, messages, tool calls and their outputs, reasoning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.openai_validation import invalid_parameter

if TYPE_CHECKING:
    from azml_magics.emulator.stored_responses import StoredResponses

_ROLES = ("user", "assistant", "system", "developer")
ENCRYPTED = "gAAAA"
"""How the encrypted reasoning of this service begins; anything else cannot be decrypted."""


def read_input(given: Any, stored: StoredResponses) -> list[dict[str, Any]]:
    """Return the input as chat messages.

    Args:
        given: A text, or a list of items.
        stored: The responses whose items may be referred to by their ids.

    Raises:
        InvalidRequestError: An item is malformed, or refers to something that is not there.
    """
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise invalid_parameter("Invalid type for 'input': expected one of a string or array of input items.", "input")
    messages = [message for at, item in enumerate(given) if (message := _read_item(item, at, stored)) is not None]
    _check_outputs(given)
    return messages


def _read_item(item: Any, at: int, stored: StoredResponses) -> dict[str, Any] | None:
    """Return an item as a message; None for reasoning, which a model reads and a canned reply does not."""
    if not isinstance(item, dict):
        raise invalid_parameter(f"Invalid type for 'input[{at}]': expected an object.", f"input[{at}]")
    kind = item.get("type", "message")
    if kind == "message":
        return _read_message(item, at)
    if kind == "function_call":
        function = {"name": str(item.get("name", "")), "arguments": str(item.get("arguments", ""))}
        call = {"id": str(item.get("call_id", "")), "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": str(item.get("call_id", "")), "content": item.get("output", "")}
    if kind == "reasoning":
        _check_reasoning(item, at, stored)
        return None
    known = "'message', 'function_call', 'function_call_output' and 'reasoning'"
    message = f"Invalid value: '{str(kind)[:40]}'. Supported values are: {known}."
    raise invalid_parameter(message, f"input[{at}].type", "invalid_value")


def _read_message(item: dict[str, Any], at: int) -> dict[str, Any]:
    role, content = item.get("role"), item.get("content")
    if role not in _ROLES:
        known = ", ".join(f"'{one}'" for one in _ROLES)
        message = f"Invalid value: '{str(role)[:40]}'. Supported values are: {known}."
        raise invalid_parameter(message, f"input[{at}].role", "invalid_value")
    allowed = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    for place, part in enumerate(content if isinstance(content, list) else []):
        kind = part.get("type") if isinstance(part, dict) else part
        if kind not in allowed:
            known = ", ".join(f"'{one}'" for one in allowed)
            message = f"Invalid value: '{str(kind)[:40]}'. Supported values are: {known}."
            raise invalid_parameter(message, f"input[{at}].content[{place}].type", "invalid_value")
    if not isinstance(content, str | list):
        where = f"input[{at}].content"
        raise invalid_parameter(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    return {"role": role, "content": content}


def _check_reasoning(item: dict[str, Any], at: int, stored: StoredResponses) -> None:
    encrypted, identity = item.get("encrypted_content"), str(item.get("id", ""))[:80]
    if encrypted is None and not stored.has_item(identity):
        message = (
            f"Item with id '{identity}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input."
        )
        raise invalid_parameter(message, "input", status=404)
    if encrypted is not None and not str(encrypted).startswith(ENCRYPTED):
        message = f"The encrypted content {str(encrypted)[:8]}... could not be verified."
        raise invalid_parameter(message, f"input[{at}].encrypted_content", "invalid_encrypted_content")


def _check_outputs(items: list[dict[str, Any]]) -> None:
    """Check that every tool call has its output; an output may belong to a call of the previous response."""
    called = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    returned = [item.get("call_id") for item in items if item.get("type") == "function_call_output"]
    for call_id in called:
        if call_id not in returned:
            raise invalid_parameter(f"No tool output found for function call {str(call_id)[:60]}.", "input")
