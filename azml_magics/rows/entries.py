"""An answer or an error as one line of JSON, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core import errors
from ..core.errors import AzmlError, EndpointError
from ..core.redaction import redact_data
from ..core.response import Response, Usage
from ..core.text import one_line
from ..core.wire.base import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.keys import Secret

_PLACE = ("config", "deployment", "request_id")
_STATUSES = ("status", "inner_status")


def dumped(
    key: bytes, n: int, response: Response | None, error: BaseException | None, secret: Secret | None = None
) -> bytes:
    """The line, with its end, that keeps the answer of the row with that key and number; the key masked."""
    said = {"error": redact_data(_error_as_data(error), secret)} if error is not None else {}
    kept = {"answer": redact_data(_response_as_data(response), secret)} if response is not None else {}
    return to_json({"row": key.hex(), "n": n, **kept, **said}) + b"\n"


def loaded(line: bytes) -> tuple[bytes, int, Response | None, AzmlError | None]:
    """(key, number, response, error) of a line; ValueError where it is none of ours."""
    try:
        entry = json.loads(line)
        key, n = bytes.fromhex(entry["row"]), int(entry["n"])
        response = _response(entry["answer"]) if "answer" in entry else None
        error = _error(entry["error"]) if "error" in entry else None
    except (TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise ValueError(f"no line of a journal: {wrong}") from None
    if response is None and error is None:
        raise ValueError("no line of a journal: neither an answer nor an error")
    return key, n, response, error


def _response_as_data(response: Response) -> dict[str, Any]:
    data = {
        "text": response.text,
        "finish_reason": response.finish_reason,
        "usage": response.usage.to_dict() if response.usage else None,
        "latency": response.latency,
        "model": response.model,
        "deployment": response.deployment,
        "request_id": response.request_id,
        "config": response.config,
        "reasoning": response.reasoning,
        "tool_calls": list(response.tool_calls),
        "logprobs": response.logprobs,
    }
    return {name: value for name, value in data.items() if value or name == "text"}


def _response(data: Mapping[str, Any]) -> Response:
    if not isinstance(data["text"], str):
        raise ValueError("an answer's text is a text")
    return Response(
        text=data["text"],
        usage=Usage(**data["usage"]) if "usage" in data else None,
        finish_reason=data.get("finish_reason"),
        latency=data.get("latency", 0.0),
        model=data.get("model", ""),
        deployment=data.get("deployment", ""),
        request_id=data.get("request_id", ""),
        config=data.get("config", ""),
        reasoning=data.get("reasoning", ""),
        tool_calls=tuple(data.get("tool_calls", ())),
        logprobs=data.get("logprobs"),
    )


def _error_as_data(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, AzmlError):
        return {"kind": type(error).__name__, "cause": one_line(str(error))}
    names = ("cause", "remedy", *_PLACE, *(_STATUSES if isinstance(error, EndpointError) else ()))
    data = {name: getattr(error, name) for name in names}
    return {"kind": type(error).__name__, **{name: value for name, value in data.items() if value}}


def _error(data: Mapping[str, Any]) -> AzmlError:
    """The error again: of its class, where that is one of ours and takes a cause."""
    kind = getattr(errors, str(data["kind"]), None)
    given = {name: data[name] for name in ("remedy", *_PLACE) if name in data}
    if not (isinstance(kind, type) and issubclass(kind, AzmlError)):
        return AzmlError(f"{data['kind']}: {data['cause']}", **given)
    if issubclass(kind, EndpointError):
        given |= {name: data[name] for name in _STATUSES if name in data}
    return kind(str(data["cause"]), **given)
