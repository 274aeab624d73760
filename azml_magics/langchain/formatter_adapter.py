"""Adapts content_formatter objects to the core's formatters, and the core's formatters to content_formatter."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.outputs import Generation

from ..core import endpoints, wire
from ..core.errors import ResponseFormatError
from ..core.response import Response
from ..core.text import one_line
from ..core.wire.base import to_json
from . import chat_formatters, formatters
from .api_type import AzureMLEndpointApiType
from .message_conversion import message_to_wire, messages_from_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.messages import BaseMessage

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.wire.event_reader import EventReader

    ToMessages = Callable[[Sequence[Message]], Any]

_REQUESTS = ("format_request_payload", "format_messages_request_payload")
_RESPONSES = ("format_response_payload",)
_CONVERT = "_convert_message_to_dict"
_OTHERS = ("supported_api_types", "format_error_msg", "content_type", "accepts", _CONVERT)
_HEADERS = {"content_type": "Content-Type", "accepts": "Accept"}
_OWN = {
    id(found): found
    for module in (formatters, chat_formatters)
    for kind in vars(module).values()
    if isinstance(kind, type)
    for name in (*_REQUESTS, *_RESPONSES, *_OTHERS)
    if (found := getattr(kind, name, None)) is not None
}
_BY_WIRE: dict[str, type[formatters.WireContentFormatter]] = {
    kind.wire_name: kind
    for kind in (
        formatters.GPT2ContentFormatter,
        formatters.DollyContentFormatter,
        formatters.HFContentFormatter,
        formatters.CustomOpenAIContentFormatter,
        chat_formatters.CustomOpenAIChatContentFormatter,
        chat_formatters.MistralChatContentFormatter,
    )
}


def to_wire_formatter(
    given: Any,
    to_messages: ToMessages = messages_from_wire,
    api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
) -> wire.Formatter | None:
    """Return the core's formatter for a content_formatter.

    Args:
        given: A content formatter object, a registered name, or None.
        to_messages: Converts wire messages for a formatter that has format_messages_request_payload.
        api_type: The endpoint's type as its user wrote it: a formatter of theirs gets "realtime" if they did.

    Returns:
        The formatter, or None for None.

    Raises:
        UsageError: The object is not a formatter.
        UnknownNameError: No formatter has that name.
    """
    if given is None:
        return None
    if isinstance(given, str):
        given = wire.get(given)
    if isinstance(given, wire.Formatter):
        if given.content_formatter is None:
            return given
        given = given.content_formatter
    if isinstance(given, formatters.WireContentFormatter) and not _overrides_any(
        given, *_REQUESTS, *_RESPONSES, *_OTHERS
    ):
        return wire.get(given.wire_name)
    return wire.Formatter("custom", "a formatter of your own", (AdaptedWire(given, to_messages, api_type),), given)


def _overrides_any(formatter: Any, *names: str) -> bool:
    """Return whether the user overrides one of these methods of this package's classes."""
    own, kind = vars(formatter), type(formatter)
    return any(
        name in own or ((found := getattr(kind, name, None)) is not None and id(found) not in _OWN) for name in names
    )


def takes_messages(given: Any) -> bool:
    """Return whether a content_formatter is one for chat models."""
    if isinstance(given, wire.Formatter):
        if given.content_formatter is None:
            return given.chat
        given = given.content_formatter
    return callable(getattr(given, _REQUESTS[1], None))


def message_converter(given: Any) -> Callable[[BaseMessage], Message] | None:
    """Return what converts the messages for a content_formatter; None if it takes LangChain's messages itself."""
    if isinstance(given, wire.Formatter) and given.content_formatter is not None:
        given = given.content_formatter
    if not takes_messages(given):
        return message_to_wire
    known = isinstance(given, formatters.WireContentFormatter)
    if isinstance(given, wire.Formatter) or (known and not _overrides_any(given, _REQUESTS[1], _CONVERT)):
        return message_to_wire
    return getattr(given, _CONVERT) if known and not _overrides_any(given, _REQUESTS[1]) else None


def to_content_formatter(config: LLMConfig) -> Any:
    """Return the content_formatter that does what the config's formatter does; None if the config has none."""
    given = config.formatter
    if not given:
        return None
    if isinstance(given, wire.Formatter) and given.content_formatter is not None:
        return given.content_formatter
    name = given.name if isinstance(given, wire.Formatter) else given
    if not isinstance(name, str):
        return given
    kind = _BY_WIRE.get(wire.ALIASES.get(name, name))
    return kind() if kind else given


