"""A call as a Python program with the SDK of OpenAI or Anthropic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ..core import endpoints, wire
from ..core.client import prepare
from ..core.errors import ConfigError
from .python_source import call_expression, join_program, literal
from .sdk_client import SDKClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.http.exchange import Request
    from ..core.messages import Message


class _Method(NamedTuple):
    """How an SDK calls a route.

    Attributes:
        sdk: The module.
        suffix: What the SDK appends to its base URL.
        name: The method of its client.
        arguments: The keys of the body that the method has had for long; other keys go into `extra_body`.
        text: The expression that gives the response's text.
    """

    sdk: str
    suffix: str
    name: str
    arguments: str
    text: str


_SAMPLING = "temperature top_p stop seed frequency_penalty presence_penalty logprobs logit_bias n user max_tokens"
_METHODS: Mapping[str, _Method] = {
    "responses": _Method(
        "openai",
        "/responses",
        "responses.create",
        "model input instructions max_output_tokens store include reasoning text tools tool_choice background metadata "
        "parallel_tool_calls previous_response_id temperature top_p truncation user service_tier",
        "response.output_text",
    ),
    "chat/completions": _Method(
        "openai",
        "/chat/completions",
        "chat.completions.create",
        f"model messages {_SAMPLING} max_completion_tokens reasoning_effort response_format tools tool_choice "
        "parallel_tool_calls top_logprobs modalities store metadata service_tier",
        "response.choices[0].message.content",
    ),
    "completions": _Method(
        "openai",
        "/completions",
        "completions.create",
        f"model prompt {_SAMPLING} best_of echo suffix",
        "response.choices[0].text",
    ),
    "embeddings": _Method(
        "openai",
        "/embeddings",
        "embeddings.create",
        "model input dimensions encoding_format user",
        "response.data[0].embedding",
    ),
    "messages": _Method(
        "anthropic",
        "/v1/messages",
        "messages.create",
        "model max_tokens messages system thinking tools tool_choice stop_sequences metadata service_tier",
        '"".join(block.text for block in response.content if block.type == "text")',
    ),
}
_POLL = """while response.status in ("queued", "in_progress"):
    time.sleep(2)
    response = client.responses.retrieve(response.id)"""


def write_openai(config: LLMConfig, messages: Sequence[Message]) -> str:
    """Write the call with OpenAI's SDK: chat, completions, embeddings and Responses routes.

    Raises:
        ConfigError: The SDK does not speak the config's wire format, or the request names no model.
    """
    return _write(config, messages, "openai")


def write_anthropic(config: LLMConfig, messages: Sequence[Message]) -> str:
    """Write the call with Anthropic's SDK: Claude's Messages route.

    Raises:
        ConfigError: The SDK does not speak the config's wire format, or the request names no model.
    """
    return _write(config, messages, "anthropic")


def _write(config: LLMConfig, messages: Sequence[Message], sdk: str) -> str:
    if config.embedded_sources:
        raise ConfigError(
            f"The SDK of {sdk} cannot look up the keys in the URL's query or in the model kwargs",
            remedy="Write it as Python.",
            error_code="sdk-embedded-key",
        )
    request = prepare(config, messages, with_key=False).request
    method = _method_for(config, request, sdk)
    body = json.loads(request.body)
    if "model" not in body:
        raise ConfigError(
            f"The SDK of {sdk} needs the name of a model, and the config has none",
            remedy="Set model, or write it as Python.",
            error_code="no-sdk-model",
        )
    setup = SDKClient(config, request, method.sdk, method.suffix)
    known = method.arguments.split()
    arguments = {name: literal(value) for name, value in body.items() if name in known}
    if further := {name: value for name, value in body.items() if name not in known}:
        arguments["extra_body"] = literal(further)
    is_polled = bool(body.get("background"))
    return join_program(
        [*setup.imports, *(["import time"] if is_polled else [])],
        *setup.lines,
        f"response = {call_expression(f'client.{method.name}', arguments)}",
        *([_POLL] if is_polled else []),
        f"print({method.text})",
    )


def _method_for(config: LLMConfig, request: Request, sdk: str) -> _Method:
    """The method that sends the request; ConfigError if the SDK has none."""
    formatter = wire.formatter_for(config)
    method = _METHODS.get(endpoints.route_of(request.url))
    if method is None or formatter.content_formatter is not None:
        raise ConfigError(
            f"The SDK of {sdk} does not speak the format of {formatter}",
            remedy="Write it as Python, which has every formatter.",
            error_code="no-sdk",
        )
    if method.sdk != sdk:
        raise ConfigError(
            f"The SDK of {sdk} does not speak the format of {formatter}, and that of {method.sdk} does",
            remedy=f"Write it as {method.sdk}.",
            error_code="other-sdk",
            facts={"sdk": method.sdk},
        )
    return method
