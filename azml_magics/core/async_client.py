"""AsyncClient: what Client is, for event loops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from .base_client import BaseClient, decode
from .call import PreparedCall, add_context
from .config import LLMConfig
from .errors import AzmlError
from .http import auth
from .http.retry import retry_flow
from .messages import Message
from .redaction import redact_bytes
from .response import Response
from .stream import AsyncResponseStream
from .stream_redaction import keys_to_mask
from .tools import AsyncToolStream, Tools
from .tools.tool_spans import trace_exchange

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .http.auth import Credentials
    from .http.exchange import HTTPResponse, Request
    from .http.permit import Permit
    from .http.transport import AsyncTransport


class AsyncClient(BaseClient):
    """What Client is, for event loops. Connections close with their loop at the latest.

    Examples:
        async with AsyncClient(credential=DefaultAzureCredential()) as client:
            (await client.invoke(config, "Hi")).text
    """

    _is_async = True

    @cached_property
    def _transport(self) -> AsyncTransport:
        from .http.transport import AsyncTransport  # loads httpx

        return AsyncTransport(self._http_client, self._current_recorder)

    async def invoke(
        self, config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None
    ) -> Response:
        """Send a prompt and return the whole response, as `Client.invoke` does; tools may be asynchronous."""
        if tools is None or tools == []:
            return await self._invoke(self._prepare(config, prompt))
        config, loop = self._start_loop(tools, config, prompt)
        with trace_exchange(mlflow=self.traces_to_mlflow), loop.keep_steps():
            while loop.is_open:
                prepared = self._prepare(config, loop.messages)
                response = await self._invoke(prepared)
                for call in loop.take(response, prepared.secrets):
                    await loop.arun(call)
        return loop.response

    async def _invoke(self, prepared: PreparedCall) -> Response:
        permit = self._permit(prepared.config)
        with prepared.trace() as span:
            start = time.monotonic()
            try:
                with span.attach():
                    response = await self._send(prepared, permit)
            except AzmlError as error:
                raise prepared.add_context(error) from error.__cause__
            return span.record(decode(prepared, permit, response, start))

    async def _send(self, prepared: PreparedCall, permit: Permit | None = None) -> HTTPResponse:
        if auth.is_slow(prepared.config):
            credentials = await self._aresolve(prepared.config, prepared.request.url)
            prepared = prepared.authorize(credentials, self._aresolve)
        return await self._transport.send(prepared.retry_flow(permit.should_retry if permit else None), permit)

    def stream(
        self, config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None
    ) -> AsyncResponseStream:
        """Send a prompt and return the response as a stream of chunks, as `Client.stream` does."""
        if tools is not None and tools != []:
            return AsyncToolStream(*self._start_loop(tools, config, prompt), self._stream)
        return self._stream(config, prompt)

    def _stream(self, config: LLMConfig, prompt: str | Sequence[Message]) -> AsyncResponseStream:
        permit = self._permit(config)
        return AsyncResponseStream(self._prepare(config, prompt, stream=True), partial(self._send, permit=permit))

    def _prepare(self, config: LLMConfig, prompt: str | Sequence[Message], *, stream: bool = False) -> PreparedCall:
        """Prepare a call; keys that others have to give are looked up when it is sent, which holds up no loop."""
        is_slow = auth.is_slow(self._defaults.apply(config))
        return self.prepare(config, prompt, stream=stream, with_key=not is_slow)

    async def _aresolve(self, config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
        """The keys in a config; none while responses are replayed, which needs none."""
        return auth.NO_CREDENTIALS if self.is_replaying else await auth.aresolve(config, url, refused=refused)

    async def fetch(self, config: LLMConfig, url: str) -> bytes:
        """Get a description of an endpoint, as `Client.fetch` does."""
        self._check_open()
        config = self._defaults.apply(config)
        credentials = auth.NO_CREDENTIALS

        async def refresh(_refused: Request) -> Request:
            nonlocal credentials
            credentials = await self._aresolve(config, url, refused=credentials)
            return self._description_request(config, url, credentials)

        try:
            credentials = await self._aresolve(config, url)
            request = self._description_request(config, url, credentials)
            again = refresh if auth.can_refresh(config) else None
            response = await self._transport.send(retry_flow(request, max_retries=config.max_retries, refresh=again))
            return redact_bytes(response.body, *keys_to_mask(credentials.secrets))
        except AzmlError as error:
            raise add_context(error, config, *credentials.secrets) from error.__cause__

    async def aclose(self) -> None:
        """Close the connections of the running loop. Calls after that raise ConfigError."""
        self._is_closed = True
        if "_transport" in vars(self):
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()
