"""Failures that an endpoint reports, by HTTP status and what its body says."""

from __future__ import annotations

import io
import urllib.error
from collections.abc import Mapping, Sequence  # noqa: TC003 - get_type_hints() needs it
from typing import Any

from .base import AzmlError


class EndpointError(AzmlError, urllib.error.HTTPError):
    """The endpoint reported a failure.

    It is also a `urllib.error.HTTPError`, which callers of langchain_community's classes catch: `code` is the HTTP
    status, as there (our own code is `error_code`), `reason` the cause, and `read()` gives the body.

    Attributes:
        status: HTTP status of the endpoint's front door; 0 if no response arrived.
        inner_status: status of the container behind a 424, or None.
        headers: response headers, names in lower case.
        body: text of the response, at most 64 KiB, keys masked.
        retry_after: seconds that the service asks to wait, or None.
    """

    error_code = "endpoint"

    def __init__(
        self,
        cause: str,
        *,
        status: int = 0,
        inner_status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        retry_after: float | None = None,
        **context: Any,
    ) -> None:
        """Make the error.

        Args:
            cause: What happened.
            status: HTTP status; 0 if no response arrived.
            inner_status: Status of the container behind a 424.
            headers: Response headers, names in lower case.
            body: Text of the response.
            retry_after: Seconds that the service asks to wait.
            context: AzmlError's other arguments: remedy, error_code, config, ...
        """
        AzmlError.__init__(self, cause, **context)
        self.code = status
        self.inner_status = inner_status
        self.hdrs: Any = dict(headers or {})
        self.body = body
        self.retry_after = retry_after
        self.filename = self.url = ""

    @property
    def status(self) -> int:
        """The HTTP status; 0 if no response arrived."""
        return self.code

    @property
    def reason(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The cause, under urllib's name."""
        return self.cause

    @property  # type: ignore[override]  # urllib's headers are an email.message.Message
    def headers(self) -> dict[str, str]:
        """The response headers, names in lower case."""
        headers: dict[str, str] = self.hdrs
        return headers

    @headers.setter
    def headers(self, headers: dict[str, str]) -> None:
        self.hdrs = headers

    @property
    def facts(self) -> dict[str, Any]:
        """What the error is about, with `status`, `inner_status` and `wait` (seconds, or "")."""
        wait = "" if self.retry_after is None else f"{self.retry_after:g}"
        return {**super().facts, "status": self.status, "inner_status": self.inner_status or "", "wait": wait}

    def read(self, size: int = -1) -> bytes:
        """Return the body as bytes, as urllib's errors do; `size` limits them."""
        body = self.body.encode()
        return body if size is None or size < 0 else io.BytesIO(body).read(size)

    def close(self) -> None:
        """Do nothing: the body has been read already."""

    def __getattr__(self, name: str) -> Any:
        # HTTPError is a wrapper around an open file, and would look up the attribute there.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __enter__(self) -> EndpointError:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AuthenticationError(EndpointError):
    """401: no key, or a wrong or expired one."""

    error_code = "authentication"


class PermissionDeniedError(EndpointError):
    """403: the key is known, and has no right to do this."""

    error_code = "permission-denied"


class NotFoundError(EndpointError):
    """404: no deployment with traffic, no such deployment, or no such route."""

    error_code = "not-found"


class BadRequestError(EndpointError):
    """The request was refused: its parameters, size, type or shape."""

    error_code = "bad-request"


class ContentFilterError(EndpointError):
    """The content filter stopped the prompt or the response.

    Attributes:
        filters: what it says, one Verdict for each category; empty if the service does not tell.
    """

    error_code = "content-filter"

    def __init__(self, cause: str, *, filters: Sequence[Any] = (), **context: Any) -> None:
        """Make the error; `filters` are Verdicts, and `context` are EndpointError's other arguments."""
        super().__init__(cause, **context)
        self.filters: tuple[Any, ...] = tuple(filters)  # Verdicts, which this module must not import


class RateLimitError(EndpointError):
    """429, or 424 with too many pending requests."""

    error_code = "rate-limit"


class APITimeoutError(EndpointError, TimeoutError):
    """The model took longer than the endpoint or this client waits."""

    error_code = "timeout"


class ServiceUnavailableError(EndpointError):
    """The endpoint cannot respond now: failing, restarting or without a ready instance."""

    error_code = "service-unavailable"


class ModelError(EndpointError):
    """The scoring script or the model failed."""

    error_code = "model"
