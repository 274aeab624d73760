"""The content formatters of text models under their LangChain names; each delegates to a wire dialect of the core.

A subclass that overrides a method is honoured. The prompt goes out exactly as it was written: no quotes around it and
no second escaping, which langchain-community adds and Microsoft's own examples do not.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

from ..core import wire
from ..core.config import LLMConfig
from .api_type import AzureMLEndpointApiType
from .outputs import text_generation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.outputs import Generation

    from ..core.messages import Message

# Formatters are asked without an endpoint; this stands for one. Nothing is sent to it.
_NOWHERE = "https://localhost"


class ContentFormatterBase:
    """What turns a prompt and model kwargs into a request's body, and a reply's body into a Generation.

    Write your own by overriding both methods; `api_type` may be left out of their signatures. The request may be
    bytes, a str or a dict; the answer a str, a dict or a Generation.
    """

    content_type: str | None = "application/json"
    """The Content-Type header of the request."""

    accepts: str | None = "application/json"
    """The Accept header of the request."""

    format_error_msg: str = (
        "The reply of this {api_type} endpoint cannot be read: does the content_formatter fit the deployed model?"
    )

    @staticmethod
    def escape_special_characters(prompt: str) -> str:
        r"""`prompt` with backslash, quote, \b, \f, \n, \r and \t escaped as in JSON, for bodies put together by hand.

        The formatters here have no use for it: JSON is written by a JSON writer.
        """
        escapes = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        return "".join(escapes.get(character, character) for character in prompt)

    @property
    def supported_api_types(self) -> list[AzureMLEndpointApiType]:
        """The kinds of endpoint it can speak to; dedicated ones unless overridden."""
        return [AzureMLEndpointApiType.dedicated]

    def format_request_payload(
        self,
        prompt: str,
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> Any:
        """The body of a request."""
        raise NotImplementedError(f"{type(self).__name__} does not define format_request_payload")

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> Any:
        """The answer in a reply's body."""
        raise NotImplementedError(f"{type(self).__name__} does not define format_response_payload")


class DialectFormatter(ContentFormatterBase):
    """A formatter that speaks a dialect of the core, named by `dialect`."""

    dialect: ClassVar[str]

    @property
    def supported_api_types(self) -> list[AzureMLEndpointApiType]:
        return [AzureMLEndpointApiType(name) for name in wire.get(self.dialect).api_types]

    def format_request_payload(
        self,
        prompt: str,
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> bytes:
        return self._encoded([{"role": "user", "content": prompt}], model_kwargs, api_type)

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> Generation:
        return text_generation(self._decoded(output, api_type))

    def _encoded(
        self, messages: Sequence[Message], model_kwargs: dict[str, Any], api_type: AzureMLEndpointApiType
    ) -> bytes:
        call = _call(messages, model_kwargs, api_type)
        formatter = wire.get(self.dialect)
        formatter.check(call.config)
        return formatter.encode(call).body

    def _decoded(self, output: bytes | str, api_type: AzureMLEndpointApiType) -> Any:
        body = output.encode() if isinstance(output, str) else bytes(output)
        return wire.get(self.dialect).decode(body, _call([], {}, api_type))


def _call(messages: Sequence[Message], kwargs: dict[str, Any], api_type: AzureMLEndpointApiType) -> wire.Call:
    config = LLMConfig(endpoint_url=_NOWHERE, endpoint_api_type=api_type, model_kwargs=kwargs)
    return wire.Call(config, messages)


class GPT2ContentFormatter(DialectFormatter):
    """First-generation GPT-2: `{"inputs": {"input_string": [prompt]}, "parameters": {…}}`."""

    dialect = "gpt2"


class OSSContentFormatter(GPT2ContentFormatter):
    """Deprecated: GPT2ContentFormatter under its former name."""

    def __init__(self) -> None:
        super().__init__()
        deprecated("OSSContentFormatter", "GPT2ContentFormatter")


class DollyContentFormatter(DialectFormatter):
    """Dolly: `{"input_data": {"input_string": [prompt]}, "parameters": {…}}`."""

    dialect = "dolly"


class HFContentFormatter(DialectFormatter):
    """Hugging Face models: `{"inputs": [prompt], "parameters": {…}}`."""

    dialect = "hf"


class CustomOpenAIContentFormatter(DialectFormatter):
    """OpenAI-like completions: `input_data` on a dedicated endpoint's /score, `prompt` elsewhere."""

    dialect = "openai"


class LlamaContentFormatter(CustomOpenAIContentFormatter):
    """Deprecated: CustomOpenAIContentFormatter under its former name."""

    def __init__(self) -> None:
        super().__init__()
        deprecated("LlamaContentFormatter", "CustomOpenAIContentFormatter")


def deprecated(old: str, new: str) -> None:
    """Warn the caller of a class's constructor that the class has another name now."""
    warnings.warn(f"{old} is deprecated: use {new}, which does the same", DeprecationWarning, stacklevel=3)
