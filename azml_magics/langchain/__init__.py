"""Azure ML endpoints as LangChain models: a program written for langchain-community moves over by its import line.

from azml_magics.langchain import AzureMLOnlineEndpoint, CustomOpenAIContentFormatter

Beyond the original: streaming and async for both classes, concurrent batches, retries, usage, tool calls, structured
output, images, any URL path, and errors that say what to do. Prompts go out as written; per-call kwargs never stick.
"""

from __future__ import annotations

from .api_type import AzureMLEndpointApiType
from .base_endpoint import AzureMLBaseEndpoint
from .chat import AzureMLChatOnlineEndpoint
from .chat_formatters import (
    CustomOpenAIChatContentFormatter,
    LlamaChatContentFormatter,
    MistralChatContentFormatter,
)
from .endpoint_client import AzureMLEndpointClient
from .formatters import (
    ContentFormatterBase,
    CustomOpenAIContentFormatter,
    DollyContentFormatter,
    GPT2ContentFormatter,
    HFContentFormatter,
    LlamaContentFormatter,
    OSSContentFormatter,
)
from .llm import AzureMLOnlineEndpoint
from .loading import from_config, load_llm
from .message_conversion import messages_from_wire, messages_to_wire

__all__ = [
    "AzureMLBaseEndpoint",
    "AzureMLChatOnlineEndpoint",
    "AzureMLEndpointApiType",
    "AzureMLEndpointClient",
    "AzureMLOnlineEndpoint",
    "ContentFormatterBase",
    "CustomOpenAIChatContentFormatter",
    "CustomOpenAIContentFormatter",
    "DollyContentFormatter",
    "GPT2ContentFormatter",
    "HFContentFormatter",
    "LlamaChatContentFormatter",
    "LlamaContentFormatter",
    "MistralChatContentFormatter",
    "OSSContentFormatter",
    "from_config",
    "load_llm",
    "messages_from_wire",
    "messages_to_wire",
]
