"""The content formatters of chat models under their LangChain names; each delegates to a wire format of the core."""

from __future__ import annotations

from typing import Any, ClassVar

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration

from .api_type import AzureMLEndpointApiType
from .formatters import WireContentFormatter, warn_deprecated
from .message_conversion import message_to_wire
from .outputs import to_chat_generation


class CustomOpenAIChatContentFormatter(WireContentFormatter):
    """OpenAI-like chat: `input_data` on a dedicated endpoint's /score, `messages` elsewhere."""

    wire_name = "openai-chat"
    SUPPORTED_ROLES: ClassVar[list[str]] = ["user", "assistant", "system", "tool"]

    @staticmethod
    def _convert_message_to_dict(message: BaseMessage) -> dict[str, Any]:
        """Convert a message to a dict. A subclass may override it: it is called for every message."""
        return message_to_wire(message)

    def format_messages_request_payload(
        self,
        messages: list[BaseMessage],
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> bytes:
        """Build a request body.

        Args:
            messages: The conversation.
            model_kwargs: Parameters of the model.
            api_type: Type of the endpoint.
        """
        return self._encode([self._convert_message_to_dict(message) for message in messages], model_kwargs, api_type)

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> ChatGeneration:
        return to_chat_generation(self._decode(output, api_type))


class LlamaChatContentFormatter(CustomOpenAIChatContentFormatter):
    """Deprecated: the former name of CustomOpenAIChatContentFormatter."""

    def __init__(self) -> None:
        super().__init__()
        warn_deprecated("LlamaChatContentFormatter", "CustomOpenAIChatContentFormatter")


class MistralChatContentFormatter(CustomOpenAIChatContentFormatter):
    """Chat for models without a system role (Mistral, Gemma): the system text joins the first user message."""

    wire_name = "mistral-chat"
