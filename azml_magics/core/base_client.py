"""What the synchronous and the asynchronous client share: settings, preparing calls, permits. No I/O."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import preparation
from .call import PreparedCall
from .config import LLMConfig
from .errors import ConfigError
from .hidden_arguments import hide_arguments
from .http import auth, recording
from .http.auth import Credentials
from .http.exchange import MAX_RESPONSE_BYTES, Request
from .http.permit import Permit, RateLimiters, shared_limiters
from .http.rate_limiter import RateLimiter
from .http.recording import Player, Recorder
from .key_sources import TokenCredential, token_source
from .messages import Message
from .preparation import ClientDefaults
from .secret import Secret
from .tools import ToolLoop, Tools
from .tracing.mlflow_spans import check_mlflow

if TYPE_CHECKING:
    from .http.exchange import HTTPResponse
    from .response import Response


class BaseClient:
    """What both clients share.

    Attributes:
        limiters: The rate limiters of its calls.
        recorder: Records or replays the requests of this client alone; None for what the process uses.
    """

    _is_async = False

    @hide_arguments
    def __init__(
        self,
        *,
        http_client: Any = None,
        default_headers: Mapping[str, Any] | None = None,
        credential: TokenCredential | None = None,
        azure_ad_token_provider: Callable[[], str | Awaitable[str]] | None = None,
        limiter: RateLimiter | RateLimiters | None = None,
        timeout: float | None = None,
        total_timeout: float | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        mlflow: bool = False,
    ) -> None:
        """Make a client.

        Args:
            http_client: An httpx client (or httpx2's) that sends the requests, with its hooks, mounts, authentication
                and certificates; by default connections of this client's own. It is not closed with this client.
            default_headers: Sent with every request, below a config's own. Values may be key references ("env:NAME").
            credential: A credential of azure-identity, whose tokens take the place of every config's key.
            azure_ad_token_provider: A function that returns such tokens, as openai's clients take it:
                `get_bearer_token_provider(credential, scope)`. It may be asynchronous, as a credential may be.
            limiter: The rate limiter of all calls; by default calls in a run share one for each deployment, with those
                of other clients.
            timeout: Seconds without data before giving up, for configs that leave theirs at its default.
            total_timeout: Seconds that one request may take in all, for configs without one.
            max_response_bytes: The most bytes of a response, decompressed; four times as many for a stream.
            mlflow: Whether calls, and runs over rows, are traced into MLflow, with their prompts and responses.

        Raises:
            ConfigError: An argument cannot be used.
            MissingPackageError: mlflow is not installed.
        """
        self._http_client = http_client
        self.limiters = shared_limiters if limiter is None else RateLimiters.of(limiter)
        self._defaults = ClientDefaults(
            default_headers or {},
            token_source(credential, azure_ad_token_provider),
            timeout,
            total_timeout,
            max_response_bytes,
        )
        if mlflow:
            self.traces_to_mlflow = True
        if http_client is not None:
            from .http.user_client import check_client

            check_client(http_client, is_async=self._is_async)
        self.recorder: Recorder | Player | None = None
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""
        return self._is_closed

    @property
    def traces_to_mlflow(self) -> bool:
        """Whether calls are traced into MLflow. Assign to it to change that.

        Raises:
            MissingPackageError: mlflow is not installed.
            ConfigError: It is too old.
        """
        return self._defaults.mlflow

    @traces_to_mlflow.setter
    def traces_to_mlflow(self, value: bool) -> None:
        if value:
            check_mlflow()
        self._defaults = replace(self._defaults, mlflow=value)

    @property
    def total_timeout(self) -> float | None:
        """Seconds that one request may take in all, for configs without a limit; None for no limit."""
        return self._defaults.total_timeout

    def resolve_keys(self, config: LLMConfig) -> tuple[Secret, ...]:
        """Look up the keys of a config, so that they are asked for now and can be masked later.

        Raises:
            KeyNotFoundError: A key cannot be found.
        """
        return self._resolve(self._defaults.apply(config), config.endpoint_url).secrets

    @property
    def is_replaying(self) -> bool:
        """Whether responses are replayed, which needs no key."""
        recorder = self._current_recorder()
        return recorder is not None and recorder.replays

    def _current_recorder(self) -> Recorder | Player | None:
        return self.recorder or recording.current()

    def prepare(
        self, config: LLMConfig, prompt: str | Sequence[Message], *, stream: bool = False, with_key: bool = True
    ) -> PreparedCall:
        """Build the request of a call without sending it.

        Args:
            config: The endpoint, its key, its wire format and the model kwargs.
            prompt: A text, or OpenAI-style messages.
            stream: Whether to ask for a stream, if the wire format can.
            with_key: Whether to look up the config's key and put it into the headers.

        Raises:
            ConfigError: The config has no URL, no formatter or no key, or cannot be used otherwise.
            PromptError: The prompt cannot be encoded.
            FormatterError: A formatter of the user's own failed.
        """
        self._check_open()
        return preparation.prepare(
            self._defaults.apply(config),
            prompt,
            self._defaults,
            self._resolve,
            stream=stream,
            with_key=with_key,
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConfigError("The client is closed", remedy="Make a new one.", error_code="client-closed")

    def _resolve(self, config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
        """The keys in a config; none while responses are replayed, which needs none."""
        return auth.NO_CREDENTIALS if self.is_replaying else auth.resolve(config, url, refused=refused)

    def _description_request(self, config: LLMConfig, url: str, credentials: Credentials) -> Request:
        headers = auth.request_headers(config, url, {"Accept": "application/json"}, credentials)
        keys: dict[str, Any] = {"secrets": credentials.secrets, "embedded": credentials.embedded}
        return self._defaults.request(config, url, headers, method="GET", **keys)

    def _start_loop(
        self, tools: Tools, config: LLMConfig, prompt: str | Sequence[Message]
    ) -> tuple[LLMConfig, ToolLoop]:
        """The config to call with, and the loop of one prompt with tools."""
        config, loop = ToolLoop.start(tools, config, prompt)
        loop.traces_to_mlflow = self.traces_to_mlflow
        return config, loop

    def _permit(self, config: LLMConfig) -> Permit | None:
        """The permit of one call; None if it does not wait for others."""
        return None if self.is_replaying else self.limiters.permit(config)


def decode(prepared: PreparedCall, permit: Permit | None, response: HTTPResponse, start: float) -> Response:
    """Decode a response; its latency does not include the wait for a permit."""
    if permit is None:
        return prepared.decode(response, time.monotonic() - start)
    decoded = prepared.decode(response, time.monotonic() - permit.started)
    permit.record_usage(decoded.usage, len(prepared.request.body), decoded.text)
    return decoded
