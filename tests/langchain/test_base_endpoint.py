"""What both model classes share: where their fields come from, what they refuse, and that the key stays in."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import traceback
import warnings

import pytest
from langchain_core.load import dumpd, dumps, load
from langchain_core.runnables import ConfigurableField
from pydantic import ConfigDict, Field, SecretStr

from azml_magics import errors, langchain
from azml_magics.core.config import LLMConfig
from azml_magics.core.secret import Secret
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLEndpointApiType, AzureMLOnlineEndpoint

SCORE = "https://name.region.inference.ml.azure.com/score"
LITERAL = "literal-key-0123456789"
BOTH = pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])


# ---- where fields come from ----------------------------------------------------------------------------------


@BOTH
def test_constructor_needs_no_arguments(kind):
    model = kind()
    assert (model.endpoint_url, model.deployment_name, model.model_kwargs) == ("", "", None)
    assert model.endpoint_api_type is AzureMLEndpointApiType.dedicated


@BOTH
def test_missing_arguments_come_from_the_environment(kind, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_URL", "https://localhost/score/")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", LITERAL)
    monkeypatch.setenv("AZUREML_DEPLOYMENT_NAME", "blue")
    monkeypatch.setenv("AZUREML_ENDPOINT_API_TYPE", "serverless")
    monkeypatch.setenv("AZUREML_TIMEOUT", "7.5")
    model = kind()
    assert model.endpoint_url == "https://localhost/score"
    assert model.endpoint_api_key.get_secret_value() == LITERAL
    assert (model.deployment_name, model.endpoint_api_type, model.timeout) == ("blue", "serverless", 7.5)
    given = kind(
        endpoint_url=SCORE,
        endpoint_api_key="mine",
        deployment_name="green",
        endpoint_api_type="dedicated",
        timeout=3,
    )
    assert given.endpoint_api_key.get_secret_value() == "mine"
    assert (given.endpoint_url, given.deployment_name, given.timeout) == (SCORE, "green", 3)
    assert given.endpoint_api_type is AzureMLEndpointApiType.dedicated


@pytest.mark.parametrize(
    "given", [AzureMLEndpointApiType.serverless, "serverless", " Serverless "], ids=["enum", "text", "any case"]
)
def test_api_type_may_be_enum_or_str(given):
    assert AzureMLOnlineEndpoint(endpoint_api_type=given).endpoint_api_type is AzureMLEndpointApiType.serverless


@pytest.mark.parametrize("given", [AzureMLEndpointApiType.realtime, "realtime"])
def test_realtime_is_dedicated(given):
    model = AzureMLOnlineEndpoint(endpoint_url=SCORE, endpoint_api_type=given)
    assert model.endpoint_api_type is AzureMLEndpointApiType.realtime
    assert model.to_config().endpoint_api_type == "dedicated"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (SCORE, "dedicated"),
        ("https://name.region.inference.ml.azure.com/v1/chat/completions", "serverless"),
        ("https://name.region.models.ai.azure.com", "serverless"),
        ("https://cluster.example.org/api/v1/endpoint/bert", "dedicated"),
        ("https://name.region.inference.ml.azure.com/any/path", "dedicated"),
    ],
)
def test_api_type_defaults_to_the_urls(url, kind):
    assert AzureMLOnlineEndpoint(endpoint_url=url).endpoint_api_type == kind


def test_langchain_standard_parameters_are_accepted():
    model = AzureMLChatOnlineEndpoint(
        base_url=SCORE,
        api_key=LITERAL,
        model_name="demo",
        temperature=0,
        max_tokens=5,
        stop=["\n"],
        model_kwargs={"max_tokens": 9, "seed": 1},
    )
    assert (model.endpoint_url, model.model) == (SCORE, "demo")
    assert model.endpoint_api_key.get_secret_value() == LITERAL
    assert model.model_kwargs == {"temperature": 0, "max_tokens": 5, "stop": ["\n"], "seed": 1}


@BOTH
def test_standard_parameters_read_and_write_model_kwargs(kind):
    model = kind(model_kwargs={"temperature": 0.2})
    assert (model.temperature, model.max_tokens, model.stop) == (0.2, None, None)
    model.temperature, model.max_tokens = 0.9, 5
    assert model.model_kwargs == {"temperature": 0.9, "max_tokens": 5}
    model.max_tokens = None
    model.model_kwargs["temperature"] = 0
    assert (model.temperature, model.model_kwargs) == (0, {"temperature": 0})
    for same in (copy.deepcopy(model), model.model_copy(), pickle.loads(pickle.dumps(model))):
        assert same.temperature == 0
        assert "temperature" not in repr(same).replace("'temperature': 0", "")
    with pytest.raises(AttributeError):
        _ = model.no_such_attribute


@BOTH
@pytest.mark.parametrize("deep", [False, True])
def test_model_copy_updates_fields_that_live_elsewhere(kind, deep):
    model = kind(model_kwargs={"temperature": 0.2})
    client = FakeClient()
    copied = model.model_copy(update={"temperature": 0.9, "http_client": client, "timeout": 9}, deep=deep)
    assert (copied.temperature, copied.model_kwargs, copied.timeout) == (0.9, {"temperature": 0.9}, 9)
    assert copied.http_client is copied.client is client
    assert (model.temperature, model.client) == (0.2, None)


def test_configurable_fields_reach_model_kwargs(chat, sent):
    chat = chat.configurable_fields(
        temperature=ConfigurableField(id="heat"), model_kwargs=ConfigurableField(id="kwargs")
    )
    chat.invoke("Hi", {"configurable": {"heat": 0.9}})
    assert (sent()["temperature"], sent()["max_tokens"]) == (0.9, 40)
    chat.invoke("Hi", {"configurable": {"kwargs": {"temperature": 0.1}}})
    assert sent()["temperature"] == 0.1
    chat.invoke("Hi")
    assert "temperature" not in sent()


@BOTH
def test_network_settings_reach_the_config(kind):
    settings = {"key_header": "X-Key", "verify": False, "proxy": "none", "allow_http": True, "total_timeout": 9.0}
    config = kind(default_headers={"X-Team": "nlp"}, **settings).to_config()
    assert {name: getattr(config, name) for name in settings} == settings
    assert dict(config.headers) == {"X-Team": "nlp"}


@BOTH
def test_key_in_a_header_is_in_no_text(kind):
    headers = {"Ocp-Apim-Subscription-Key": LITERAL, "X-Key": "env:MY_KEY", "X-Team": "nlp"}
    model = kind(endpoint_url=SCORE, headers=headers)
    texts = [repr(model), dumps(model), model.model_dump_json(), str(model.model_dump()), str(vars(model))]
    assert not [text for text in texts if LITERAL in text]
    assert model.model_dump()["headers"] == {"X-Key": "env:MY_KEY", "X-Team": "nlp"}
    assert model.to_config().headers["Ocp-Apim-Subscription-Key"].reveal() == LITERAL


# ---- what is refused, in one line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"endpoint_api_type": "batch"}, "endpoint_api_type: Input should be 'dedicated'"),
        ({"endpoint_url": "not a url"}, "is not complete"),
        ({"timeout": "soon"}, "timeout: Input should be a valid number"),
        ({"timeout": 0}, "timeout must be a positive number"),
        ({"max_retries": -1}, "max_retries must be 0 or a positive integer"),
        ({"model_kwargs": "hot"}, "model_kwargs: Input should be a valid dictionary"),
        ({"key": LITERAL}, "That is not a key reference"),
        ({"content_formatter": "gpt3"}, "No formatter named 'gpt3'"),
        (
            {"endpoint_api_type": "serverless", "content_formatter": langchain.GPT2ContentFormatter()},
            "works with dedicated endpoints, and this one is serverless. Choose another content_formatter",
        ),
        (
            {"endpoint_url": "https://localhost/v1/completions", "content_formatter": langchain.HFContentFormatter()},
            "Choose another content_formatter",
        ),
    ],
)
@BOTH
def test_invalid_arguments_raise_without_showing_the_key(kind, given, said):
    with pytest.raises(ValueError) as caught:
        kind(endpoint_api_key=LITERAL, **given)
    assert isinstance(caught.value, errors.ConfigError)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert LITERAL not in "".join(traceback.format_exception(caught.value))


@BOTH
def test_key_is_not_sent_in_clear_text(kind):
    model = kind(endpoint_url="http://elsewhere.example.org/v1", endpoint_api_key=LITERAL)
    with pytest.raises(errors.ConfigError, match="would carry the key in clear text") as caught:
        model.invoke("Hello")
    assert LITERAL not in "".join(traceback.format_exception(caught.value))


@BOTH
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("deployment", "Did you mean 'deployment_name'?"),
        ("temperatur", "Did you mean 'temperature'?"),
        ("endpoint_api_keys", "Did you mean 'endpoint_api_key'?"),
        ("top_p", "Pass parameters of the model in model_kwargs={'top_p': …}."),
    ],
)
def test_unknown_argument_is_refused_with_its_neighbour(kind, given, said):
    with pytest.raises(errors.ConfigError, match=f"has no argument '{given}'") as caught:
        kind(**{given: LITERAL})
    assert said in str(caught.value)
    assert LITERAL not in str(caught.value)


def test_arguments_of_every_langchain_model_are_accepted():
    kind = AzureMLChatOnlineEndpoint
    kind(cache=False, verbose=False, callbacks=[], tags=["a"], metadata={"b": 1}, custom_get_token_ids=str.split)
    kind(name="prod", rate_limiter=None, disable_streaming=True)


@BOTH
def test_fields_of_a_subclass_are_arguments(kind):
    class Mine(kind):
        flavour: str = Field(default="plain", alias="taste")
        size: int = 1

    assert Mine(taste="sweet", size=2).flavour == "sweet"
    assert Mine.model_validate({"taste": "sweet", "endpoint_url": SCORE}).endpoint_url == SCORE
    with pytest.raises(errors.ConfigError, match="Mine has no argument 'sise'"):
        Mine(sise=2)

    class Open(kind):
        model_config = ConfigDict(extra="allow")

    assert Open(anything=1).anything == 1


PLACEHOLDER = "https://<your-endpoint>.<your_region>.inference.ml.azure.com/score"


@BOTH
@pytest.mark.parametrize("key_from", ["environment", "constructor"])
def test_documentation_placeholder_url_is_taken(kind, key_from, monkeypatch):
    if key_from == "environment":
        monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", "my-api-key")
        model = kind(endpoint_url=PLACEHOLDER)
        monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY")
    else:
        model = kind(endpoint_url=PLACEHOLDER, endpoint_api_key="my-api-key", endpoint_api_type="dedicated")
    assert isinstance(model.endpoint_api_key, SecretStr)
    assert model.endpoint_api_key.get_secret_value() == "my-api-key"
    assert str(model.endpoint_api_key) == f"{model.endpoint_api_key}" == "**********"
    assert repr(model.endpoint_api_key) == "SecretStr('**********')"
    with pytest.raises(errors.ConfigError, match="no valid host name"):
        kind(endpoint_url=PLACEHOLDER, key="none", content_formatter="gpt2").invoke("Hi")


@BOTH
@pytest.mark.parametrize("key", ["none", "", " none "])
def test_key_none_sends_no_key(kind, key, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", LITERAL)
    assert kind(key=key, endpoint_api_key=None).to_config().key is None


def test_object_that_is_not_a_formatter_is_refused():
    with pytest.raises(ValueError, match="not a content formatter"):
        AzureMLOnlineEndpoint(content_formatter=object())
    with pytest.raises(ValueError, match="not its class: call it"):
        AzureMLOnlineEndpoint(content_formatter=langchain.GPT2ContentFormatter)


@BOTH
@pytest.mark.parametrize(
    ("given", "error", "remedy"),
    [
        ({}, errors.ConfigError, "Pass endpoint_url=…, or set AZUREML_ENDPOINT_URL."),
        ({"endpoint_url": SCORE}, errors.ConfigError, "Pass content_formatter=…"),
        (
            {"endpoint_url": SCORE, "content_formatter": "openai-chat"},
            errors.KeyNotFoundError,
            'Set it, pass endpoint_api_key=…, or name where the key is, such as key="entra".',
        ),
        (
            {"endpoint_url": SCORE, "content_formatter": "openai-chat", "key": "env:NOT_THERE"},
            errors.KeyNotFoundError,
            "pass endpoint_api_key",
        ),
    ],
    ids=["no URL", "no formatter", "no key", "no key there"],
)
async def test_call_reports_what_is_missing(kind, given, error, remedy):
    model = kind(**given)
    for call in (model.invoke, lambda prompt: list(model.stream(prompt))):
        with pytest.raises(error) as caught:
            call("Hi")
        assert remedy in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(error):
        await model.ainvoke("Hi")
    with pytest.raises(error):
        async for _ in model.astream("Hi"):
            pass


# ---- to the core's config ------------------------------------------------------------------------------------


def test_to_config_has_every_field():
    model = AzureMLChatOnlineEndpoint(
        endpoint_url=SCORE,
        content_formatter=langchain.CustomOpenAIChatContentFormatter(),
        deployment_name="blue",
        key="env:MY_KEY",
        model_kwargs={"top_p": 0.5},
        system="Be brief.",
        model="demo",
        api_version="2024-10-21",
        extra_parameters="drop",
        timeout=3,
        max_retries=0,
        name="prod",
    )
    config = model.to_config()
    assert config == LLMConfig(
        name="prod",
        endpoint_url=SCORE,
        formatter=config.formatter,
        deployment_name="blue",
        key="env:MY_KEY",
        model_kwargs={"top_p": 0.5},
        system="Be brief.",
        model="demo",
        api_version="2024-10-21",
        extra_parameters="drop",
        timeout=3,
        max_retries=0,
    )
    assert config.formatter.name == "openai-chat"


def test_key_from_environment_becomes_a_reference(monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", LITERAL)
    assert str(AzureMLOnlineEndpoint().to_config().key) == "env:AZUREML_ENDPOINT_API_KEY"
    assert AzureMLOnlineEndpoint(endpoint_api_key="other").to_config().key == Secret("other")
    assert AzureMLOnlineEndpoint(key="entra").to_config().key.scheme == "entra"
    assert AzureMLOnlineEndpoint(key="").to_config().key is None


def test_key_assigned_later_is_used_and_hidden():
    model = AzureMLOnlineEndpoint()
    model.endpoint_api_key = LITERAL
    assert model.to_config().key == Secret(LITERAL)
    assert LITERAL not in repr(model)


# ---- the key stays in ----------------------------------------------------------------------------------------


@BOTH
def test_key_is_in_no_text(kind, tmp_path):
    model = kind(endpoint_url=SCORE, endpoint_api_key=LITERAL)
    model.save(tmp_path / "saved.json")
    texts = [repr(model), str(model), f"{model}", dumps(model), str(dumpd(model)), model.model_dump_json()]
    texts += [str(model.model_dump()), str(model.to_config()), (tmp_path / "saved.json").read_text()]
    texts += [str(vars(model))]
    assert not [text for text in texts if LITERAL in text]


@BOTH
def test_pickle_drops_the_key_and_copy_keeps_it(kind, monkeypatch):
    model = kind(
        endpoint_url=SCORE,
        endpoint_api_key=LITERAL,
        model_kwargs={"top_p": 1},
        content_formatter=langchain.CustomOpenAIChatContentFormatter(),
    )
    pickled = pickle.dumps(model)
    assert LITERAL.encode() not in pickled
    back = pickle.loads(pickled)
    assert (back.endpoint_url, back.model_kwargs) == (SCORE, {"top_p": 1})
    assert str(back.to_config().key) == "env:AZUREML_ENDPOINT_API_KEY"
    for same in (copy.copy(model), copy.deepcopy(model), model.model_copy()):
        assert same.to_config().key == Secret(LITERAL)
    copied = copy.deepcopy(model)
    copied.model_kwargs["top_p"] = 0
    assert model.model_kwargs == {"top_p": 1}


@BOTH
@pytest.mark.parametrize(
    "formatter", [None, langchain.CustomOpenAIChatContentFormatter(), "mlflow"], ids=["none", "ours", "named"]
)
def test_langchain_dumps_loads_key_from_environment(kind, formatter, monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", LITERAL)
    model = kind(endpoint_url=SCORE, content_formatter=formatter, model_kwargs={"top_p": 1}, deployment_name="blue")
    dumped = dumps(model)
    assert LITERAL not in dumped
    options = {"valid_namespaces": ["azml_magics"], "secrets_from_env": True}
    if "allowed_objects" in inspect.signature(load).parameters:  # langchain-core 1.x asks which classes may come back
        options["allowed_objects"] = [kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `load` is called beta
        back = load(json.loads(dumped), **options)
    assert isinstance(back, kind)
    assert back.endpoint_api_key.get_secret_value() == LITERAL
    assert back.to_config() == model.to_config()


# ---- a client of one's own -----------------------------------------------------------------------------------


class FakeClient:
    """Answers by itself and remembers what it was asked."""

    def __init__(self, reply=b'[{"0": "from the fake"}]'):
        self.reply, self.calls = reply, []

    def call(self, body, run_manager=None, **kwargs):
        self.calls.append((body, run_manager, kwargs))
        return self.reply


@pytest.mark.parametrize("url", ["", SCORE])
async def test_http_client_sends_the_request(url):
    client = FakeClient()
    llm = AzureMLOnlineEndpoint(
        endpoint_url=url, http_client=client, content_formatter=langchain.GPT2ContentFormatter()
    )
    assert llm.invoke("Hi") == "from the fake"
    assert await llm.ainvoke("Hi") == "from the fake"
    assert list(llm.stream("Hi")) == ["from the fake"]
    assert llm.batch(["Hi", "Ho"]) == ["from the fake"] * 2
    assert len(client.calls) == 5
    body, run_manager, kwargs = client.calls[0]
    assert body == b'{"inputs":{"input_string":["Hi"]},"parameters":{}}'
    assert run_manager is not None
    assert kwargs == {}


def test_http_client_serves_the_chat_class():
    reply = b'{"choices": [{"message": {"role": "assistant", "content": "fake"}, "finish_reason": "stop"}]}'
    chat = AzureMLChatOnlineEndpoint(
        http_client=FakeClient(reply), endpoint_api_type="serverless", content_formatter="openai-chat"
    )
    assert chat.invoke("Hi").content == "fake"
    assert [chunk.content for chunk in chat.stream("Hi") if chunk.content] == ["fake"]


def test_http_client_errors_pass_through():
    class Broken:
        def call(self, body, run_manager=None):
            raise KeyError("mine")

    llm = AzureMLOnlineEndpoint(http_client=Broken(), content_formatter="gpt2")
    with pytest.raises(KeyError, match="mine"):
        llm.invoke("Hi")


def test_http_client_may_return_str_and_gets_timeout():
    client = FakeClient('["text"]')
    llm = AzureMLOnlineEndpoint(http_client=client, content_formatter="gpt2")
    assert llm.invoke("Hi", timeout=3) == "text"
    assert client.calls[0][2] == {"timeout": 3}
