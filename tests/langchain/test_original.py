"""Against the real langchain-community: the same files, the same surface, and its bugs gone."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from azml_magics import errors, langchain
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint
from azml_magics.pytest_plugin import KEY

pytest.importorskip("langchain_community", reason="the original is compared with; pip install langchain-community")
URL = "https://name.region.inference.ml.azure.com/score"


def community(module):
    """A module of the original; it warns of itself while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"langchain_community.{module}")


@pytest.fixture
def original():
    return community("llms.azureml_endpoint")


# ---- the same files ------------------------------------------------------------------------------------------

VALUES = [
    {"deployment_name": "blue", "model_kwargs": {"temperature": 0.2, "max_tokens": 150, "presence_penalty": 72e-3}},
    {"deployment_name": "", "model_kwargs": {}},
    {},
    {"model_kwargs": {"stop": ["\n", "ü"], "nested": {"b": 1, "a": None}, "z": True}},
]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_save_writes_the_same_bytes(original, tmp_path, values, suffix):
    theirs = original.AzureMLOnlineEndpoint(endpoint_url=URL, endpoint_api_key="k", **values)
    theirs.save(tmp_path / f"theirs.{suffix}")
    AzureMLOnlineEndpoint(endpoint_url=URL, endpoint_api_key="k", **values).save(tmp_path / f"ours.{suffix}")
    assert (tmp_path / f"ours.{suffix}").read_bytes() == (tmp_path / f"theirs.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_each_loads_what_the_other_saved(original, tmp_path, monkeypatch, suffix):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", URL)
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "k")
    values = {"deployment_name": "blue", "model_kwargs": {"temperature": 0.2}}
    AzureMLOnlineEndpoint(**values).save(tmp_path / f"ours.{suffix}")
    original.AzureMLOnlineEndpoint(**values).save(tmp_path / f"theirs.{suffix}")
    loaded_by_them = community("llms.loading").load_llm(tmp_path / f"ours.{suffix}")
    loaded_by_us = langchain.load_llm(tmp_path / f"theirs.{suffix}")
    assert isinstance(loaded_by_them, original.AzureMLOnlineEndpoint)
    assert isinstance(loaded_by_us, AzureMLOnlineEndpoint)
    for loaded in (loaded_by_them, loaded_by_us):
        assert (loaded.deployment_name, loaded.model_kwargs, loaded.endpoint_url) == ("blue", {"temperature": 0.2}, URL)
    assert str(loaded_by_them).removesuffix("}") in str(loaded_by_us)  # ours adds what its cache must tell apart


# ---- the same surface ----------------------------------------------------------------------------------------


def test_every_public_name_exists(original):
    chat = community("chat_models.azureml_endpoint")
    for module in (original, chat):
        names = [
            name
            for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
        ]
        assert names
        assert set(names) <= set(langchain.__all__)


@pytest.mark.parametrize("name", ["AzureMLOnlineEndpoint", "AzureMLChatOnlineEndpoint"])
def test_every_field_exists(name):
    module = community("llms.azureml_endpoint" if name == "AzureMLOnlineEndpoint" else "chat_models.azureml_endpoint")
    assert set(getattr(module, name).model_fields) <= set(getattr(langchain, name).model_fields)


def test_every_formatter_attribute_exists(original):
    for name, theirs in vars(original).items():
        if inspect.isclass(theirs) and issubclass(theirs, original.ContentFormatterBase):
            public = {attribute for attribute in dir(theirs) if not attribute.startswith("_")} - {"content_formatter"}
            assert public <= set(dir(getattr(langchain, name))), name


def test_clients_take_the_same_arguments(original):
    ours = inspect.signature(langchain.AzureMLEndpointClient)
    assert list(ours.parameters) == list(inspect.signature(original.AzureMLEndpointClient).parameters)


def test_enum_has_the_same_members(original):
    theirs = {member.name: member.value for member in original.AzureMLEndpointApiType}
    assert {member.name: member.value for member in langchain.AzureMLEndpointApiType} == theirs


def test_formatter_written_for_the_original_works(original, endpoint):
    class Theirs(original.ContentFormatterBase):
        def format_request_payload(self, prompt, model_kwargs, api_type):
            assert api_type == original.AzureMLEndpointApiType.dedicated
            return json.dumps({"inputs": {"input_string": [prompt]}, "parameters": model_kwargs}).encode()

        def format_response_payload(self, output, api_type):
            return original.Generation(text=json.loads(output)[0]["0"])

    llm = AzureMLOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter=Theirs())
    assert "Hello!" in llm.invoke("Hi", return_full_text=False)


def test_original_client_works(original, endpoint):
    client = original.AzureMLEndpointClient(f"{endpoint.url}/score", KEY)
    llm = AzureMLOnlineEndpoint(http_client=client, content_formatter=langchain.GPT2ContentFormatter())
    assert "Hello!" in llm.invoke("Hi", return_full_text=False)


