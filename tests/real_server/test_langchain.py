"""The LangChain classes, under langchain-community's names, against Microsoft's scoring server."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import PromptTemplate

from azml_magics import errors, langchain

from .cases import EXPECTED, FAILURES, ExpectedResponse
from .conftest import KEY, Serve

pytestmark = pytest.mark.real_server

FORMATTERS = {
    "gpt2": langchain.GPT2ContentFormatter,
    "dolly": langchain.DollyContentFormatter,
    "hf": langchain.HFContentFormatter,
    "openai": langchain.CustomOpenAIContentFormatter,
    "openai-chat": langchain.CustomOpenAIChatContentFormatter,
}
TEXT = {name: case for name, case in EXPECTED.items() if case.formatter in {"gpt2", "dolly", "hf", "openai"}}


@pytest.fixture
def llm_of(serve: Serve):
    """`llm_of("gpt2", "gpt2", temperature=0)` is an AzureMLOnlineEndpoint as a user builds it."""

    def llm_of(script: str, formatter: str = "openai", **kwargs: object) -> langchain.AzureMLOnlineEndpoint:
        return langchain.AzureMLOnlineEndpoint(
            endpoint_url=serve(script).url,
            endpoint_api_type=langchain.AzureMLEndpointApiType.dedicated,
            endpoint_api_key=KEY,
            content_formatter=FORMATTERS[formatter](),
            model_kwargs=kwargs,
            max_retries=0,
        )

    return llm_of


@pytest.fixture
def chat(serve: Serve) -> langchain.AzureMLChatOnlineEndpoint:
    return langchain.AzureMLChatOnlineEndpoint(
        endpoint_url=serve("curated_chat").url,
        endpoint_api_type="dedicated",
        endpoint_api_key=KEY,
        content_formatter=langchain.CustomOpenAIChatContentFormatter(),
    )


@pytest.mark.parametrize("case", TEXT.values(), ids=TEXT)
class TestTheTextClassSpeaksEveryDialect:
    def test_invoke(self, llm_of, case: ExpectedResponse) -> None:
        assert llm_of(case.script, case.formatter, **case.kwargs).invoke(case.prompt) == case.answer

    def test_stream(self, llm_of, case: ExpectedResponse) -> None:
        assert "".join(llm_of(case.script, case.formatter, **case.kwargs).stream(case.prompt)) == case.answer

    async def test_ainvoke(self, llm_of, case: ExpectedResponse) -> None:
        assert await llm_of(case.script, case.formatter, **case.kwargs).ainvoke(case.prompt) == case.answer

    def test_batch(self, llm_of, case: ExpectedResponse) -> None:
        assert llm_of(case.script, case.formatter, **case.kwargs).batch([case.prompt] * 2) == [case.answer] * 2


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
class TestEveryFailureIsOneLine:
    def test_invoke(self, llm_of, case) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            llm_of(case.script).invoke(case.prompt)
        assert type(caught.value) is case.kind
        assert case.said in str(caught.value)
        assert "\n" not in str(caught.value)
        assert KEY not in str(caught.value)

    async def test_ainvoke(self, llm_of, case) -> None:
        with pytest.raises(errors.AzmlError) as caught:
            await llm_of(case.script).ainvoke(case.prompt)
        assert type(caught.value) is case.kind


def test_chat_class_sends_roles_and_returns_message(chat) -> None:
    answer = chat.invoke([SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Well?")])
    assert isinstance(answer, AIMessage)
    assert answer.content == "I have read system, user, assistant, user; the last said 'Well?'."


def test_chat_class_streams_unstreamed_endpoint_in_one_chunk(chat) -> None:
    assert "".join(chunk.content for chunk in chat.stream("Hi")) == "I have read user; the last said 'Hi'."


async def test_chat_class_works_on_an_event_loop(chat) -> None:
    assert (await chat.ainvoke("Hi")).content == "I have read user; the last said 'Hi'."


def test_prompt_template_pipes_into_text_class(llm_of) -> None:
    chain = PromptTemplate.from_template("Name a {thing}") | llm_of("dolly", "dolly", style="short")
    assert chain.invoke({"thing": "river"}) == "A short instruction of 12 letters: Name a river"


def test_call_kwargs_do_not_persist(llm_of) -> None:
    llm = llm_of("hf_list", "hf", top_k=5)
    assert llm.invoke("Go", seed=1, stop=["."]) == " ['seed', 'stop', 'top_k']"
    assert llm.invoke("Go") == " ['top_k']"


def test_batch_failure_keeps_other_responses(llm_of) -> None:
    answers = llm_of("double_encoded").batch(["a", "b"]) + llm_of("failures").batch(["raise"], return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, str, errors.ModelError]


def test_deployment_is_sent_as_header(llm_of) -> None:
    llm = llm_of("statuses")
    llm.deployment_name = "blue"
    assert '"azureml-model-deployment": "blue"' in llm.invoke("headers")


def test_temporary_failure_is_retried(llm_of) -> None:
    llm = llm_of("recovers", "gpt2")
    llm.max_retries = 2
    assert llm.invoke("Ready?").startswith(" (asked ")


def test_saved_endpoint_loads_and_responds(llm_of, tmp_path, monkeypatch) -> None:
    file = tmp_path / "river.json"
    llm = llm_of("gpt2", "gpt2", max_new_tokens=1)
    llm.save(file)
    assert KEY not in file.read_text()
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", llm.endpoint_url)
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    loaded = langchain.load_llm(file)
    loaded.content_formatter = langchain.GPT2ContentFormatter()
    assert loaded.invoke("It rained") == " and"
