"""Every public name of langchain-community's two modules, used on both sides against one stub server.

What differs on purpose is in INTENDED, and each of its entries is in the migration page.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import warnings
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage

from azml_magics import langchain

from ..core.server import Server, reply

pytest.importorskip("langchain_community", reason="the original is compared with; pip install langchain-community")
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "migrate-from-langchain-community.md"
KEY = "key-0123456789abcdef"
VARIABLES = {
    "AZUREML_ENDPOINT_URL": "https://name.region.inference.ml.azure.com/score",
    "AZUREML_ENDPOINT_API_KEY": KEY,
    "AZUREML_DEPLOYMENT_NAME": "blue",
    "AZUREML_ENDPOINT_API_TYPE": "dedicated",
    "AZUREML_TIMEOUT": "7",
}
# What differs on purpose -> a sentence or word of the migration page that says so.
INTENDED = {
    "quotes": "quotes around the prompt",
    "strip": "blanks around the response",
    "timeout": "50 s without data",
    "max_retries": "retries",
    "validate_": "`validate_…`",
    "identifying": "`_identifying_params`",
    "errors": "errors of a call",
    "http_client": "`http_client`",
    "chat Llama": "`LlamaContentFormatter` of the chat module",
    "headers": "`content_type` and `accepts`",
    "unknown": "an unknown argument",
    "models": "`deployment_name` on `/models/…` routes",
}


def community(module):
    """A module of the original; it warns of itself while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"langchain_community.{module}.azureml_endpoint")


TEXT, CHAT = community("llms"), community("chat_models")
CLASSES = [
    (module, name)
    for module in (TEXT, CHAT)
    for name, value in vars(module).items()
    if inspect.isclass(value) and value.__module__ == module.__name__
]
MODELS = [(TEXT, "AzureMLOnlineEndpoint"), (CHAT, "AzureMLChatOnlineEndpoint")]
by_name = pytest.mark.parametrize(
    ("module", "name"), CLASSES, ids=[f"{m.__name__.split('.')[1]}.{n}" for m, n in CLASSES]
)
by_model = pytest.mark.parametrize(("module", "name"), MODELS, ids=["text", "chat"])


def test_page_lists_every_intended_difference():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert [name for name, words in INTENDED.items() if words not in page] == []


# ---- names -------------------------------------------------------------------------------------------------------


@by_name
def test_class_has_every_name_of_the_original(module, name):
    theirs, ours = getattr(module, name), getattr(langchain, name)
    missing = {each for each in set(dir(theirs)) - set(dir(ours)) if not each.startswith("_")}
    assert {each for each in missing if not each.startswith("validate_")} == set()


@by_name
def test_methods_take_the_arguments_of_the_original(module, name):
    theirs, ours = getattr(module, name), getattr(langchain, name)
    for method, function in vars(theirs).items():
        if not inspect.isfunction(function) or method.startswith(("__", "validate_")):
            continue
        wanted = list(inspect.signature(function).parameters.values())
        taken = inspect.signature(getattr(ours, method)).parameters
        for parameter in wanted:
            assert parameter.name in taken or parameter.kind is parameter.VAR_KEYWORD, (method, parameter)