def get_registered_name(given: Any) -> str:
    """Return the name for which `to_wire_formatter` gives the same formatter, or "" for a user's own object."""
    if isinstance(given, str):
        return given
    formatter = to_wire_formatter(given)
    return "" if formatter is None or formatter.content_formatter is not None else formatter.name


class AdaptedWire(wire.CustomWire):
    """A user's own content_formatter. A subclass of ours keeps the methods that it does not override."""

    def __init__(self, content_formatter: Any, to_messages: ToMessages, api_type: AzureMLEndpointApiType) -> None:
        def as_written(name: str) -> AzureMLEndpointApiType:
            is_realtime = api_type is AzureMLEndpointApiType.realtime and name == "dedicated"
            return api_type if is_realtime else AzureMLEndpointApiType(name)

        super().__init__(content_formatter, convert_api_type=as_written, convert_messages=to_messages)
        known = isinstance(content_formatter, formatters.WireContentFormatter)
        self._formatter = wire.get(content_formatter.wire_name) if known else None
        self._encodes = not known or _overrides_any(content_formatter, *_REQUESTS)
        self._decodes = not known or _overrides_any(content_formatter, *_RESPONSES)

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        if self._formatter is not None:
            return _wire_of(self._formatter, config).url(config, stream=stream)
        serverless = "chat/completions" if takes_messages(self.content_formatter) else "completions"
        route = serverless if config.endpoint_api_type == "serverless" else "score"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def streams(self, config: LLMConfig) -> bool:
        """Return whether a response can arrive in chunks: not if a method of the user's reads it, as a whole."""
        return self._formatter is not None and not self._decodes and _wire_of(self._formatter, config).streams(config)

    def event_reader(self, call: wire.Call) -> EventReader:
        assert self._formatter is not None
        return _wire_of(self._formatter, call.config).event_reader(call)

    def encode(self, call: wire.Call) -> wire.Payload:
        if self._formatter is None or self._encodes:
            payload = super().encode(call)
            return _ask_for_stream(payload, self.url(call.config, stream=True)) if call.stream else payload
        payload = _wire_of(self._formatter, call.config).encode(call)
        return replace(payload, headers={**payload.headers, **self._own_headers()})

    def decode(self, body: bytes, call: wire.Call) -> Response:
        if self._formatter is None or self._decodes:
            return super().decode(body, call)
        try:
            return _wire_of(self._formatter, call.config).decode(body, call)
        except ResponseFormatError as error:
            if _overrides_any(self.content_formatter, "format_error_msg"):
                api_type = self._convert_api_type(call.config.endpoint_api_type)
                error.cause = one_line(self.content_formatter.format_error_msg.format(api_type=api_type))
            raise

    def _own_headers(self) -> dict[str, str]:
        """The headers that the user's subclass sets by its attributes."""
        own = self.content_formatter
        changed = [name for name in _HEADERS if _overrides_any(own, name) and getattr(own, name)]
        return {_HEADERS[name]: getattr(own, name) for name in changed}

    def parse_response(self, value: Any) -> Response:
        # Keep the Generation for LangChain: it may hold more than a Response can.
        return Response(value.text, raw=value) if isinstance(value, Generation) else super().parse_response(value)


def _wire_of(formatter: wire.Formatter, config: LLMConfig) -> wire.Wire:
    """Return the formatter's wire format for the config; its first one if the user's subclass supports more types."""
    return next((each for each in formatter.wires if each.fits(config)), formatter.wires[0])


def _ask_for_stream(payload: wire.Payload, url: str) -> wire.Payload:
    """Return the request of a user's method with `stream`, if it is a JSON object; others go out as they are."""
    try:
        body = json.loads(payload.body)
    except (ValueError, RecursionError):
        return payload
    if not isinstance(body, dict):
        return payload
    plain = to_json({**body, "stream": True})
    if endpoints.is_inference_api(url) or "stream_options" in body:
        return replace(payload, body=plain)
    counted = to_json({**body, "stream": True, "stream_options": {"include_usage": True}})
    return replace(payload, body=counted, fallback=plain)
