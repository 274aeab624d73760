"""Client: sends prompts over connections that it keeps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from .base_client import BaseClient, decode
from .call import PreparedCall, add_context
from .config import LLMConfig
from .errors import AzmlError, Interrupted
from .http import auth
from .http.retry import retry_flow
from .messages import Message
from .redaction import redact_bytes
from .response import Response
from .stream import ResponseStream
from .stream_redaction import keys_to_mask
from .tools import Tools, ToolStream
from .tools.tool_spans import trace_exchange

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .http.exchange import HTTPResponse, Request
    from .http.permit import Permit
    from .http.transport import Transport


class Client(BaseClient):
    """Sends prompts over connections that it keeps.

    Examples:
        with Client(http_client=httpx.Client(verify=context)) as client:
            client.invoke(config, "Hi").text
    """

    @cached_property
    def _transport(self) -> Transport:
        from .http.transport import Transport  # loads httpx

        return Transport(self._http_client, self._current_recorder)

    def invoke(self, config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None) -> Response:
        """Send a prompt and return the whole response.

        Args:
            config: The endpoint, its key, its wire format and the model kwargs.
            prompt: A text, or OpenAI-style messages.
            tools: Functions that the model may call: they are called, and their results sent, until it gives a final
                response. A `Toolset` sets limits. What happened is in the response's `steps` and `tool_runs`.

        Raises:
            AzmlError: One of `azml_magics.errors`, with the names of the config and the deployment.
            Interrupted: The kernel was interrupted.
        """
        if tools is None or tools == []:
            return self._invoke(self.prepare(config, prompt))
        config, loop = self._start_loop(tools, config, prompt)
        with trace_exchange(mlflow=self.traces_to_mlflow), loop.keep_steps():
            while loop.is_open:
                prepared = self.prepare(config, loop.messages)
                for call in loop.take(self._invoke(prepared), prepared.secrets):
                    loop.run(call)
        return loop.response

    def _invoke(self, prepared: PreparedCall) -> Response:
        permit = self._permit(prepared.config)
        with prepared.trace() as span:
            start = time.monotonic()
            try:
                with span.attach():
                    response = self._send(prepared, permit)
            except KeyboardInterrupt:
                raise Interrupted from None
            except AzmlError as error:
                raise prepared.add_context(error) from error.__cause__
            return span.record(decode(prepared, permit, response, start))

    def _send(self, prepared: PreparedCall, permit: Permit | None = None) -> HTTPResponse:
        if permit is None:
            return self._transport.send(prepared.retry_flow())
        return self._transport.send(prepared.retry_flow(permit.should_retry), permit.run.pause, permit)

    def stream(
        self, config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None
    ) -> ResponseStream:
        """Send a prompt and return the response as a stream of chunks.

        A wire format that cannot stream gives one chunk. An error after the first chunk is never retried and has what
        had arrived in `error.response`.

        Args:
            config: The endpoint, its key, its wire format and the model kwargs.
            prompt: A text, or OpenAI-style messages.
            tools: As for `invoke`. The stream goes on through the calls to the final response; chunks with a `tool_run`
                say when a function begins and ends.

        Raises:
            AzmlError: The call cannot be prepared. Iterating raises what `invoke` raises.
        """
        if tools is not None and tools != []:
            return ToolStream(*self._start_loop(tools, config, prompt), self._stream)
        return self._stream(config, prompt)

    def _stream(self, config: LLMConfig, prompt: str | Sequence[Message]) -> ResponseStream:
        permit = self._permit(config)
        return ResponseStream(self.prepare(config, prompt, stream=True), partial(self._send, permit=permit))

    def fetch(self, config: LLMConfig, url: str) -> bytes:
        """Get a description of an endpoint, such as swagger.json or /info, with the config's key and deployment.

        Args:
            config: The config of the endpoint.
            url: What to get.

        Returns:
            The body of the response.

        Raises:
            AzmlError: As `invoke` does.
        """
        self._check_open()
        config = self._defaults.apply(config)
        credentials = auth.NO_CREDENTIALS

        def refresh(_refused: Request) -> Request:
            nonlocal credentials
            credentials = self._resolve(config, url, refused=credentials)
            return self._description_request(config, url, credentials)

        try:
            credentials = self._resolve(config, url)
            request = self._description_request(config, url, credentials)
            again = refresh if auth.can_refresh(config) else None
            body = self._transport.send(retry_flow(request, max_retries=config.max_retries, refresh=again)).body
            return redact_bytes(body, *keys_to_mask(credentials.secrets))
        except AzmlError as error:
            raise add_context(error, config, *credentials.secrets) from error.__cause__

    def close(self) -> None:
        """Close the connections. Calls after that raise ConfigError."""
        self._is_closed = True
        if "_transport" in vars(self):
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