def test_module_constants_and_functions_are_known():
    public = {
        name
        for module in (TEXT, CHAT)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert public <= set(langchain.__all__)
    assert TEXT.DEFAULT_TIMEOUT == 50


def test_environment_variables_are_all_known():
    source = inspect.getsource(TEXT) + inspect.getsource(CHAT)
    assert set(re.findall(r"AZUREML_[A-Z_]+", source)) == set(VARIABLES)


# ---- constructors and attributes ---------------------------------------------------------------------------------

FIELDS = {
    "endpoint_url": "https://name.region.inference.ml.azure.com/score",
    "endpoint_api_key": KEY,
    "deployment_name": "blue",
    "endpoint_api_type": "dedicated",
    "timeout": 7,
    "max_retries": 3,
    "model_kwargs": {"temperature": 0.2},
}


def make_both(module, name, **fields):
    return getattr(module, name)(**fields), getattr(langchain, name)(**fields)


def value_of(value):
    return value.get_secret_value() if hasattr(value, "get_secret_value") else getattr(value, "value", value)


@by_model
def test_constructor_arguments_read_back_the_same(module, name):
    theirs, ours = make_both(module, name, **FIELDS)
    fields = set(getattr(module, name).model_fields) - {"http_client", "content_formatter"}
    assert set(FIELDS) <= fields
    for field in fields - {"metadata"}:  # the versions of packages
        assert value_of(getattr(ours, field)) == value_of(getattr(theirs, field)), field
    assert str(ours.endpoint_api_key) == str(theirs.endpoint_api_key) == "**********"
    for attribute in ("endpoint_url", "endpoint_api_key", "deployment_name", "timeout"):
        assert getattr(ours.http_client, attribute) == getattr(theirs.http_client, attribute)
    assert isinstance(ours.http_client, langchain.AzureMLEndpointClient)
    assert ours._llm_type == theirs._llm_type
    assert ours.lc_secrets.keys() >= theirs.lc_secrets.keys()


@by_model
def test_environment_fills_the_same_fields(module, name, monkeypatch):
    for variable, value in VARIABLES.items():
        monkeypatch.setenv(variable, value)
    theirs, ours = make_both(module, name)
    for field in ("endpoint_url", "endpoint_api_key", "deployment_name", "endpoint_api_type", "timeout"):
        assert value_of(getattr(ours, field)) == value_of(getattr(theirs, field)), field


@by_model
def test_defaults_differ_as_the_page_says(module, name):
    theirs, ours = make_both(module, name, endpoint_url=FIELDS["endpoint_url"], endpoint_api_key=KEY)
    assert (theirs.timeout, theirs.max_retries, ours.timeout, ours.max_retries) == (50, 1, 190, 2)
    assert (theirs.endpoint_url, theirs.model_kwargs) == (ours.endpoint_url, ours.model_kwargs)


@by_model
def test_identifying_params_contain_the_originals(module, name):
    theirs, ours = make_both(module, name, **FIELDS)
    assert theirs._identifying_params.items() <= ours._identifying_params.items()


@by_model
def test_unknown_argument_differs_as_the_page_says(module, name):
    getattr(module, name)(**FIELDS, temperatur=0)
    with pytest.raises(ValueError, match="Did you mean 'temperature'"):
        getattr(langchain, name)(**FIELDS, temperatur=0)


@pytest.mark.parametrize("url", ["not a url", "https://", ""])
@by_model
def test_both_refuse_with_a_value_error_what_cannot_be_called(module, name, url):
    fields = {**FIELDS, "endpoint_url": url}
    with pytest.raises(ValueError):
        getattr(module, name)(**fields)
    with pytest.raises(ValueError):
        getattr(langchain, name)(**fields, content_formatter="openai-chat").invoke("Hi")


# ---- formatters --------------------------------------------------------------------------------------------------

DEDICATED, SERVERLESS = "dedicated", "serverless"
CHOICE = {"finish_reason": "stop", "logprobs": None}
TEXT_FORMATTERS = [
    ("GPT2ContentFormatter", DEDICATED, [{"0": "text"}]),
    ("OSSContentFormatter", DEDICATED, [{"0": "text"}]),
    ("HFContentFormatter", DEDICATED, [{"0": {"generated_text": "text"}}]),
    ("DollyContentFormatter", DEDICATED, ["text"]),
    ("CustomOpenAIContentFormatter", DEDICATED, [{"0": "text"}]),
    ("CustomOpenAIContentFormatter", SERVERLESS, {"choices": [{"text": " text ", **CHOICE}]}),
    ("LlamaContentFormatter", DEDICATED, [{"0": "text"}]),
]
ASSISTANT = {"message": {"role": "assistant", "content": " text "}, **CHOICE}
CHAT_FORMATTERS = [
    ("CustomOpenAIChatContentFormatter", DEDICATED, {"output": " text "}),
    ("CustomOpenAIChatContentFormatter", SERVERLESS, {"choices": [ASSISTANT]}),
    ("LlamaChatContentFormatter", DEDICATED, {"output": " text "}),
    ("MistralChatContentFormatter", SERVERLESS, {"choices": [ASSISTANT]}),
]
MESSAGES = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Ho"), ChatMessage("Hum", role="user")]


def formatters(module, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(module, name)(), getattr(langchain, name)()


def unquoted(value):
    """The request of the original without the quotes that it puts around prompts."""
    if isinstance(value, str):
        return value.removeprefix('"').removesuffix('"')
    if isinstance(value, list):
        return [unquoted(each) for each in value]
    return {name: unquoted(each) for name, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(("name", "api_type", "response"), TEXT_FORMATTERS)
def test_text_formatters_agree(name, api_type, response):
    theirs, ours = formatters(TEXT, name)
    kind = langchain.AzureMLEndpointApiType(api_type)
    kwargs = {"temperature": 0.2, "stop": ["x"]}
    bodies = [json.loads(each.format_request_payload("Hi", kwargs, kind)) for each in (theirs, ours)]
    assert bodies[1] == unquoted(bodies[0])
    body = json.dumps(response).encode()
    generations = [each.format_response_payload(body, kind) for each in (theirs, ours)]
    assert [generation.text.strip() for generation in generations] == ["text", "text"]
    assert generations[0].generation_info == generations[1].generation_info
    assert [value_of(each) for each in ours.supported_api_types] == [
        value_of(each) for each in theirs.supported_api_types
    ]
    assert (ours.content_type, ours.accepts) == (theirs.content_type, theirs.accepts)
    assert ours.escape_special_characters('a"\n\\') == theirs.escape_special_characters('a"\n\\')
    for each in (theirs, ours):
        with pytest.raises(ValueError):
            each.format_response_payload(b'{"unexpected": 1}', kind)


@pytest.mark.parametrize(("name", "api_type", "response"), CHAT_FORMATTERS)
def test_chat_formatters_agree(name, api_type, response):
    theirs, ours = formatters(CHAT, name)
    kind = langchain.AzureMLEndpointApiType(api_type)
    bodies = [json.loads(each.format_messages_request_payload(MESSAGES, {"seed": 1}, kind)) for each in (theirs, ours)]
    assert bodies[0] == bodies[1]
    generations = [each.format_response_payload(json.dumps(response).encode(), kind) for each in (theirs, ours)]
    assert [generation.message.content.strip() for generation in generations] == ["text", "text"]
    assert generations[0].generation_info == generations[1].generation_info
    assert set(theirs.SUPPORTED_ROLES) <= set(ours.SUPPORTED_ROLES)
    for message in MESSAGES:
        assert ours._convert_message_to_dict(message) == theirs._convert_message_to_dict(message)
    for each in (theirs, ours):
        with pytest.raises(ValueError):
            each._convert_message_to_dict(
                ChatMessage("x", role="")
            ) if each is theirs else langchain.messages_from_wire([{"content": "x"}])
        with pytest.raises(ValueError):
            each.format_response_payload(b'{"unexpected": 1}', kind)


def test_llama_formatter_of_the_chat_module_differs_as_the_page_says():
    with pytest.raises(TypeError):
        CHAT.LlamaContentFormatter()
    with pytest.warns(DeprecationWarning, match="use CustomOpenAIContentFormatter"):
        langchain.LlamaContentFormatter()


# ---- calls against one stub --------------------------------------------------------------------------------------


@pytest.fixture
def stub():
    running = Server()
    yield running
    running.stop()


PATHS = {("text", DEDICATED): "/score", ("text", SERVERLESS): "/completions"}
PATHS |= {("chat", DEDICATED): "/score", ("chat", SERVERLESS): "/models/chat/completions"}


def models(stub, module, name, formatter, api_type):
    side = "text" if module is TEXT else "chat"
    theirs, ours = formatters(module, formatter)
    fields = {**FIELDS, "endpoint_url": stub.url + PATHS[side, api_type], "endpoint_api_type": api_type}
    fields["model_kwargs"] = {"temperature": 0.2}
    return (
        getattr(module, name)(**fields, content_formatter=theirs),
        getattr(langchain, name)(**fields, content_formatter=ours),
    )


ROUTES = [(TEXT, "AzureMLOnlineEndpoint", *each) for each in TEXT_FORMATTERS]
ROUTES += [(CHAT, "AzureMLChatOnlineEndpoint", *each) for each in CHAT_FORMATTERS]


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route[2]}-{route[3]}" for route in ROUTES])
async def test_calls_send_and_return_the_same(stub, route):
    module, name, formatter, api_type, response = route
    stub.respond_with(reply(response))
    results = []
    for model in models(stub, module, name, formatter, api_type):
        text = [
            model.invoke("Hi", stop=["x"], seed=1),
            await model.ainvoke("Hi", stop=["x"], seed=1),
            *model.batch(["Hi"], stop=["x"], seed=1),
        ]
        results.append([getattr(each, "content", each).strip() for each in text])
        sent, stub.received[:] = list(stub.received), []
        results[-1] += [
            (each.method, each.target.partition("?")[0], unquoted(each.json) | {}, header(each, "authorization"))
            for each in sent
        ]
        results[-1] += [(header(each, "azureml-model-deployment"), header(each, "content-type")) for each in sent]
    assert results[0][:3] == ["text"] * 3
    if api_type == SERVERLESS and module is CHAT:  # the deployment's name is in the header, or in the body
        assert {each[2].pop("model") for each in results[1][3:6]} == {"blue"}
        assert {deployment for deployment, _ in results[0][6:]} == {"blue"}
        results = [each[:6] for each in results]
    assert results[0] == results[1]


def header(received, name):
    return {key.lower(): value for key, value in received.headers.items()}.get(name)


@pytest.mark.parametrize("module", [TEXT, CHAT], ids=["text", "chat"])
def test_clients_call_the_same(stub, module):
    stub.respond_with(reply({"output": "x"}))
    bodies = []
    for package in (TEXT, langchain):
        client = package.AzureMLEndpointClient(f"{stub.url}/score", KEY, "blue", 9)
        assert (client.endpoint_url, client.endpoint_api_key, client.deployment_name, client.timeout) == (
            f"{stub.url}/score",
            KEY,
            "blue",
            9,
        )
        assert json.loads(client.call(b'{"a": 1}', run_manager=None, timeout=5)) == {"output": "x"}
        client.endpoint_api_key = "renewed-0123456789"
        client.call(body=b"{}")
        bodies.append([(r.body, header(r, "authorization"), header(r, "content-type")) for r in stub.received[-2:]])
    assert bodies[0] == bodies[1]


@pytest.mark.filterwarnings("ignore:The `dict` method is deprecated")  # of the original
@by_model
def test_streams_of_the_chat_class_say_the_same(stub, module, name):
    if module is TEXT:
        pytest.skip("the original's text class does not stream")
    pytest.importorskip("openai", reason="the original streams through it")
    events = "".join(
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}]})}\n\n"
        for delta, reason in (({"role": "assistant", "content": "a"}, None), ({"content": "b"}, None), ({}, "stop"))
    )
    stub.respond_with(reply(f"{events}data: [DONE]\n\n", kind="text/event-stream"))
    texts = [
        "".join(piece.content for piece in model.stream("Hi"))
        for model in models(stub, module, name, "CustomOpenAIChatContentFormatter", SERVERLESS)
    ]
    assert texts == ["ab", "ab"]


@by_model
def test_documents_are_the_same(module, name, tmp_path):
    theirs, ours = make_both(module, name, **FIELDS)
    if hasattr(theirs, "save"):
        theirs.save(tmp_path / "theirs.json")
        ours.save(tmp_path / "ours.json")
        assert (tmp_path / "ours.json").read_bytes() == (tmp_path / "theirs.json").read_bytes()
    assert theirs.get_num_tokens is not None
    assert ours.get_num_tokens is not None
