"""Whatever is given as content_formatter, as a formatter of the core; and the other way round."""

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
_BY_DIALECT: dict[str, type[formatters.DialectFormatter]] = {
    kind.dialect: kind
    for kind in (
        formatters.GPT2ContentFormatter,
        formatters.DollyContentFormatter,
        formatters.HFContentFormatter,
        formatters.CustomOpenAIContentFormatter,
        chat_formatters.CustomOpenAIChatContentFormatter,
        chat_formatters.MistralChatContentFormatter,
    )
}


def wire_formatter(given: Any, to_messages: ToMessages = messages_from_wire) -> wire.Formatter | None:
    """The core's formatter for a content_formatter: an object, a registered name, or None.

    to_messages: what a formatter with format_messages_request_payload is handed for the wire's messages.
    UsageError where it is no formatter; UnknownNameError where nothing has that name.
    """
    if given is None:
        return None
    if isinstance(given, str):
        given = wire.get(given)
    if isinstance(given, wire.CustomFormatter):
        given = given.theirs
    if isinstance(given, wire.Formatter):
        return given
    if isinstance(given, formatters.DialectFormatter) and not _changed(given, *_REQUESTS, *_RESPONSES, _TYPES):
        return wire.get(given.dialect)
    return BridgedFormatter(given, to_messages)


def _changed(formatter: Any, *names: str) -> bool:
    """Whether one of those methods is the person's own and not this package's."""
    of_itself, kind = vars(formatter), type(formatter)
    return any(
        name in of_itself or ((found := getattr(kind, name, None)) is not None and id(found) not in _OWN)
        for name in names
    )


def takes_messages(given: Any) -> bool:
    """Whether a content_formatter is one for chat models."""
    formatter = given.theirs if isinstance(given, wire.CustomFormatter) else given
    if isinstance(formatter, wire.Formatter):
        return formatter.chat
    return callable(getattr(formatter, _REQUESTS[1], None))


def content_formatter_of(config: LLMConfig) -> Any:
    """The content_formatter that does what the config's formatter does; None where it names none."""
    given = config.formatter
    if not given:
        return None
    if isinstance(given, wire.CustomFormatter):
        return given.theirs
    name = given.name if isinstance(given, wire.Formatter) else given
    if not isinstance(name, str):
        return given
    kind = _BY_DIALECT.get(wire.ALIASES.get(name, name))
    return kind() if kind else given


def name_of(given: Any) -> str:
    """The name under which `wire_formatter` finds the same formatter again, or "" for a person's own object."""
    if isinstance(given, str):
        return given
    formatter = wire_formatter(given)
    return "" if formatter is None or isinstance(formatter, wire.CustomFormatter) else formatter.name


class BridgedFormatter(wire.CustomFormatter):
    """A person's own content_formatter; of one that changes a formatter of ours, the rest stays the dialect's."""

    def __init__(self, theirs: Any, to_messages: ToMessages) -> None:
        super().__init__(theirs, api_type_as=AzureMLEndpointApiType, to_messages=to_messages)
        known = isinstance(theirs, formatters.DialectFormatter)
        self._dialect = wire.get(theirs.dialect) if known else None
        self._encodes = not known or _changed(theirs, *_REQUESTS)
        self._decodes = not known or _changed(theirs, *_RESPONSES)

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        if self._dialect is not None:
            return self._dialect.url(config, stream=stream)
        serverless = "chat/completions" if takes_messages(self.theirs) else "completions"
        route = serverless if config.endpoint_api_type == "serverless" else "score"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def encode(self, call: wire.Call) -> wire.Payload:
        if self._dialect is not None and not self._encodes:
            return self._dialect.encode(call)
        return super().encode(call)

    def decode(self, body: bytes, call: wire.Call) -> Reply:
        if self._dialect is not None and not self._decodes:
            return self._dialect.decode(body, call)
        return super().decode(body, call)

    def _as_reply(self, read: Any) -> Reply:
        # LangChain gets what their method made: it may hold more than a Reply has room for.
        return Reply(read.text, raw=read) if isinstance(read, Generation) else super()._as_reply(read)
