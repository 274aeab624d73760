"""Responses that do not arrive, cannot be read or do not fit."""

from __future__ import annotations

from .base import AzmlError


class ResponseFormatError(AzmlError, ValueError):
    """A successful response that cannot be read."""

    error_code = "response-format"


class StreamInterruptedError(ResponseFormatError):
    """A stream that ended before the response was complete; `response` holds what arrived."""

    error_code = "stream-interrupted"


class APIConnectionError(AzmlError, ConnectionError):
    """No connection to the endpoint, or it broke before a response arrived."""

    error_code = "connection"


class SchemaError(AzmlError):
    """A response that does not fit the schema; `response` holds it."""

    error_code = "schema"


class NotRecordedError(AzmlError):
    """A request that a replayed cassette has no response for."""

    error_code = "not-recorded"


class RunnableError(AzmlError):
    """An error that a chain or another provider's model raised; the original is its cause."""

    error_code = "runnable"
