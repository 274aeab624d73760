"""Checks of OpenAI-style bodies, with the error bodies of the model catalogue's server (422, "invalid input error").

That server is a FastAPI application, so the errors are pydantic's own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from azml_magics.emulator.fault_responses import extra_parameters
from azml_magics.emulator.generation import DEFAULT_MAX_TOKENS, LIMITS, GenerationSettings
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.routed_request import NotJSONError, load_json
from azml_magics.emulator.stop_words import word_set

if TYPE_CHECKING:
    from azml_magics.emulator.openai_families import RouteFamily
    from azml_magics.emulator.routed_request import RoutedRequest

MAX_CHOICES = 16
_MAX_MIN_TOKENS = 200_000
_INFERENCE_KEYS = word_set(
    """model messages prompt frequency_penalty presence_penalty max_tokens max_new_tokens max_gen_len
    max_completion_tokens seed stop stream temperature top_p response_format tools tool_choice modalities"""
)
"""The Inference API's own schema; every other key is an extra parameter there (`n` and stream_options too)."""

Limit = Annotated[int | None, Field(ge=1, le=10_000_000)]
Penalty = Annotated[float | None, Field(ge=-2, le=2)]
Flag = Annotated[bool, BeforeValidator(lambda value: False if value is None else value)]


class _Options(BaseModel):
    """The model kwargs of a body, with the ranges of the Inference API's reference."""

    max_new_tokens: Limit = None
    max_tokens: Limit = None
    max_gen_len: Limit = None
    max_completion_tokens: Limit = None
    min_tokens: int | None = Field(default=None, ge=0, le=_MAX_MIN_TOKENS)
    ignore_eos: Flag = False
    stop: str | list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**64)
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None


class _ContentPart(BaseModel):
    type: str


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    tool_calls: Any = None
    content: str | list[str | _ContentPart] | None = Field(default=None, validate_default=True)

    @field_validator("content")
    @classmethod
    def _require(cls, content: Any, info: ValidationInfo) -> Any:
        if content is None and info.data.get("role") != "assistant" and not info.data.get("tool_calls"):
            raise PydanticCustomError("string_type", "Input should be a valid string")
        return content


class _Chat(BaseModel):
    messages: list[_Message] = Field(min_length=1)


class _Function(BaseModel):
    name: str = Field(min_length=1)
    parameters: dict[str, Any] = {}
    model_config = ConfigDict(extra="allow")


class _Tool(BaseModel):
    function: _Function


class _Tools(BaseModel):
    tools: list[_Tool] | None = None


class _Completion(BaseModel):
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES)]


class _ChoiceCount(BaseModel):
    n: int | None = Field(default=None, ge=1, le=MAX_CHOICES)


Model = TypeVar("Model", bound=BaseModel)


class InvalidRequestError(Exception):
    """A body that is refused.

    Attributes:
        response: What the client gets.
    """

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


def invalid_input(kind: str, loc: list[Any], message: str, given: Any) -> InvalidRequestError:
    """Return the 422 error for one place in a body.

    Args:
        kind: pydantic's name of the error.
        loc: The path to the place, from the body on.
        message: What is wrong.
        given: The value there.
    """
    return _invalid([{"type": kind, "loc": ["body", *loc], "msg": message, "input": _shorten(given)}])


def bad_request(message: str, code: str = "Bad Request") -> InvalidRequestError:
    """Return a 400 error of the model catalogue's server."""
    return InvalidRequestError(HttpResponse.fastapi({"error": {"code": code, "message": message, "status": 400}}, 400))


