"""Turns a config and a prompt into a Response, or a stream of Chunks; sync and async.

response = invoke(config, "Write a haiku about sparkling water.")
with stream(config, "…") as chunks:
    for chunk in chunks: print(chunk.text, end="")
chunks.response      # what has arrived, also after an interrupt or an error
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .call import PreparedCall, add_context
from .config import LLMConfig
from .errors import AzmlError, ConfigError, Interrupted
from .http import auth, recording
from .http.exchange import NetworkSettings, Request
from .http.permit import permit_for
from .http.retry import retry_flow
from .messages import Message, as_messages
from .response import Response
from .stream import AsyncResponseStream, ResponseStream
from .wire.base import Call
from .wire.registry import wire_for

if TYPE_CHECKING:
    from .http.permit import Permit

__all__ = ["AsyncResponseStream", "ResponseStream", "ainvoke", "astream", "fetch", "invoke", "prepare", "stream"]


def invoke(config: LLMConfig, prompt: str | Sequence[Message]) -> Response:
    """Send a prompt and return the whole response.

    Args:
        config: The endpoint, its key, its wire format and the model kwargs.
        prompt: A text, or OpenAI-style messages.

    Raises:
        AzmlError: One of the errors of errors.py, with the names of the config and the deployment.
        Interrupted: The kernel was interrupted.
    """
    from .http import transport

    prepared = prepare(config, prompt)
    if (permit := permit_for(config)) is not None:
        return _invoke_with_permit(prepared, permit)
    start = time.perf_counter()
    try:
        response = transport.send(prepared.retry_flow())
    except KeyboardInterrupt:
        raise Interrupted from None
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    return prepared.decode(response, time.perf_counter() - start)


def _invoke_with_permit(prepared: PreparedCall, permit: Permit) -> Response:
    """Send one call of many; its latency does not include the wait for the permit."""
    from .http import transport

    try:
        response = transport.send(prepared.retry_flow(permit.should_retry), permit.run.pause, permit)
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    return _record_usage(prepared, permit, prepared.decode(response, time.monotonic() - permit.started))


def _record_usage(prepared: PreparedCall, permit: Permit, response: Response) -> Response:
    permit.record_usage(response.usage, len(prepared.request.body), response.text)
    return response


async def ainvoke(config: LLMConfig, prompt: str | Sequence[Message]) -> Response:
    """What `invoke` does, on the running event loop."""
    from .http import transport

    prepared = prepare(config, prompt)
    permit = permit_for(config)
    start = time.monotonic()
    try:
        response = await transport.asend(prepared.retry_flow(permit.should_retry if permit else None), permit)
    except AzmlError as error:
        raise prepared.add_context(error) from error.__cause__
    if permit is None:
        return prepared.decode(response, time.monotonic() - start)
    return _record_usage(prepared, permit, prepared.decode(response, time.monotonic() - permit.started))


def stream(config: LLMConfig, prompt: str | Sequence[Message]) -> ResponseStream:
    """Send a prompt and return the response as a stream of chunks.

    A wire format that cannot stream gives one chunk. An error after the first chunk is never retried and has what had
    arrived in `error.response`.

    Args:
        config: The endpoint, its key, its wire format and the model kwargs.
        prompt: A text, or OpenAI-style messages.

    Raises:
        AzmlError: The call cannot be prepared. Iterating raises what `invoke` raises.
    """
    return ResponseStream(prepare(config, prompt, stream=True))


def astream(config: LLMConfig, prompt: str | Sequence[Message]) -> AsyncResponseStream:
    """What `stream` does, for the running event loop."""
    return AsyncResponseStream(prepare(config, prompt, stream=True))


def fetch(config: LLMConfig, url: str) -> bytes:
    """Get a description of an endpoint, such as swagger.json or /info, with the config's key and pinned deployment.

    Args:
        config: The config of the endpoint.
        url: What to get.

    Returns:
        The body of the response.

    Raises:
        AzmlError: As `invoke` does.
    """
    from .http import transport

    credentials = auth.NO_CREDENTIALS
    try:
        credentials = _resolve_credentials(config, url)
        headers = auth.request_headers(config, url, {"Accept": "application/json"}, credentials)
        request = Request(
            url,
            headers,
            b"",
            config.timeout,
            method="GET",
            network=NetworkSettings(config.verify, config.proxy),
            total_timeout=config.total_timeout,
            secrets=credentials.secrets,
        )
        return transport.send(retry_flow(request, max_retries=config.max_retries)).body
    except AzmlError as error:
        raise add_context(error, config, *credentials.secrets) from error.__cause__


# ---- preparing a call ---------------------------------------------------------------------------------------------


def prepare(
    config: LLMConfig, prompt: str | Sequence[Message], *, stream: bool = False, with_key: bool = True
) -> PreparedCall:
    """Build the request of a call without sending it.

    Args:
        config: The endpoint, its key, its wire format and the model kwargs.
        prompt: A text, or OpenAI-style messages.
        stream: Whether to ask for a stream, if the wire format can.
        with_key: Whether to look up the key and put it into the headers.

    Raises:
        ConfigError: The config has no URL, no formatter or no key, or cannot be used otherwise.
        PromptError: The prompt cannot be encoded.
        FormatterError: A formatter of the user's own failed.
    """
    try:
        if not config.endpoint_url:
            raise ConfigError(
                "No endpoint URL", remedy="Set endpoint_url, or AZUREML_ENDPOINT_URL.", error_code="no-endpoint-url"
            )
        wire = wire_for(config)
        messages = as_messages(prompt, config.system, keep_items=wire.takes_items)
        call = Call(config, messages, stream=stream and wire.streams(config))
        payload = wire.encode(call)
        url = wire.url(config, stream=call.stream)
        credentials = _resolve_credentials(config, url) if with_key else auth.NO_CREDENTIALS
        headers = auth.request_headers(config, url, payload.headers, credentials)
        request = Request(
            url,
            headers,
            payload.body,
            config.timeout,
            call.stream,
            payload.fallback,
            network=NetworkSettings(config.verify, config.proxy),
            total_timeout=config.total_timeout,
            secrets=credentials.secrets,
        )
    except AzmlError as error:
        raise error.add_context(config=config.name) from error.__cause__
    return PreparedCall(call, wire, request)


def _resolve_credentials(config: LLMConfig, url: str) -> auth.Credentials:
    """The config's keys; none while responses are replayed, which needs none."""
    return auth.NO_CREDENTIALS if recording.is_replaying() else auth.resolve(config, url)
