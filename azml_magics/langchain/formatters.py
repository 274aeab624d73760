"""The content formatters of text models under their LangChain names; each delegates to a wire format of the core.

Subclasses may override any method. The prompt is sent as written, without the quotes and the second escaping that
langchain-community adds and Microsoft's own examples do not.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from langchain_core.outputs import Generation

from ..core import wire
from ..core.config import LLMConfig
from ..core.messages import Message, without_items
from .api_type import AzureMLEndpointApiType
from .outputs import to_generation

# Formatters are called without an endpoint; this URL stands for one. Nothing is sent to it.
_PLACEHOLDER_URL = "https://localhost"


class ContentFormatterBase:
    """Turns a prompt and model kwargs into a request body, and a response body into a Generation.

    Write your own by overriding both methods; their parameter `api_type` is optional. The request may be bytes, a str
    or a dict, the result a str, a dict or a Generation.
    """

    content_type: str | None = "application/json"
    """The Content-Type header of the request."""

    accepts: str | None = "application/json"
    """The Accept header of the request."""

    format_error_msg: str = (
        "The response of this {api_type} endpoint cannot be read: does the content_formatter suit the deployed model?"
    )

    @staticmethod
    def escape_special_characters(prompt: str) -> str:
        r"""Return `prompt` with backslash, quote, \b, \f, \n, \r and \t escaped as in JSON.

        For request bodies built by hand. The formatters here do not use it: they build JSON with the json module.
        """
        escapes = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        return "".join(escapes.get(character, character) for character in prompt)

    @property
    def supported_api_types(self) -> list[AzureMLEndpointApiType]:
        """The endpoint types that this formatter supports; dedicated unless overridden."""
        return [AzureMLEndpointApiType.dedicated]

    def format_request_payload(
        self,
        prompt: str,
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> Any:
        """Build a request body.

        Args:
            prompt: The prompt.
            model_kwargs: Parameters of the model.
            api_type: Type of the endpoint.

        Returns:
            The body as bytes, str or dict.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define format_request_payload")

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> Any:
        """Read a response body.

        Args:
            output: The response body.
            api_type: Type of the endpoint.

        Returns:
            The text as a str, a dict or a Generation.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define format_response_payload")


class WireContentFormatter(ContentFormatterBase):
    """A content formatter that delegates to the core's wire format `wire_name`."""

    wire_name: ClassVar[str]

    @property
    def supported_api_types(self) -> list[AzureMLEndpointApiType]:
        return [AzureMLEndpointApiType(name) for name in wire.get(self.wire_name).api_types]

    def format_request_payload(
        self,
        prompt: str,
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> bytes:
        return self._encode([{"role": "user", "content": prompt}], model_kwargs, api_type)

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> Generation:
        return to_generation(self._decode(output, api_type))

    def _encode(
        self, messages: Sequence[Message], model_kwargs: dict[str, Any], api_type: AzureMLEndpointApiType
    ) -> bytes:
        call = _call([without_items(message) for message in messages], model_kwargs, api_type)
        return wire.get(self.wire_name).wire_for(call.config).encode(call).body

    def _decode(self, output: bytes | str, api_type: AzureMLEndpointApiType) -> Any:
        body = output.encode() if isinstance(output, str) else bytes(output)
        call = _call([], {}, api_type)
        return wire.get(self.wire_name).wire_for(call.config).decode(body, call)


def _call(messages: Sequence[Message], kwargs: dict[str, Any], api_type: AzureMLEndpointApiType) -> wire.Call:
    config = LLMConfig(endpoint_url=_PLACEHOLDER_URL, endpoint_api_type=api_type, model_kwargs=kwargs)
    return wire.Call(config, messages)


class GPT2ContentFormatter(WireContentFormatter):
    """First-generation GPT-2: `{"inputs": {"input_string": [prompt]}, "parameters": {…}}`."""

    wire_name = "gpt2"


class OSSContentFormatter(GPT2ContentFormatter):
    """Deprecated: the former name of GPT2ContentFormatter."""

    content_formatter: Any = None

    def __init__(self) -> None:
        super().__init__()
        warn_deprecated("OSSContentFormatter", "GPT2ContentFormatter")


class DollyContentFormatter(WireContentFormatter):
    """Dolly: `{"input_data": {"input_string": [prompt]}, "parameters": {…}}`."""

    wire_name = "dolly"


class HFContentFormatter(WireContentFormatter):
    """Hugging Face models: `{"inputs": [prompt], "parameters": {…}}`."""

    wire_name = "hf"


class CustomOpenAIContentFormatter(WireContentFormatter):
    """OpenAI-like completions: `input_data` on a dedicated endpoint's /score, `prompt` elsewhere."""

    wire_name = "openai"


class LlamaContentFormatter(CustomOpenAIContentFormatter):
    """Deprecated: the former name of CustomOpenAIContentFormatter."""

    content_formatter: Any = None

    def __init__(self) -> None:
        super().__init__()
        warn_deprecated("LlamaContentFormatter", "CustomOpenAIContentFormatter")


def warn_deprecated(old: str, new: str) -> None:
    """Warn the caller of a constructor that the class has been renamed."""
    warnings.warn(f"{old} is warn_deprecated: use {new} instead", DeprecationWarning, stacklevel=3)
