"""One prepared call: its request, its retry flow, and the reading of its response. Whole calls and streams share it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from .errors import AzmlError, EndpointError
from .http import auth, error_headers
from .http.auth import Credentials
from .http.quota import kept_headers
from .http.retry import retry_flow
from .polling import polling_flow
from .redaction import redact, redact_bytes, redact_data
from .stream_redaction import keys_to_mask
from .suspicions import explain
from .tracing import TracedCall, trace_call
from .wire.charset import to_utf8

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Context

    from .config import LLMConfig
    from .http.exchange import HTTPResponse, Request
    from .http.retry import RetryFlow
    from .response import Response
    from .secret import Secret
    from .tracing.spans import AnyCallSpan
    from .tracing.tracers import Tracer
    from .wire.base import Call, Pending, Wire

_MAX_REPLY = 64 * 1024  # bytes that an error keeps of a body that cannot be read


class Resolve(Protocol):
    """Looks up the keys of a request to `url`, as `auth.resolve` and `auth.aresolve` do."""

    def __call__(
        self, config: LLMConfig, url: str, *, refused: Credentials | None = None
    ) -> Credentials | Awaitable[Credentials]: ...


@dataclass(frozen=True)
class PreparedCall:
    """A call that is ready to be sent.

    Attributes:
        call: The config and the messages.
        wire: The wire format that encoded the request and decodes the response.
        request: The request.
        resolve: Looks up the keys again, for a fresh token after a 401.
        credentials: The keys in the request.
        refreshed: Tokens that replaced those of the request, which no message may show either.
        tracers: The tracers of the call.
        context: Where it was prepared, if it has tracers: their current spans are its parents.
    """

    call: Call
    wire: Wire
    request: Request
    resolve: Resolve = field(default=auth.resolve, repr=False)
    credentials: Credentials = field(default=auth.NO_CREDENTIALS, repr=False)
    refreshed: list[Secret] = field(default_factory=list, repr=False)
    tracers: tuple[Tracer, ...] = field(default=(), repr=False)
    context: Context | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The keys of the request and those that replaced them."""
        return (*self.request.secrets, *self.refreshed)

    @property
    def config(self) -> LLMConfig:
        """The config that the call uses."""
        return self.call.config

    def trace(self, read: Callable[[], Response] | None = None) -> AnyCallSpan:
        """Return the spans of the call, which begin and end with their block.

        Args:
            read: Returns the part of a stream that has arrived.
        """

        def describe() -> TracedCall:
            return TracedCall(self.call, self.wire, self.request.url, lambda: self.secrets)

        return trace_call(self.tracers, describe, read, self.context)

    def add_context(self, error: AzmlError) -> AzmlError:
        """Say in `error` where it happened and what looked wrong with the call, and mask the key in it."""
        return add_context(explain(error, self.config, self.request.url), self.config, *self.secrets)

    def retry_flow(self, should_retry: Callable[[AzmlError], bool | None] | None = None) -> RetryFlow:
        """Start a new flow that sends the call; `should_retry` is as in `retry.retry_flow`."""

        def start(request: Request) -> RetryFlow:
            return retry_flow(
                request,
                max_retries=self.config.max_retries,
                refresh=self._refresh if auth.can_refresh(self.config) else None,
                should_retry=should_retry,
            )

        return polling_flow(self.request, start, self._find_pending)

    def _find_pending(self, response: HTTPResponse) -> Pending | None:
        """Where to ask for the response if the server still works on it; a stream is not asked for again."""
        return self.wire.find_pending(response.body, self.request.url) if response.stream is None else None

    def authorize(self, credentials: Credentials, resolve: Resolve) -> PreparedCall:
        """Return the call with keys in its request that were not there when it was prepared."""
        request = self._with_keys(self.request, credentials)
        return replace(self, request=request, resolve=resolve, credentials=credentials)

    def _refresh(self, request: Request) -> Request | Awaitable[Request]:
        """The request with fresh keys."""
        found = self.resolve(self.config, request.url, refused=self.credentials)
        return self._with_keys(request, found) if isinstance(found, Credentials) else self._await_keys(request, found)

    async def _await_keys(self, request: Request, found: Awaitable[Credentials]) -> Request:
        return self._with_keys(request, await found)

    def _with_keys(self, request: Request, credentials: Credentials) -> Request:
        self.refreshed.extend(credentials.secrets)
        headers = auth.request_headers(self.config, request.url, request.headers, credentials)
        return replace(request, headers=headers, secrets=credentials.secrets, embedded=credentials.embedded)

    def decode(self, response: HTTPResponse, latency: float, first_token: float | None = None) -> Response:
        """Decode a successful response that arrived whole.

        Args:
            response: The HTTP response.
            latency: Seconds that the call took.
            first_token: Seconds to the first token of a stream.

        Raises:
            AzmlError: It cannot be read, or reports a failure in spite of its status.
        """
        try:
            charset = response.headers.get("content-type", "")
            body = redact_bytes(to_utf8(response.body, charset), *keys_to_mask(self.secrets))
            decoded = self.wire.decode(body, self.call)
        except AzmlError as error:
            raise self._add_response(error, response, latency, first_token) from error.__cause__
        return decoded.replace(
            latency=latency,
            time_to_first_token=first_token,
            config=self.config.name,
            **self.source_of(response),
        )

    def source_of(self, response: HTTPResponse) -> dict[str, Any]:
        """What the response's headers tell, as fields of Response; keys that a server repeats are masked."""
        headers = {name: redact(value, *self.secrets) for name, value in kept_headers(response.headers).items()}
        return {
            "deployment": headers.get("azureml-model-deployment") or headers.get("x-ms-deployment-name", ""),
            "request_id": error_headers.request_id(headers),
            "headers": headers,
            "attempts": response.attempts,
        }

    def _add_response(
        self, error: AzmlError, response: HTTPResponse, latency: float, first_token: float | None
    ) -> AzmlError:
        """Add what is known of the response that could not be read."""
        source = self.source_of(response)
        error.add_context(deployment=source["deployment"], request_id=source["request_id"])
        error.add_context(request_id=response.client_request_id)
        error.reply = response.body[:_MAX_REPLY].decode("utf-8", "replace")
        if error.response is not None:  # what the content filter let through
            times: dict[str, Any] = {"latency": latency, "time_to_first_token": first_token}
            error.response = replace(error.response, config=self.config.name, **times, **source)
        return self.add_context(error)


def add_context(error: AzmlError, config: LLMConfig, *secrets: Secret | None) -> AzmlError:
    """Say in `error` where it happened, and mask the `secrets`, which a server may have repeated.

    Returns:
        The same error, with the names of the config and its deployment.
    """
    error.cause = redact(error.cause, *secrets)
    error.remedy = redact(error.remedy, *secrets)
    error.request_id = redact(error.request_id, *secrets)
    error.args = (error.cause,)
    error.reply = redact(error.reply, *secrets)
    error.add_facts(**redact_data(error.facts, *secrets))
    if isinstance(error, EndpointError):
        error.body = redact(error.body, *secrets)
        error.headers = {name: redact(value, *secrets) for name, value in error.headers.items()}
    return error.add_context(config=config.name, deployment=config.deployment_name)