def openai_error(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> HttpResponse:
    """Return an error as OpenAI's own routes write it."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return HttpResponse.fastapi({"error": error}, status)


def invalid_parameter(
    message: str, param: str | None = None, code: str | None = None, status: int = 400
) -> InvalidRequestError:
    """Return the error for a parameter that OpenAI's own routes refuse."""
    return InvalidRequestError(openai_error(message, param, code, status))


def validate(model: type[Model], body: dict[str, Any]) -> Model:
    """Return the body as a model.

    Raises:
        InvalidRequestError: A field has the wrong type or is out of range.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        details = [
            {"type": each["type"], "loc": ["body", *each["loc"]], "msg": each["msg"], "input": _shorten(each["input"])}
            for each in error.errors(include_url=False, include_context=False)
        ]
        raise _invalid(details) from None


def _invalid(details: list[dict[str, Any]]) -> InvalidRequestError:
    error = {"code": "Invalid input", "status": 422, "message": "invalid input error", "details": details}
    return InvalidRequestError(HttpResponse.fastapi({"error": error}, 422))


def _shorten(value: Any) -> Any:
    """Return a small, plain value as it is and any other as text: an error does not send a whole body back."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)[:200]


def read_body(routed: RoutedRequest, family: RouteFamily) -> dict[str, Any]:
    """Return the body of a request, after the checks that all routes of the family make.

    Raises:
        InvalidRequestError: The body is not a JSON object, or something that the family requires is missing.
    """
    if family.needs_version and not routed.query.get("api-version"):
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise bad_request(message, "MissingApiVersionParameter")
    try:
        body = load_json(routed.request.body)
    except NotJSONError as error:
        raise invalid_input("json_invalid", [error.position], "JSON decode error", str(error)) from None
    if not isinstance(body, dict) or not routed.has_json_content_type():
        message = "Input should be a valid dictionary or object to extract fields from"
        raise invalid_input("model_attributes_type", [], message, body)
    if family.needs_model and not (isinstance(body.get("model"), str) and body["model"]):
        message = "No model specified in request. Please provide a model name in the request body."
        raise bad_request(message, "no_model_name")
    if family.strict:
        _apply_extras_policy(routed.headers.get("extra-parameters", "error"), body)
    return body


def _apply_extras_policy(header: str, body: dict[str, Any]) -> None:
    """Treat unknown keys as the `extra-parameters` header says: error (the default), drop or pass-through."""
    policy = header.strip().lower()
    extras = [key for key in body if key not in _INFERENCE_KEYS]
    if policy == "pass-through":
        return
    if policy in ("drop", "ignore"):
        for key in extras:
            del body[key]
    elif policy != "error":
        message = (
            f"Unexpected EXTRA_PARAMETERS option {policy[:40]}, expected options are ['error', 'drop', 'pass-through']"
        )
        raise InvalidRequestError(HttpResponse.fastapi({"detail": message}, 400))
    elif extras:
        raise InvalidRequestError(extra_parameters(extras))


def read_bool(body: dict[str, Any], name: str) -> bool:
    """Return a boolean of the body, False if absent. "True" passes, as several Microsoft samples send it."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    message = "Input should be a valid boolean, unable to interpret input"
    raise invalid_input("bool_parsing", [name], message, value)


def read_choice_count(body: dict[str, Any]) -> int:
    """Return `n`, 1 if absent."""
    return validate(_ChoiceCount, body).n or 1


def read_settings(body: dict[str, Any], default_limit: int | None = DEFAULT_MAX_TOKENS) -> GenerationSettings:
    """Return the checked settings of a body.

    Args:
        body: The request's body.
        default_limit: The token limit if the body has none.
    """
    options = validate(_Options, body)
    limits = [limit for name in LIMITS if (limit := getattr(options, name)) is not None]
    limit = limits[0] if limits else default_limit
    least = options.min_tokens or 0
    if options.ignore_eos:
        least = max(least, min(limit or 0, _MAX_MIN_TOKENS))
    stop = options.stop or ()
    return GenerationSettings(
        max_tokens=limit,
        min_tokens=least,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        temperature=options.temperature or 0.0,
        seed=options.seed,
        effort=str(body.get("reasoning_effort") or ""),
    )


def read_messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a chat body after a check of their shape."""
    validate(_Chat, body)
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def read_tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the `function` objects of a body's tools, [] without tools."""
    return [tool.function.model_dump() for tool in validate(_Tools, body).tools or []]


def read_prompts(body: dict[str, Any]) -> list[str]:
    """Return the prompts of a completion body."""
    prompt = validate(_Completion, body).prompt
    return [prompt] if isinstance(prompt, str) else prompt


def read_response_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the JSON schema in response_format, {} for json_object, or None for text."""
    given = body.get("response_format")
    if given is None:
        return None
    kind = given.get("type") if isinstance(given, dict) else given
    if kind == "text":
        return None
    if kind == "json_object":
        return {}
    holder = given.get("json_schema") if isinstance(given, dict) else None
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if kind == "json_schema" and isinstance(schema, dict):
        return schema or {"type": "object"}
    message = "Input should be 'text', 'json_object' or 'json_schema' with a schema"
    raise invalid_input("literal_error", ["response_format"], message, given)


def wants_streamed_usage(body: dict[str, Any]) -> bool:
    """Return whether stream_options asks for a last chunk with usage."""
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True
