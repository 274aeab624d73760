"""Adapts content_formatter objects to the core's formatters, and the core's formatters to content_formatter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.outputs import Generation

from ..core import endpoints, wire
from ..core.wire.replies import Reply
from . import chat_formatters, formatters
from .api_type import AzureMLEndpointApiType
from .message_conversion import messages_from_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message

    ToMessages = Callable[[Sequence[Message]], Any]

_REQUESTS = ("format_request_payload", "format_messages_request_payload")
_RESPONSES = ("format_response_payload",)
_TYPES = "supported_api_types"
_OWN = {
    id(found): found
    for module in (formatters, chat_formatters)
    for kind in vars(module).values()
    if isinstance(kind, type)
    for name in (*_REQUESTS, *_RESPONSES, _TYPES)
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


def to_wire_formatter(given: Any, to_messages: ToMessages = messages_from_wire) -> wire.Formatter | None:
    """Return the core's formatter for a content_formatter.

    Args:
        given: A content formatter object, a registered name, or None.
        to_messages: Converts wire messages for a formatter that has format_messages_request_payload.

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
    if isinstance(given, wire.CustomFormatter):
        given = given.theirs
    if isinstance(given, wire.Formatter):
        return given
    if isinstance(given, formatters.WireContentFormatter) and not _overrides_any(
        given, *_REQUESTS, *_RESPONSES, _TYPES
    ):
        return wire.get(given.wire_name)
    return AdaptedFormatter(given, to_messages)


def _overrides_any(formatter: Any, *names: str) -> bool:
    """Return whether the user overrides one of these methods of this package's classes."""
    own, kind = vars(formatter), type(formatter)
    return any(
        name in own or ((found := getattr(kind, name, None)) is not None and id(found) not in _OWN) for name in names
    )


def takes_messages(given: Any) -> bool:
    """Return whether a content_formatter is one for chat models."""
    formatter = given.theirs if isinstance(given, wire.CustomFormatter) else given
    if isinstance(formatter, wire.Formatter):
        return formatter.chat
    return callable(getattr(formatter, _REQUESTS[1], None))


def to_content_formatter(config: LLMConfig) -> Any:
    """Return the content_formatter that does what the config's formatter does; None if the config has none."""
    given = config.formatter
    if not given:
        return None
    if isinstance(given, wire.CustomFormatter):
        return given.theirs
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
    return "" if formatter is None or isinstance(formatter, wire.CustomFormatter) else formatter.name


class AdaptedFormatter(wire.CustomFormatter):
    """A user's own content_formatter. A subclass of ours keeps the methods that it does not override."""

    def __init__(self, theirs: Any, to_messages: ToMessages) -> None:
        super().__init__(theirs, api_type_as=AzureMLEndpointApiType, to_messages=to_messages)
        known = isinstance(theirs, formatters.WireContentFormatter)
        self._wire = wire.get(theirs.wire_name) if known else None
        self._encodes = not known or _overrides_any(theirs, *_REQUESTS)
        self._decodes = not known or _overrides_any(theirs, *_RESPONSES)

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        if self._wire is not None:
            return self._wire.url(config, stream=stream)
        serverless = "chat/completions" if takes_messages(self.theirs) else "completions"
        route = serverless if config.endpoint_api_type == "serverless" else "score"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def encode(self, call: wire.Call) -> wire.Payload:
        if self._wire is not None and not self._encodes:
            return self._wire.encode(call)
        return super().encode(call)

    def decode(self, body: bytes, call: wire.Call) -> Reply:
        if self._wire is not None and not self._decodes:
            return self._wire.decode(body, call)
        return super().decode(body, call)

    def _as_reply(self, read: Any) -> Reply:
        # Keep the Generation for LangChain: it may hold more than a Reply can.
        return Reply(read.text, raw=read) if isinstance(read, Generation) else super()._as_reply(read)