# ---- its bugs, gone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ['a\n"b"', '"x"', "\\"])
@pytest.mark.parametrize(
    "formatter",
    [
        langchain.GPT2ContentFormatter,
        langchain.HFContentFormatter,
        langchain.DollyContentFormatter,
        langchain.CustomOpenAIContentFormatter,
    ],
)
def test_prompt_has_no_quotes_and_no_second_escaping(endpoint, sent, formatter, prompt):
    AzureMLOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter=formatter()).invoke(prompt)
    body = sent()
    inner = body.get("input_data") or body["inputs"]
    assert (inner["input_string"] if isinstance(inner, dict) else inner) == [prompt]


def test_conversation_has_no_second_escaping(chat, sent):
    chat.invoke([HumanMessage('a\n"b"')])
    assert sent()["messages"][0]["content"] == 'a\n"b"'


@pytest.mark.parametrize("reply", [b'["t"]', b'[{"0": "t"}]'])
@pytest.mark.parametrize("formatter", [langchain.HFContentFormatter(), langchain.DollyContentFormatter()])
def test_dolly_and_hf_responses_of_every_documented_shape(formatter, reply):
    assert formatter.format_response_payload(reply).text == "t"
    assert langchain.HFContentFormatter().format_response_payload(b'[{"generated_text": "t"}]').text == "t"


def test_empty_object_is_reported_as_failure(score_chat, endpoint):
    endpoint.script([Fault("empty-object")])
    with pytest.raises(errors.ModelError, match="content-safety filter blocked"):
        score_chat.invoke("Hi")


def test_refusal_keeps_body_and_headers(llm, endpoint):
    llm.max_retries = 0
    endpoint.script([Fault("424", status=500, message="CUDA out of memory")])
    with pytest.raises(errors.ModelError, match="CUDA out of memory") as caught:
        llm.invoke("Hi")
    assert (caught.value.status, caught.value.inner_status) == (424, 500)
    assert caught.value.headers["ms-azureml-model-error-reason"] == "model_error"
    endpoint.script([Fault("429", retry_after=7)])
    with pytest.raises(errors.RateLimitError) as caught:
        llm.invoke("Hi")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/chat/completions", "/v1/completions", "/openai/v1/chat/completions", "/generate", "/x"],
)
@pytest.mark.parametrize("api_type", [None, "serverless", "dedicated"])
def test_every_path_is_accepted(path, api_type):
    AzureMLOnlineEndpoint(endpoint_url=URL.removesuffix("/score") + path, endpoint_api_type=api_type)


@pytest.mark.parametrize("suffix", ["", "/"])
def test_kubernetes_endpoint_works(endpoint, suffix):
    llm = AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/api/v1/endpoint/gpt2-2023-06/score{suffix}",
        content_formatter=langchain.GPT2ContentFormatter(),
    )
    assert llm.invoke("Hi")


async def test_stream_keeps_url_kwargs_and_deployment(endpoint):
    url = f"{endpoint.url}/models/chat/completions?api-version=2024-05-01-preview"
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=url, model="demo", deployment_name="openai", model_kwargs={"max_tokens": 9}
    )
    list(chat.stream("Hi"))
    request = endpoint.requests[-1]
    assert request.path == "/models/chat/completions"
    assert "api-version=2024-05-01-preview" in str(request.query)
    assert request.json() == {
        "model": "demo",
        "stream": True,
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    [chunk async for chunk in chat.astream("Hi")]
    assert chat.endpoint_url == url
    assert chat.invoke("Hi").content


def test_stream_sends_the_deployment_header(chat, endpoint):
    chat.deployment_name = "openai"
    list(chat.stream("Hi"))
    assert endpoint.requests[-1].headers["azureml-model-deployment"] == "openai"


def test_dedicated_stream_uses_its_own_route(score_chat, endpoint):
    assert list(score_chat.stream("Hi"))
    assert endpoint.requests[-1].path == "/score"


def test_content_lists_and_tool_messages_are_sent(chat, sent):
    chat.invoke([HumanMessage([{"type": "text", "text": "a"}, "b"]), ToolMessage("3", tool_call_id="c1")])
    assert sent()["messages"][0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert sent()["messages"][1]["role"] == "tool"


def test_mistral_accepts_dedicated_endpoint_and_lone_system_message(endpoint, sent):
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score",
        endpoint_api_type="dedicated",
        content_formatter=langchain.MistralChatContentFormatter(),
    )
    chat.invoke([SystemMessage("Be brief.")])
    assert sent()["input_data"]["input_string"] == [{"role": "user", "content": "Be brief."}]


def test_missing_formatter_raises_one_line_error(endpoint):
    with pytest.raises(errors.ConfigError, match="No content_formatter"):
        AzureMLOnlineEndpoint(endpoint_url=f"{endpoint.url}/score").invoke("Hi")
