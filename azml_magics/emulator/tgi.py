"""Text-generation-inference: /generate and /generate_stream, whose stream has no [DONE]."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens
from azml_magics.emulator.asking import Ask, Settings
from azml_magics.emulator.exchange import NotJSONError, load_json
from azml_magics.emulator.reply import Reply, fastapi_json
from azml_magics.emulator.validation import Invalid, boolean, integer, number
from azml_magics.emulator.words import answer

if TYPE_CHECKING:
    from azml_magics.emulator.exchange import Exchange


class _Refused(Exception):
    """A body that TGI's validation turns down; the text says why."""


def generate(exchange: Exchange) -> Reply:
    """`{"generated_text": …}`, or the stream when the body says `"stream": true`."""
    return _answered(exchange, stream=False)


def generate_stream(exchange: Exchange) -> Reply:
    """The stream: an event a token, the last with generated_text and details."""
    return _answered(exchange, stream=True)


def _answered(exchange: Exchange, *, stream: bool) -> Reply:
    try:
        body = load_json(exchange.request.body)
        if not isinstance(body, dict) or not isinstance(body.get("inputs"), str):
            raise _Refused("missing field `inputs`")
        parameters = body.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise _Refused("`parameters` must be an object")
        settings = _settings(parameters)
        stream = boolean(body, "stream") or stream
    except (NotJSONError, _Refused) as refused:
        return _validation_error(str(refused))
    except Invalid:
        return _validation_error("a parameter has the wrong type or is out of its range")
    return _reply(Ask(body["inputs"], settings=settings), parameters, stream=stream)


def _validation_error(message: str) -> Reply:
    return Reply.fastapi({"error": f"Input validation error: {message}", "error_type": "validation"}, 422)


def _settings(parameters: dict[str, Any]) -> Settings:
    """TGI's ranges: temperature above 0, max_new_tokens at least 1; `stop` is a list."""
    limit = integer(parameters, "max_new_tokens", 1, 10_000_000)
    temperature = number(parameters, "temperature", 0, 1e6)
    if temperature == 0:
        raise _Refused("`temperature` must be strictly positive")
    stop = parameters.get("stop") or []
    if not isinstance(stop, list) or not all(isinstance(mark, str) for mark in stop):
        raise _Refused("`stop` must be a list of strings")
    return Settings(
        max_tokens=limit or 256,
        stop=tuple(stop),
        temperature=temperature or 0.0,
        top_p=number(parameters, "top_p", 0, 1) or 1.0,
        seed=integer(parameters, "seed", 0, 2**64),
        return_full_text=boolean(parameters, "return_full_text"),
    )


def _reply(ask: Ask, parameters: dict[str, Any], *, stream: bool) -> Reply:
    ending = answer(ask)
    text = f"{ask.prompt} {ending.text}" if ask.settings.return_full_text else ending.text
    # TGI's names: "length", "eos_token", "stop_sequence".
    cut = any(mark for mark in ask.settings.stop) and ending.finish_reason == "stop"
    finish = "length" if ending.finish_reason == "length" else "stop_sequence" if cut else "eos_token"
    details = {"finish_reason": finish, "generated_tokens": len(ending.tokens), "seed": ask.settings.seed}
    if not stream:
        data: dict[str, Any] = {"generated_text": text}
        if parameters.get("details") is True:
            data["details"] = {**details, "prefill": [], "tokens": [_token(part) for part in ending.tokens]}
        return Reply.fastapi(data, tokens=len(ending.tokens))
    events = [_event(at, part, None, None) for at, part in enumerate(ending.tokens)]
    last = ending.tokens[-1] if ending.tokens else ""
    events[-1:] = [_event(max(0, len(events) - 1), last, text, {**details, "input_length": tokens.count(ask.prompt)})]
    return Reply.stream(events, tokens=len(ending.tokens))


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
