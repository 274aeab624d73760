"""A person's own formatter, written the way LangChain's documentation shows it.

It has `format_request_payload(prompt, model_kwargs[, api_type])` (or `format_messages_request_payload(messages, …)`)
and `format_response_payload(output[, api_type])`. The request may be bytes, str or a JSON-able value; the answer may be
a str, a dict, or an object with `.text` (LangChain's Generation) or `.message` (ChatGeneration).
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import AzmlError, FormatterError, PromptError, UsageError
from ..text import one_line
from . import replies
from .base import Call, Formatter, Payload, to_json
from .completion import speaks_openai

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..config import LLMConfig
    from ..messages import Message


def is_formatter(candidate: object) -> bool:
    """Whether `candidate` has the methods of a content formatter."""
    encodes = any(callable(getattr(candidate, f"format_{kind}request_payload", None)) for kind in ("", "messages_"))
    return encodes and callable(getattr(candidate, "format_response_payload", None))


class CustomFormatter(Formatter):
    """A Formatter around `theirs`. `to_messages` turns wire messages into what their message method expects."""

    name = "custom"
    description = "a formatter of your own"
    api_types = ("dedicated", "serverless")

    def __init__(
        self,
        theirs: Any,
        *,
        api_type_as: Callable[[str], Any] = str,
        to_messages: Callable[[Sequence[Message]], Any] = list,
    ) -> None:
        if inspect.isclass(theirs) or not is_formatter(theirs):
            raise UsageError(
                f"{theirs!r} is no content formatter",
                remedy="Give an object with format_request_payload and format_response_payload"
                + (", not its class: call it." if inspect.isclass(theirs) else "."),
            )
        self.theirs = theirs
        self._api_type_as = api_type_as
        self._to_messages = to_messages
        self._takes_messages = callable(getattr(theirs, "format_messages_request_payload", None))

    def __str__(self) -> str:
        return type(self.theirs).__name__

    def check(self, config: LLMConfig) -> None:
        supported = getattr(self.theirs, "supported_api_types", None)
        if supported is None:
            return
        names = {
            "dedicated" if str(getattr(t, "value", t)) == "realtime" else str(getattr(t, "value", t)) for t in supported
        }
        if names and config.endpoint_api_type not in names:
            raise FormatterError(
                f"{self} speaks to {' and '.join(sorted(names))} endpoints, and this one is {config.endpoint_api_type}",
                remedy="Add the type to its supported_api_types, or set --type.",
            )

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - a custom formatter does not stream
        route = "score"
        if speaks_openai(config):
            route = "chat/completions" if self._takes_messages else "completions"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def encode(self, call: Call) -> Payload:
        if self._takes_messages:
            given: Any = self._to_messages(call.messages)
            method = self.theirs.format_messages_request_payload
        else:
            given, method = call.text, self.theirs.format_request_payload
        kwargs = copy.deepcopy(call.kwargs)  # theirs to change
        made = self._run(method, given, kwargs, self._api_type_as(call.config.endpoint_api_type))
        headers = {}
        for attribute, header in (("content_type", "Content-Type"), ("accepts", "Accept")):
            value = getattr(self.theirs, attribute, None)
            if isinstance(value, str) and value:
                headers[header] = value
        return Payload(self._as_bytes(made), headers)

    def _as_bytes(self, made: Any) -> bytes:
        if callable(getattr(made, "read", None)):  # LangChain allows a file-like object
            made = made.read()
        if isinstance(made, (bytes, bytearray)):
            return bytes(made)
        if isinstance(made, str):
            return _utf8(made)
        if isinstance(made, (dict, list)):
            return to_json(made)
        raise FormatterError(
            f"{self}.format_request_payload returned {type(made).__name__}, which is no request body",
            remedy="Return bytes, a str, or a dict.",
        )

    def decode(self, body: bytes, call: Call) -> replies.Reply:
        read = self._run(self.theirs.format_response_payload, body, self._api_type_as(call.config.endpoint_api_type))
        return self._as_reply(read)

    def _as_reply(self, read: Any) -> replies.Reply:
        if isinstance(read, str):
            return replies.Reply(read)
        message = getattr(read, "message", None)
        content = getattr(message, "content", None) if message is not None else getattr(read, "text", None)
        if isinstance(content, str):
            info = getattr(read, "generation_info", None)
            info = info if isinstance(info, dict) else {}
            reason = info.get("finish_reason")
            return replies.Reply(
                content, finish_reason=reason if isinstance(reason, str) else None, logprobs=info.get("logprobs")
            )
        if isinstance(read, (dict, list)):
            return replies.read_value(read)
        raise FormatterError(
            f"{self}.format_response_payload returned {type(read).__name__}, which holds no answer",
            remedy="Return a str, a dict, or a LangChain Generation.",
        )

    def _run(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """What their method returns; called without api_type where it does not take one."""
        try:
            return method(*arguments[: _takes(method, len(arguments))])
        except AzmlError:
            raise
        except Exception as error:
            raise FormatterError(
                f"{self}.{method.__name__} raised {type(error).__name__}: {one_line(str(error), 200)}",
                remedy="Mend the formatter; %azureml last shows what the endpoint sent.",
            ) from error


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(f"The request cannot be written as UTF-8: {error.reason}") from None


def _takes(method: Callable[..., Any], offered: int) -> int:
    """How many of the `offered` positional arguments `method` takes."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return offered
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return offered
    positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return min(offered, positional)
