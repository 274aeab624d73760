"""The user's own formatter, written as LangChain's documentation shows it.

It has `format_request_payload(prompt, model_kwargs[, api_type])` (or `format_messages_request_payload(messages, …)`)
and `format_response_payload(output[, api_type])`. The request may be bytes, str, a value that JSON can hold, or a file
object; the response a str, a dict, or an object with `.text` (LangChain's Generation) or `.message` (ChatGeneration).
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import AzmlError, FormatterError, PromptError, UsageError
from ..response import Response
from ..text import one_line
from .base import Call, Payload, Wire, to_json
from .failures import raise_for_failure
from .formatter import Formatter
from .openai_choices import parse_choices
from .openai_content import read_completion, read_message
from .records import GENERATED_TEXT_KEYS, parse_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..config import LLMConfig
    from ..messages import Message


# Where a dict that format_response_payload returns may have its text.
_TEXT_KEYS = ("output", *GENERATED_TEXT_KEYS, "text", "answer", "0")


def is_content_formatter(candidate: object) -> bool:
    """Return whether `candidate` has the methods of a content formatter."""
    encodes = any(callable(getattr(candidate, f"format_{kind}request_payload", None)) for kind in ("", "messages_"))
    return encodes and callable(getattr(candidate, "format_response_payload", None))


def custom_formatter(content_formatter: Any) -> Formatter:
    """Return a Formatter around the user's own object.

    Raises:
        UsageError: The object does not have the methods, or is a class.
    """
    return Formatter("custom", "a formatter of your own", (CustomWire(content_formatter),), content_formatter)


class CustomWire(Wire):
    """The wire format that a user's own object writes and reads.

    Args:
        content_formatter: The user's object.
        convert_api_type: Makes the `api_type` that its methods get, of "dedicated" or "serverless".
        convert_messages: Makes what its format_messages_request_payload gets, of the messages.

    Raises:
        UsageError: The object does not have the methods, or is a class.
    """

    def __init__(
        self,
        content_formatter: Any,
        *,
        convert_api_type: Callable[[str], Any] = str,
        convert_messages: Callable[[Sequence[Message]], Any] = list,
    ) -> None:
        if inspect.isclass(content_formatter) or not is_content_formatter(content_formatter):
            raise UsageError(
                f"{content_formatter!r} is not a content formatter",
                remedy="Give an object with format_request_payload and format_response_payload"
                + (", not its class: call it." if inspect.isclass(content_formatter) else "."),
            )
        self.content_formatter = content_formatter
        self._convert_api_type = convert_api_type
        self._convert_messages = convert_messages
        self._takes_messages = callable(getattr(content_formatter, "format_messages_request_payload", None))
        self._name = type(content_formatter).__name__
        self.api_types = _get_api_types(content_formatter)

    def fits(self, config: LLMConfig) -> bool:
        return config.endpoint_api_type in self.api_types

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - a custom formatter does not stream
        route = "score"
        if config.endpoint_api_type == "serverless":
            route = "chat/completions" if self._takes_messages else "completions"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def encode(self, call: Call) -> Payload:
        if self._takes_messages:
            prompt: Any = self._convert_messages(call.messages)
            method = self.content_formatter.format_messages_request_payload
        else:
            prompt, method = call.text, self.content_formatter.format_request_payload
        kwargs = copy.deepcopy(call.kwargs)  # the method may change them
        request = self._run(method, prompt, kwargs, self._convert_api_type(call.config.endpoint_api_type))
        headers = {}
        for attribute, header in (("content_type", "Content-Type"), ("accepts", "Accept")):
            value = getattr(self.content_formatter, attribute, None)
            if isinstance(value, str) and value:
                headers[header] = value
        return Payload(self._as_bytes(request), headers)

    def _as_bytes(self, request: Any) -> bytes:
        if callable(getattr(request, "read", None)):  # LangChain allows a file object
            request = request.read()
        if isinstance(request, (bytes, bytearray)):
            return bytes(request)
        if isinstance(request, str):
            return _encode_utf8(request)
        if isinstance(request, (dict, list)):
            return to_json(request)
        raise FormatterError(
            f"{self._name}.format_request_payload returned {type(request).__name__}, which is not a request body",
            remedy="Return bytes, a str, or a dict.",
        )

    def decode(self, body: bytes, call: Call) -> Response:
        api_type = self._convert_api_type(call.config.endpoint_api_type)
        return self.parse_response(self._run(self.content_formatter.format_response_payload, body, api_type))

    def parse_response(self, value: Any) -> Response:
        """Return what format_response_payload returned as a Response; a dict may have `choices` or `output`."""
        if isinstance(value, str):
            return Response(value)
        message = getattr(value, "message", None)
        content = getattr(message, "content", None) if message is not None else getattr(value, "text", None)
        if isinstance(content, str):
            info = getattr(value, "generation_info", None)
            info = info if isinstance(info, dict) else {}
            reason = info.get("finish_reason")
            return Response(
                content, finish_reason=reason if isinstance(reason, str) else None, logprobs=info.get("logprobs")
            )
        if isinstance(value, (dict, list)):
            raise_for_failure(value)
            return parse_returned(value)
        raise FormatterError(
            f"{self._name}.format_response_payload returned {type(value).__name__}, which has no text",
            remedy="Return a str, a dict, or a LangChain Generation.",
        )

    def _run(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the user's method returns; called without api_type if it does not take one."""
        try:
            return method(*arguments[: _count_taken(method, len(arguments))])
        except AzmlError:
            raise
        except Exception as error:
            raise FormatterError(
                f"{self._name}.{method.__name__} raised {type(error).__name__}: {one_line(str(error), 200)}",
                remedy="Fix the formatter.",
                error_code="formatter-raised",
            ) from error


def parse_returned(value: Any) -> Response:
    """Return the response in a dict or list that a formatter's method returned: with `choices`, or a record."""
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        is_chat = any(isinstance(choice, dict) and "message" in choice for choice in value["choices"])
        return parse_choices(value, read_message if is_chat else read_completion)
    return parse_record(value, _TEXT_KEYS, any_column=True)


def _get_api_types(content_formatter: Any) -> tuple[str, ...]:
    """Return the endpoint types that the object supports; all if it names none. "realtime" is an older "dedicated"."""
    supported = getattr(content_formatter, "supported_api_types", None) or ("dedicated", "serverless")
    values = [str(getattr(api_type, "value", api_type)) for api_type in supported]
    return tuple("dedicated" if value == "realtime" else value for value in values)


def _encode_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(f"The request cannot be written as UTF-8: {error.reason}") from None


def _count_taken(method: Callable[..., Any], offered: int) -> int:
    """Return how many of the `offered` positional arguments `method` takes."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return offered
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return offered
    positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return min(offered, positional)
