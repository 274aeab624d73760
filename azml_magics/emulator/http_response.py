"""An HTTP response of the emulator before it is sent: bytes or a stream of events, and its timing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"


def flask_json(data: Any) -> bytes:
    """Return JSON as azureml-inference-server-http writes it: ", " and ": ", non-ASCII escaped."""
    return json.dumps(data).encode()


def fastapi_json(data: Any) -> bytes:
    """Return JSON as the FastAPI containers of the model catalogue write it: compact, UTF-8."""
    # An unpaired surrogate (\\ud800 in a request) cannot be UTF-8: it is sent as "?".
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def sse(data: Any) -> bytes:
    """Return one server-sent event whose data is `data` as JSON."""
    return b"data: " + fastapi_json(data) + b"\n\n"


@dataclass
class HttpResponse:
    """Status, headers and either `body` or `events`; seconds in `delay`, `gap`; tokens in `tokens`.

    `ending` is "whole", "cut" (the connection is dropped after what was sent), "stalled" (nothing more comes and
    the connection stays open) or "dropped" (the connection closes before the first byte).
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    events: Iterator[bytes] | list[bytes] | None = None
    tokens: int = 0
    delay: float = 0.0
    gap: float = 0.0
    ending: str = "whole"
    deployment: str = ""

    @classmethod
    def flask(cls, data: Any, status: int = 200, **more: Any) -> HttpResponse:
        """Return a JSON response in the bytes of azureml-inference-server-http."""
        return cls(status, flask_json(data), **more)

    @classmethod
    def fastapi(cls, data: Any, status: int = 200, **more: Any) -> HttpResponse:
        """Return a JSON response in the bytes of the catalogue's FastAPI containers."""
        return cls(status, fastapi_json(data), **more)

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain", **more: Any) -> HttpResponse:
        """Return a plain-text response, as Envoy and Azure's front end do."""
        return cls(status, text.encode(), content_type, **more)

    @classmethod
    def stream(cls, events: Iterator[bytes] | list[bytes], tokens: int = 0) -> HttpResponse:
        """Return a stream of server-sent events."""
        return cls(200, content_type=EVENT_STREAM, events=events, tokens=tokens)


def model_error(inner: HttpResponse, reason: str = "model_error") -> HttpResponse:
    """Return the 424 that Azure's front end makes of a container's response other than 200 (Azure ML docs)."""
    headers = {
        **inner.headers,
        "ms-azureml-model-error-statuscode": str(inner.status),
        "ms-azureml-model-error-reason": reason,
    }
    return HttpResponse(424, inner.body, inner.content_type, headers, deployment=inner.deployment)
