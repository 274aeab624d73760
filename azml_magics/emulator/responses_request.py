"""What a request to the Responses route asks for, after the checks that the service makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.generation import GenerationSettings
from azml_magics.emulator.models import ServedModel, find_model, refuse_operation
from azml_magics.emulator.openai_validation import InvalidRequestError, invalid_parameter
from azml_magics.emulator.responses_input import read_input

if TYPE_CHECKING:
    from azml_magics.emulator.stored_responses import StoredResponses

_LEAST_TOKENS = 16
_MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}
_UNKNOWN = ("stop", "seed", "n", "logit_bias", "frequency_penalty", "presence_penalty")
_SAMPLING = ("temperature", "top_p")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True)
class ResponsesRequest:
    """A checked request.

    Attributes:
        body: The body as sent.
        model: What the named model does.
        messages: The conversation in chat form, instructions and earlier turns included.
        functions: The functions of its tools, in chat form.
        schema: The JSON schema of the text, {} for any object, or None.
        settings: The limit and the temperature.
    """

    body: dict[str, Any]
    model: ServedModel
    messages: list[dict[str, Any]]
    functions: list[dict[str, Any]]
    schema: dict[str, Any] | None
    settings: GenerationSettings

    @property
    def reasons(self) -> bool:
        """Whether the model thinks before it responds."""
        return bool(self.model.reasoning) and self.effort != "none"

    @property
    def effort(self) -> str | None:
        """The reasoning effort; None for a model that does not reason."""
        if not self.model.reasoning:
            return None
        return str(_object(self.body, "reasoning").get("effort") or "medium")

    @property
    def summary(self) -> str | None:
        """Which summary of the reasoning is asked for."""
        return _object(self.body, "reasoning").get("summary") or None

    @property
    def is_background(self) -> bool:
        """Whether the response is made while the client polls."""
        return self.body.get("background") is True

    @property
    def is_stored(self) -> bool:
        """Whether the response can be asked for again."""
        return self.body.get("store") is not False

    @property
    def includes_encrypted_reasoning(self) -> bool:
        """Whether reasoning items are to be sent encrypted, so that the client can send them back."""
        wanted = self.body.get("include")
        return isinstance(wanted, list) and "reasoning.encrypted_content" in wanted

    @property
    def tool_choice(self) -> Any:
        """The tool choice, a forced function in chat form."""
        choice = self.body.get("tool_choice")
        if isinstance(choice, dict) and "name" in choice:
            return {"type": "function", "function": {"name": choice["name"]}}
        return choice


def read_request(body: dict[str, Any], stored: StoredResponses) -> ResponsesRequest:
    """Return what a body asks for.

    Args:
        body: The body; the caller has checked that it names a model.
        stored: The responses that it may continue.

    Raises:
        InvalidRequestError: The service would refuse it.
    """
    name = body["model"]
    if refused := refuse_operation("responses", name):
        raise InvalidRequestError(refused)
    model = find_model(name)
    _check_parameters(body, model)
    messages = [*_earlier_messages(body, stored), *read_input(body.get("input"), stored)]
    instructions = body.get("instructions")
    if isinstance(instructions, str) and instructions:
        messages.insert(0, {"role": "system", "content": instructions})
    _check_calls(messages)
    limit = body.get("max_output_tokens")
    temperature = body.get("temperature")
    settings = GenerationSettings(
        max_tokens=limit,
        temperature=float(temperature) if isinstance(temperature, int | float) else 0.0,
        effort=str(_object(body, "reasoning").get("effort") or ""),
    )
    return ResponsesRequest(body, model, messages, _read_functions(body), _read_schema(body), settings)


def _check_parameters(body: dict[str, Any], model: ServedModel) -> None:
    _check_names(body)
    if "input" not in body:
        raise invalid_parameter("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    for sampling in _SAMPLING:
        given = body.get(sampling)
        if model.refuses_sampling and given not in (None, 1):
            message = f"Unsupported parameter: '{sampling}' is not supported with this model."
            raise invalid_parameter(message, sampling)
        if given is not None and not isinstance(given, int | float):
            raise invalid_parameter(f"Invalid type for '{sampling}': expected a decimal.", sampling, "invalid_type")
    _check_effort(_object(body, "reasoning").get("effort"), model)
    include = body.get("include")
    if isinstance(include, list) and "reasoning.encrypted_content" in include and not model.reasoning:
        raise invalid_parameter("Encrypted content is not supported with this model.", "include")
    _check_limit(body.get("max_output_tokens"))
    if body.get("background") is True and body.get("store") is False:
        raise invalid_parameter("Background mode requires 'store' to be true.", "background", "invalid_value")


def _check_names(body: dict[str, Any]) -> None:
    for old, new in _MOVED.items():
        if old in body:
            message = (
                f"Unsupported parameter: '{old}'. In the Responses API, this parameter has moved to '{new}'. "
                "Try again with the new parameter."
            )
            raise invalid_parameter(message, old, "unsupported_parameter")
    for unknown in _UNKNOWN:
        if unknown in body:
            raise invalid_parameter(f"Unknown parameter: '{unknown}'.", unknown, "unknown_parameter")


def _check_effort(effort: Any, model: ServedModel) -> None:
    if effort is not None and not model.reasoning:
        message = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
        raise invalid_parameter(message, "reasoning.effort", "unsupported_parameter")
    if effort not in (None, *_EFFORTS):
        known = ", ".join(f"'{one}'" for one in _EFFORTS)
        message = f"Invalid value: '{str(effort)[:40]}'. Supported values are: {known}."
        raise invalid_parameter(message, "reasoning.effort", "invalid_value")


def _check_limit(limit: Any) -> None:
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, int):
        message = "Invalid type for 'max_output_tokens': expected an integer."
        raise invalid_parameter(message, "max_output_tokens", "invalid_type")
    if limit < _LEAST_TOKENS:
        message = (
            "Invalid 'max_output_tokens': integer below minimum value. "
            f"Expected a value >= {_LEAST_TOKENS}, but got {limit} instead."
        )
        raise invalid_parameter(message, "max_output_tokens", "integer_below_min_value")


def _earlier_messages(body: dict[str, Any], stored: StoredResponses) -> list[dict[str, Any]]:
    previous = body.get("previous_response_id")
    if not previous:
        return []
    found = stored.find(str(previous))
    if found is None:
        message = f"Previous response with id '{str(previous)[:80]}' not found."
        raise invalid_parameter(message, "previous_response_id", "previous_response_not_found")
    return [message for message in found.messages if message["role"] != "system"]


def _check_calls(messages: list[dict[str, Any]]) -> None:
    called = {call["id"] for message in messages for call in message.get("tool_calls", ())}
    for message in messages:
        if message["role"] == "tool" and message["tool_call_id"] not in called:
            text = f"No tool call found for function call output with call_id {message['tool_call_id'][:60]}."
            raise invalid_parameter(text, "input")


def _read_functions(body: dict[str, Any]) -> list[dict[str, Any]]:
    functions = []
    tools = body.get("tools")
    for at, tool in enumerate(tools if isinstance(tools, list) else []):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            continue  # the service's own tools, such as web_search, are never called here
        if not isinstance(tool.get("name"), str):
            where = f"tools[{at}].name"
            raise invalid_parameter(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
        functions.append({"name": tool["name"], "parameters": _object(tool, "parameters")})
    return functions


def _read_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    given = _object(_object(body, "text"), "format")
    if given.get("type") == "json_object":
        return {}
    if given.get("type") != "json_schema":
        return None
    schema = given.get("schema")
    if not isinstance(schema, dict) or not isinstance(given.get("name"), str):
        missing = "text.format.schema" if isinstance(given.get("name"), str) else "text.format.name"
        raise invalid_parameter(f"Missing required parameter: '{missing}'.", missing, "missing_required_parameter")
    return schema or {"type": "object"}


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
