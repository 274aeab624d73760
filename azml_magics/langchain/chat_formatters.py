"""The content formatters of chat models under their LangChain names; each delegates to a wire dialect of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .api_type import AzureMLEndpointApiType
from .formatters import DialectFormatter, deprecated
from .message_conversion import message_to_wire, messages_to_wire
from .outputs import chat_generation

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatGeneration


class CustomOpenAIChatContentFormatter(DialectFormatter):
    """OpenAI-like chat: `input_data` on a dedicated endpoint's /score, `messages` elsewhere."""

    dialect = "openai-chat"
    SUPPORTED_ROLES: ClassVar[list[str]] = ["user", "assistant", "system", "tool"]

    @staticmethod
    def _convert_message_to_dict(message: BaseMessage) -> dict[str, Any]:
        """The message as the wire takes it: under the name that formatters written for langchain-community call."""
        return message_to_wire(message)

    def format_messages_request_payload(
        self,
        messages: list[BaseMessage],
        model_kwargs: dict[str, Any],
        api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated,
    ) -> bytes:
        """The body of a request."""
        return self._encoded(messages_to_wire(messages), model_kwargs, api_type)

    def format_response_payload(
        self, output: bytes, api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    ) -> ChatGeneration:
        return chat_generation(self._decoded(output, api_type))


class LlamaChatContentFormatter(CustomOpenAIChatContentFormatter):
    """Deprecated: CustomOpenAIChatContentFormatter under its former name."""

    def __init__(self) -> None:
        super().__init__()
        deprecated("LlamaChatContentFormatter", "CustomOpenAIChatContentFormatter")


class MistralChatContentFormatter(CustomOpenAIChatContentFormatter):
    """Chat for models without a system role (Mistral, Gemma): the system text joins the first user message."""

    dialect = "mistral-chat"
