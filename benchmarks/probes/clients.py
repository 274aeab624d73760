"""The LangChain classes and configs that several probes use, ours and theirs, for the same URL."""

from __future__ import annotations

from typing import Any

KEY = "sk-benchmark"
PROMPT = "Write a haiku about sparkling water."


def our_config(url: str) -> Any:
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.secret import Secret

    return LLMConfig(endpoint_url=f"{url}/score", formatter="dolly", key=Secret(KEY))


def our_chat_config(url: str) -> Any:
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.secret import Secret

    return LLMConfig(endpoint_url=f"{url}/v1/chat/completions", key=Secret(KEY))


def our_llm(url: str) -> Any:
    from azml_magics.langchain import AzureMLOnlineEndpoint, DollyContentFormatter

    return AzureMLOnlineEndpoint(**_llm(url, DollyContentFormatter()))


def community_llm(url: str) -> Any:
    from langchain_community.llms.azureml_endpoint import AzureMLOnlineEndpoint, DollyContentFormatter

    base, has_delay, delay = url.partition("/delay=")  # it accepts URLs with the path /score only
    settings = _llm(base, DollyContentFormatter())
    if has_delay:
        settings["endpoint_url"] += f"?delay={delay}"
    return AzureMLOnlineEndpoint(**settings)


def _llm(url: str, formatter: Any) -> dict[str, Any]:
    settings = {"endpoint_url": f"{url}/score", "endpoint_api_type": "dedicated", "endpoint_api_key": KEY}
    return {**settings, "content_formatter": formatter}


def our_chat(url: str) -> Any:
    from azml_magics.langchain import AzureMLChatOnlineEndpoint, CustomOpenAIChatContentFormatter

    return AzureMLChatOnlineEndpoint(**_chat(url, CustomOpenAIChatContentFormatter()))


def community_chat(url: str) -> Any:
    from langchain_community.chat_models.azureml_endpoint import (
        AzureMLChatOnlineEndpoint,
        CustomOpenAIChatContentFormatter,
    )

    accepted = "http://127.0.0.1/models/chat/completions"  # it accepts no other path
    settings = _chat(url, CustomOpenAIChatContentFormatter())
    chat = AzureMLChatOnlineEndpoint(**{**settings, "endpoint_url": accepted})
    chat.endpoint_url = settings["endpoint_url"]
    return chat


def _chat(url: str, formatter: Any) -> dict[str, Any]:
    settings = {"endpoint_url": f"{url}/v1/chat/completions", "endpoint_api_type": "serverless"}
    return {**settings, "endpoint_api_key": KEY, "content_formatter": formatter}
