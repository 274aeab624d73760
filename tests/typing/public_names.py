"""A user's program with every public name, as the documentation uses it; type checkers read it, and it is never run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel, SecretStr
from typing_extensions import assert_type

import azml_magics
from azml_magics import (
    AsyncClient,
    Batch,
    Chunk,
    Client,
    Discovery,
    Evaluation,
    KeyRef,
    KeySource,
    LLMConfig,
    Outcome,
    RateLimiter,
    Response,
    Row,
    Score,
    Secret,
    ToolRun,
    Toolset,
    Usage,
    aevaluate,
    ainvoke,
    amap_rows,
    astream,
    discover,
    errors,
    evaluate,
    invoke,
    load_config,
    map_rows,
    record,
    register_formatter,
    register_key_source,
    replay,
    revoke_trust,
    save_config,
    stream,
    trust,
)
from azml_magics.langchain import (
    AzureMLBaseEndpoint,
    AzureMLChatOnlineEndpoint,
    AzureMLEndpointApiType,
    AzureMLEndpointClient,
    AzureMLOnlineEndpoint,
    ContentFormatterBase,
    CustomOpenAIChatContentFormatter,
    CustomOpenAIContentFormatter,
    DollyContentFormatter,
    GPT2ContentFormatter,
    HFContentFormatter,
    LlamaChatContentFormatter,
    LlamaContentFormatter,
    MistralChatContentFormatter,
    OSSContentFormatter,
    from_config,
    load_llm,
    messages_from_wire,
    messages_to_wire,
)

URL = "https://name.region.inference.ml.azure.com/v1/chat/completions"
ROWS = [{"city": "Lisbon"}]


class City(BaseModel):
    """What a response holds."""

    name: str
    people: int


class VaultKey(KeySource):
    """A source of keys."""

    def __init__(self, name: str) -> None:
        self.name = name

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        return Secret(f"{self.name} for {endpoint_url}")


def get_stock(article: str) -> int:
    """Return how many there are."""
    return len(article)


def configs() -> LLMConfig:
    config = LLMConfig(
        endpoint_url=URL,
        formatter="openai-chat",
        key=KeyRef("env", "PROD_KEY"),
        model_kwargs={"temperature": 0.2, "stop": ["."]},
        headers={"x-team": "search", "x-gateway": "env:GATEWAY_KEY"},
        timeout=30,
    )
    other = LLMConfig(name="typed", endpoint_url=URL, key=Secret("typed"))
    assert_type(config.merged(timeout=10, model_kwargs={"max_tokens": 50}), LLMConfig)
    path = save_config(config, "prod.json", langchain=False, force=True)
    assert_type(path, Path)
    trust(other)
    revoke_trust("typed")
    register_key_source("vault", VaultKey)
    register_key_source("file", lambda name: Path(name).read_text(encoding="utf-8"))
    register_formatter("mine", CustomOpenAIContentFormatter())
    return load_config(path, name="again")


def responses(config: LLMConfig) -> str:
    response = invoke(config, "Hello")
    assert_type(response, Response)
    assert_type(response.text, str)
    assert_type(response.usage, Usage | None)
    for run in response.tool_runs:
        assert_type(run, ToolRun)
    with stream(config, [{"role": "user", "content": "Hello"}]) as parts:
        for part in parts:
            assert_type(part, Chunk)
    assert_type(parts.response, Response)
    tools = Toolset([get_stock], max_steps=3, timeout=10, approve=lambda call: call.name == "get_stock")
    return invoke(config, "How many?", tools=tools).text


async def asynchronous(config: LLMConfig) -> str:
    async with AsyncClient(default_headers={"x-team": "search"}) as client:
        response = await client.invoke(config, "Hello")
    async with astream(config, "Hello") as parts:
        async for part in parts:
            print(part.text, end="")
    await amap_rows(config, "About {city}", ROWS)
    assert_type(await aevaluate(config, "About {city}", ROWS, score=len_of), Evaluation)
    return (await ainvoke(config, "Hello")).text + response.text


def clients(config: LLMConfig) -> Response:
    limiter = RateLimiter(rpm=60, tpm=10_000)
    with Client(limiter=limiter, http_client=httpx.Client(), timeout=10) as client, record("run.jsonl", client=client):
        client.invoke(config, "Hello")
    with replay("run.jsonl"):
        return invoke(config, "Hello")


def len_of(row: dict[str, Any], response: Response) -> int:
    return len(response.text) + len(row)


def evaluations(config: LLMConfig) -> Score | None:
    evaluation = evaluate(config, "About {city}", ROWS, score=[len_of])
    for outcome in evaluation:
        assert_type(outcome, Outcome)
        for score in outcome.scores.values():
            return score
    return None


def batches(batch: Batch) -> list[str]:
    texts = []
    for row in batch:
        assert_type(row, Row)
        texts.append(row.response.text if row.response else str(row.error))
    for result in map_rows(LLMConfig(endpoint_url=URL), "About {city}", ROWS):
        print(result["text"])
    return texts


def discovered() -> Discovery:
    return discover("https://hub.services.ai.azure.com/api/projects/mine", sign_in="cli")


def failures(config: LLMConfig) -> str | None:
    try:
        return invoke(config, "Hello").text
    except errors.RateLimitError as error:
        return str(error.status)
    except errors.AzmlError as error:
        return f"{error.cause} {error.remedy} {error.error_code}"


def magics(shell: Any) -> str:
    azml_magics.load_ipython_extension(shell)
    azml_magics.unload_ipython_extension(shell)
    return azml_magics.__version__


# ---- LangChain, with the arguments of langchain-community's and those that LangChain calls standard


@tool
def get_weather(city: str) -> str:
    """Return the weather."""
    return f"sunny in {city}"


def models(on_token: Callable[[str], None]) -> AzureMLBaseEndpoint:
    text = AzureMLOnlineEndpoint(
        endpoint_url="https://name.region.inference.ml.azure.com/score",
        endpoint_api_type=AzureMLEndpointApiType.dedicated,
        endpoint_api_key="the key as text",
        content_formatter=LlamaContentFormatter(),
        deployment_name="blue",
        model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
        timeout=60,
    )
    on_token(text.invoke("Hello"))
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=URL,
        endpoint_api_type="serverless",
        endpoint_api_key=SecretStr("the key as a secret"),
        content_formatter=CustomOpenAIChatContentFormatter(),
        temperature=0.2,
        max_tokens=50,
        stop=["."],
        max_retries=2,
        streaming=True,
        tags=["mine"],
    )
    AzureMLChatOnlineEndpoint(base_url=URL, api_key="the key", model="gpt-4o-mini", key=None, verify=False)
    answer = chat.invoke([HumanMessage("Hello")])
    assert_type(answer, AIMessage)
    for chunk in chat.stream("Hello"):
        on_token(chunk.text)
    chat.bind_tools([get_weather, get_stock], tool_choice="auto")
    chat.with_structured_output(City).invoke("Lisbon")
    text.save("model.json")
    assert_type(chat.to_config(), LLMConfig)
    return load_llm("model.json")


def formatters() -> list[ContentFormatterBase]:
    return [
        GPT2ContentFormatter(),
        OSSContentFormatter(),
        DollyContentFormatter(),
        HFContentFormatter(),
        CustomOpenAIContentFormatter(),
        CustomOpenAIChatContentFormatter(),
        LlamaChatContentFormatter(),
        MistralChatContentFormatter(),
    ]


def conversions(config: LLMConfig) -> bytes:
    model = from_config(config)
    print(model.endpoint_url, messages_from_wire(messages_to_wire([HumanMessage("Hello")])))
    client = AzureMLEndpointClient(endpoint_url=URL, endpoint_api_key=os.environ["PROD_KEY"], timeout=10)
    return client.call(body=b"{}", run_manager=None)
