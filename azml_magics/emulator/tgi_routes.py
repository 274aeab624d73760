"""Text-generation-inference: /generate and /generate_stream, whose stream has no [DONE]."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from azml_magics.emulator import tokens
from azml_magics.emulator.generation import GenerationRequest, GenerationSettings
from azml_magics.emulator.http_response import HttpResponse, fastapi_json
from azml_magics.emulator.responder import generate as generate_text
from azml_magics.emulator.routed_request import NotJSONError, load_json

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest

Flag = Annotated[bool, BeforeValidator(lambda value: False if value is None else value)]


class _Parameters(BaseModel):
    """The parameters that have an effect here, with TGI's ranges."""

    max_new_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    temperature: float | None = Field(default=None, gt=0, le=1e6)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = Field(default=None, ge=0, le=2**64)
    stop: list[str] | None = None
    return_full_text: Flag = False
    details: Any = None


class _Body(BaseModel):
    inputs: str
    parameters: _Parameters | None = None
    stream: Flag = False


_MESSAGES = {
    "inputs": "missing field `inputs`",
    "parameters": "`parameters` must be an object",
    "temperature": "`temperature` must be strictly positive",
    "stop": "`stop` must be a list of strings",
}
"""TGI's words for a field that is wrong."""


def generate(routed: RoutedRequest) -> HttpResponse:
    """Return `{"generated_text": …}`, or a stream if the body says `"stream": true`."""
    return _respond(routed, stream=False)


def generate_stream(routed: RoutedRequest) -> HttpResponse:
    """Return a stream: one event a token, the last one with generated_text and details."""
    return _respond(routed, stream=True)


def _respond(routed: RoutedRequest, *, stream: bool) -> HttpResponse:
    try:
        body = _Body.model_validate(load_json(routed.request.body))
    except NotJSONError as error:
        return _validation_error(str(error))
    except ValidationError as error:
        path = [part for part in error.errors()[0]["loc"] if isinstance(part, str)] or ["inputs"]
        found = next((_MESSAGES[part] for part in reversed(path) if part in _MESSAGES), "")
        return _validation_error(found or f"`{path[-1]}` has the wrong type or is out of its range")
    parameters = body.parameters or _Parameters()
    settings = GenerationSettings(
        max_tokens=parameters.max_new_tokens or 256,
        stop=tuple(parameters.stop or ()),
        temperature=parameters.temperature or 0.0,
        seed=parameters.seed,
        return_full_text=parameters.return_full_text,
    )
    request = GenerationRequest(body.inputs, settings=settings)
    return _write(request, details=parameters.details is True, stream=body.stream or stream)


def _validation_error(message: str) -> HttpResponse:
    return HttpResponse.fastapi({"error": f"Input validation error: {message}", "error_type": "validation"}, 422)


def _write(request: GenerationRequest, *, details: bool, stream: bool) -> HttpResponse:
    limited = generate_text(request)
    text = f"{request.prompt} {limited.text}" if request.settings.return_full_text else limited.text
    # TGI's names: "length", "eos_token", "stop_sequence".
    stopped = any(request.settings.stop) and limited.finish_reason == "stop"
    finish = "length" if limited.finish_reason == "length" else "stop_sequence" if stopped else "eos_token"
    info = {"finish_reason": finish, "generated_tokens": len(limited.tokens), "seed": request.settings.seed}
    if not stream:
        data: dict[str, Any] = {"generated_text": text}
        if details:
            data["details"] = {**info, "prefill": [], "tokens": [_token(part) for part in limited.tokens]}
        return HttpResponse.fastapi(data, tokens=len(limited.tokens))
    events = [_event(at, part, None, None) for at, part in enumerate(limited.tokens)]
    last = limited.tokens[-1] if limited.tokens else ""
    info["input_length"] = tokens.count(request.prompt)
    events[-1:] = [_event(max(0, len(events) - 1), last, text, info)]
    return HttpResponse.stream(events, tokens=len(limited.tokens))


def _event(index: int, part: str, text: str | None, details: dict[str, Any] | None) -> bytes:
    data = {"index": index + 1, "token": _token(part), "generated_text": text, "details": details}
    return b"data:" + fastapi_json(data) + b"\n\n"


def _token(part: str) -> dict[str, Any]:
    digest = hashlib.sha256(part.encode(errors="replace")).digest()
    return {
        "id": int.from_bytes(digest[:2], "big"),
        "text": part,
        "logprob": -round(digest[2] / 128, 4),
        "special": False,
    }
