"""One call made ready, and its reply read: what invoke and the streams share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import endpoints, wire
from .errors import AzmlError, ConfigError, EndpointError
from .http import recording, status_errors
from .http.retry import Answer, Plan, Request, attempts
from .keys import KeyRef, Secret
from .messages import Message, as_messages
from .redaction import redact
from .response import Response
from .wire.base import Call, Formatter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .config import LLMConfig

LONGEST_REPLY = 64 * 1024  # bytes of a reply that cannot be read, kept for the person to look at


@dataclass(frozen=True)
class Prepared:
    """A call made ready: its formatter, its request, and the key that its messages must never show."""

    call: Call
    formatter: Formatter
    request: Request
    secret: Secret | None
    refreshed: list[Secret] = field(default_factory=list, repr=False)

    @property
    def config(self) -> LLMConfig:
        """The config that the call uses."""
        return self.call.config

    def add_context(self, error: AzmlError) -> AzmlError:
        """`error` with the place of this call, and without its key."""
        return add_context(error, self.config, self.secret, *self.refreshed)


def add_context(error: AzmlError, config: LLMConfig, *secrets: Secret | None) -> AzmlError:
    """Fill in where `error` happened, mask the `secrets` that a server may have repeated in it, and return it."""
    error.cause = redact(error.cause, *secrets)
    error.remedy = redact(error.remedy, *secrets)
    error.request_id = redact(error.request_id, *secrets)
    error.args = (error.cause,)
    error.reply = redact(error.reply, *secrets)
    if isinstance(error, EndpointError):
        error.body = redact(error.body, *secrets)
        error.headers = {name: redact(value, *secrets) for name, value in error.headers.items()}
    return error.add_context(config=config.name, deployment=config.deployment_name)


def prepare(
    config: LLMConfig, prompt: str | Sequence[Message], *, stream: bool = False, with_key: bool = True
) -> Prepared:
    """The request that `config` and `prompt` make; nothing is sent. Without `with_key` the key is not looked up.

    Raises ConfigError (no URL, no formatter, no key, …), PromptError or FormatterError.
    """
    try:
        if not config.endpoint_url:
            raise ConfigError(
                "No endpoint URL", remedy="Give one with --url, save a config with one, or set AZUREML_ENDPOINT_URL."
            )
        formatter = wire.formatter_for(config)
        streamed = stream and formatter.streams(config)
        call = Call(config, as_messages(prompt, config.system), stream=streamed)
        payload = formatter.encode(call)
        url = formatter.url(config, stream=streamed)
        if endpoints.needs_model(url) and not (
            config.model or config.deployment_name or "model" in config.model_kwargs
        ):
            raise ConfigError(
                "This endpoint serves several models and the request names none",
                remedy="Name the deployment with --deployment, or set model in the config.",
            )
        secret = _secret(config) if with_key and not recording.is_replaying() else None
        request = Request(
            url,
            _request_headers(config, url, payload.headers, secret),
            payload.body,
            config.timeout,
            streamed,
            payload.fallback,
        )
    except AzmlError as error:
        raise error.add_context(config=config.name) from error.__cause__
    return Prepared(call, formatter, request, secret)


def description_request(config: LLMConfig, url: str) -> tuple[Request, Secret | None]:
    """A GET of `url` with the config's key and pinned deployment: for swagger.json and /info."""
    secret = None if recording.is_replaying() else _secret(config)
    headers = _request_headers(config, url, {"Accept": "application/json"}, secret)
    return Request(url, headers, b"", config.timeout, method="GET"), secret


def _secret(config: LLMConfig, *, refresh: bool = False) -> Secret | None:
    if isinstance(config.key, KeyRef):
        return config.key.resolve(config.endpoint_url, refresh=refresh)
    assert config.key is None or isinstance(config.key, Secret)
    return config.key


def _request_headers(config: LLMConfig, url: str, extra: Any, secret: Secret | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **extra}
    if config.deployment_name and not endpoints.needs_model(url):
        headers["azureml-model-deployment"] = config.deployment_name
    for name, value in headers.items():
        if not _fits_a_header(value):
            raise ConfigError(f"{name} holds characters that no header can carry", remedy="Mend the formatter.")
    if secret:  # last, and never in a variable: a traceback with locals would show it
        if not _fits_a_header(secret.reveal()):
            raise ConfigError("The key holds characters that no header can carry", remedy="Check what was pasted.")
        is_token = isinstance(config.key, KeyRef) and config.key.is_token
        headers.update(endpoints.auth_headers(url, secret.reveal(), is_token=is_token))
    return headers


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def plan_of(prepared: Prepared, again: Callable[[AzmlError], bool | None] | None = None) -> Plan:
    """The plan that sends the call: a fresh one every time. `again` is the policy's."""
    config = prepared.config
    refreshed = None
    if isinstance(config.key, KeyRef) and config.key.is_token:

        def refreshed() -> dict[str, str]:
            if recording.is_replaying():  # the 401 is on the tape, and so is what came after it
                return dict(prepared.request.headers)
            fresh = _secret(config, refresh=True)
            assert fresh is not None
            prepared.refreshed.append(fresh)
            auth = endpoints.auth_headers(prepared.request.url, fresh.reveal(), is_token=True)
            return {**prepared.request.headers, **auth}

    return attempts(prepared.request, max_retries=config.max_retries, refreshed=refreshed, again=again)


def read_answer(prepared: Prepared, answer: Answer, latency: float, first: float | None = None) -> Response:
    """The Response that a whole 200 holds; seconds in `latency` and `first` (to the first token)."""
    place: dict[str, Any] = {
        "deployment": answer.headers.get("azureml-model-deployment", ""),
        "request_id": status_errors.request_id(answer.headers),
    }
    try:
        reply = prepared.formatter.decode(answer.body, prepared.call)
    except AzmlError as error:
        error.add_context(**place)
        error.reply = answer.body[:LONGEST_REPLY].decode("utf-8", "replace")
        if error.response is not None:  # what the content filter let through
            times: dict[str, Any] = {"latency": latency, "time_to_first_token": first}
            error.response = replace(error.response, config=prepared.config.name, **times, **place)
        raise prepared.add_context(error) from error.__cause__
    return Response(
        text=reply.text,
        usage=reply.usage,
        finish_reason=reply.finish_reason,
        latency=latency,
        time_to_first_token=first,
        config=prepared.config.name,
        model=reply.model,
        tool_calls=reply.tool_calls,
        reasoning=reply.reasoning,
        logprobs=reply.logprobs,
        raw=reply.raw,
        **place,
    )
