"""Documents and configs as models, and back."""

from __future__ import annotations

import json

import pytest

import azml_magics
from azml_magics import errors, langchain
from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.secret import Secret
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint, from_config, load_llm

from .test_formatter_adapter import Chatty, TwoArguments

CHAT = "https://name.region.inference.ml.azure.com/v1/chat/completions"
SCORE = "https://name.region.inference.ml.azure.com/score"


def written(path, document):
    path.write_text(json.dumps(document))
    return path


# ---- documents -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
@pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])
def test_saved_model_loads(tmp_path, suffix, kind):
    saved = kind(deployment_name="blue", model_kwargs={"temperature": 0.2, "stop": ["\n"]})
    saved.save(tmp_path / f"a.{suffix}")
    loaded = load_llm(str(tmp_path / f"a.{suffix}"))
    assert type(loaded) is kind
    assert (loaded.deployment_name, loaded.model_kwargs) == ("blue", {"temperature": 0.2, "stop": ["\n"]})


def test_missing_fields_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", SCORE)
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "from-the-environment")
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "green")
    monkeypatch.setenv("AZUREML_TIMEOUT", "9")
    path = written(tmp_path / "a.json", {"deployment_name": "blue", "model_kwargs": {}, "_type": "azureml_endpoint"})
    loaded = load_llm(path)
    assert (loaded.endpoint_url, loaded.deployment_name, loaded.timeout) == (SCORE, "blue", 9)
    assert loaded.endpoint_api_key.get_secret_value() == "from-the-environment"


def test_arguments_override_the_document(tmp_path):
    path = written(tmp_path / "a.json", {"deployment_name": "blue", "model_kwargs": {}, "_type": "azureml_endpoint"})
    loaded = load_llm(path, endpoint_api_key="k", deployment_name="green", allow_dangerous_deserialization=True)
    assert loaded.deployment_name == "green"
    assert loaded.endpoint_api_key.get_secret_value() == "k"


def test_own_document_sets_every_field(tmp_path):
    config = LLMConfig(
        endpoint_url=CHAT,
        formatter="mistral-chat",
        deployment_name="blue",
        key="env:MY_KEY",
        model_kwargs={"top_p": 1},
        system="Be brief.",
        model="m",
        extra_parameters="drop",
        timeout=5,
        max_retries=0,
        total_timeout=60,
        headers={"X-Team": "nlp", "X-Key": "env:MY_KEY"},
        key_header="X-Other-Key",
        verify=False,
        proxy="none",
        allow_http=True,
    )
    azml_magics.save_config(config, tmp_path / "chat.json")
    loaded = load_llm(tmp_path / "chat.json")
    assert isinstance(loaded, AzureMLChatOnlineEndpoint)
    assert isinstance(loaded.content_formatter, langchain.MistralChatContentFormatter)
    assert loaded.name is None
    again = loaded.to_config()
    assert again == config.merged(formatter=wire.get("mistral-chat"))


def test_saved_config_without_a_key_loads_without_one(tmp_path, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "for another host")
    azml_magics.save_config(LLMConfig(endpoint_url=CHAT, key="none"), tmp_path / "a.json")
    assert load_llm(tmp_path / "a.json").to_config().key is None


def test_text_document_gives_the_text_class_on_any_route(tmp_path):
    document = {"deployment_name": "", "model_kwargs": {}, "_type": "azureml_endpoint", "endpoint_url": CHAT}
    assert type(load_llm(written(tmp_path / "a.json", document))) is AzureMLOnlineEndpoint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"_type": "openai"}', "its _type is 'openai'"),
        ('{"deployment_name": ', "is not complete JSON"),
        ("[]", "it is a list"),
        ('{"_type": "azureml_endpoint", "endpoint_api_key": "k"}', "has the key 'endpoint_api_key'"),
    ],
)
def test_invalid_document_raises_document_error(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(errors.DocumentError) as caught:
        load_llm(tmp_path / "a.json")
    assert said in str(caught.value)
    with pytest.raises(errors.DocumentError):
        load_llm(tmp_path / "a.txt")


# ---- configs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (LLMConfig(endpoint_url=CHAT), AzureMLChatOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE, formatter="openai-chat"), AzureMLChatOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE, formatter="promptflow"), AzureMLChatOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE, formatter=Chatty()), AzureMLChatOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE, formatter="gpt2"), AzureMLOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE, formatter=TwoArguments()), AzureMLOnlineEndpoint),
        (LLMConfig(endpoint_url=SCORE), AzureMLOnlineEndpoint),
        (LLMConfig(), AzureMLOnlineEndpoint),
    ],
)
def test_formatter_decides_the_class(config, kind):
    assert type(from_config(config)) is kind


@pytest.mark.parametrize("name", [*wire.names(), "", "oss", "llama", "llama-chat"])
def test_config_round_trips(name):
    route = {"tgi": "generate", "openai-responses": "v1/responses", "anthropic-messages": "v1/messages"}
    url = f"{SCORE.removesuffix('/score')}/{route.get(name, 'score')}"
    config = LLMConfig(
        name="prod", endpoint_url=url, formatter=name, deployment_name="b", model_kwargs={"x": [1]}, timeout=3
    )
    again = from_config(config).to_config()
    formatter = wire.get(name) if name else ""
    assert again == config.merged(formatter=formatter)


@pytest.mark.parametrize("key", ["env:MY_KEY", "entra", "env:AZUREML_ENDPOINT_API_KEY", None, Secret("literal")])
def test_key_round_trips(key, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "in-the-environment")
    config = LLMConfig(endpoint_url=CHAT, key=key)
    model = from_config(config)
    assert model.to_config().key == config.key
    assert "literal" not in repr(model)


def test_custom_formatter_round_trips():
    mine = TwoArguments()
    model = from_config(LLMConfig(endpoint_url=SCORE, formatter=mine))
    assert model.content_formatter is mine
    assert model.to_config().formatter.content_formatter is mine
    assert from_config(model.to_config()).content_formatter is mine


def test_environment_does_not_change_a_config(monkeypatch):
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "other")
    monkeypatch.setenv("AZUREML_TIMEOUT", "1")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_TYPE", "serverless")
    config = LLMConfig(endpoint_url=SCORE)
    assert from_config(config).to_config() == config


def test_core_sends_with_a_chat_formatter_config(endpoint):
    formatter = Chatty()
    formatter.format_messages_request_payload = lambda messages, kwargs, api_type: json.dumps(
        {"input_data": {"input_string": [{"role": "user", "content": messages[0].content}], "parameters": {}}}
    )
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter=formatter)
    assert "Hello!" in azml_magics.invoke(chat.to_config(), "Hi").text
