"""The bytes that each text dialect sends, beside the source that shows them."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, PromptError

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"
HUB = "https://hr.eastus2.models.ai.azure.com"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "Azure ML catalogue, gpt2 of June 2023; LangChain's GPT2ContentFormatter",
        "gpt2",
        DEDICATED,
        {"temperature": 0.5},
        b'{"inputs":{"input_string":["Say {hi}"]},"parameters":{"temperature":0.5}}',
    ),
    (
        "LangChain's OSSContentFormatter, its older name",
        "oss",
        DEDICATED,
        {},
        b'{"inputs":{"input_string":["Say {hi}"]},"parameters":{}}',
    ),
    (
        "Azure ML catalogue, databricks-dolly; LangChain's DollyContentFormatter",
        "dolly",
        DEDICATED,
        {"max_tokens": 9},
        b'{"input_data":{"input_string":["Say {hi}"]},"parameters":{"max_tokens":9}}',
    ),
    (
        "LangChain's HFContentFormatter",
        "hf",
        DEDICATED,
        {"max_new_tokens": 50},
        b'{"inputs":["Say {hi}"],"parameters":{"max_new_tokens":50}}',
    ),
    (
        "azureml-examples, Hugging Face registry containers",
        "hf-plain",
        DEDICATED,
        {"max_new_tokens": 50},
        b'{"inputs":"Say {hi}","parameters":{"max_new_tokens":50}}',
    ),
    (
        "Azure ML catalogue, gpt2 since December 2023; the MLflow image's input_data and params",
        "mlflow",
        DEDICATED,
        {"do_sample": True},
        b'{"input_data":["Say {hi}"],"params":{"do_sample":true}}',
    ),
    ("Azure ML's MLflow image: params may be absent", "mlflow", DEDICATED, {}, b'{"input_data":["Say {hi}"]}'),
    (
        "curated foundation-model image, text generation on /score",
        "openai",
        DEDICATED,
        {"top_p": 0.1},
        b'{"input_data":{"input_string":["Say {hi}"],"parameters":{"top_p":0.1}}}',
    ),
    (
        "LangChain's LlamaContentFormatter, its older name",
        "llama",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":["Say {hi}"],"parameters":{}}}',
    ),
    (
        "Azure AI Model Inference API, completions",
        "openai",
        HUB + "/completions",
        {"max_tokens": 8, "seed": 42},
        b'{"prompt":"Say {hi}","max_tokens":8,"seed":42}',
    ),
    (
        "Azure ML documentation, Llama's own /v1/completions",
        "openai",
        HUB + "/v1/completions",
        {"max_tokens": 8},
        b'{"prompt":"Say {hi}","max_tokens":8}',
    ),
    (
        "Hugging Face TGI, /generate",
        "tgi",
        "https://tgi.eastus.inference.ml.azure.com/generate",
        {"max_new_tokens": 5},
        b'{"inputs":"Say {hi}","parameters":{"max_new_tokens":5}}',
    ),
    (
        "prompt flow: the flow's inputs",
        "promptflow",
        DEDICATED,
        {"top_k": 3},
        b'{"question":"Say {hi}","chat_history":[],"top_k":3}',
    ),
]


def config(formatter: str, url: str = DEDICATED, **fields) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter=formatter, key=None, **fields)


def body(a_config: LLMConfig, prompt, *, stream: bool = False) -> bytes:
    return prepare(a_config, prompt, stream=stream).request.body


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_the_body_is_the_documented_one(source, name, url, kwargs, expected):
    assert body(config(name, url, model_kwargs=kwargs), "Say {hi}") == expected


@pytest.mark.parametrize("name", [n for n in wire.names() if n not in ("openai-chat", "mistral-chat")])
@pytest.mark.parametrize(
    "prompt", ['He said "hi"\nand {left}\\ \t', "Zwölf Boxkämpfer — 漢字 🫧", "", "\ud83d alone", "\x00\x1b[0m"]
)
def test_the_prompt_goes_out_as_it_was_written(name, prompt):
    url = "https://t.eastus.inference.ml.azure.com/generate" if name == "tgi" else DEDICATED
    sent = json.loads(body(config(name, url), prompt))
    found = [sent]
    while found and not isinstance(found[0], str):
        first = found.pop(0)
        found = [*(first.values() if isinstance(first, dict) else first), *found]
    assert found[0] == prompt


def test_text_beyond_ascii_travels_as_utf8_not_as_escapes():
    assert "Zwölf".encode() in body(config("gpt2"), "Zwölf")


def test_the_system_text_precedes_the_prompt_in_dialects_without_roles():
    assert json.loads(body(config("hf", system="Be brief."), "Hi")) == {"inputs": ["Be brief.\n\nHi"], "parameters": {}}


def test_turns_get_their_speakers_in_dialects_without_roles():
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": " now?"}]},
    ]
    sent = json.loads(body(config("gpt2", system="Be brief."), turns))
    assert sent["inputs"]["input_string"] == [
        "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: And now?\n\nAssistant:"
    ]


def test_an_image_in_a_text_dialect_is_refused_before_anything_is_sent():
    turns = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]
    with pytest.raises(PromptError, match="sends text only, and the prompt has a part of type 'image_url'") as caught:
        body(config("gpt2"), turns)
    assert "-f openai-chat" in str(caught.value)


# ---- OpenAI routes: model, stream, stream_options, extra-parameters


def headers(a_config: LLMConfig, *, stream: bool = False) -> dict[str, str]:
    return dict(prepare(a_config, "Hi", stream=stream).request.headers)


@pytest.mark.parametrize(
    ("url", "asks_for_usage"),
    [
        ("https://r.openai.azure.com/openai/deployments/d/completions?api-version=2024-10-21", True),
        ("https://r.services.ai.azure.com/openai/v1/completions", True),
        ("https://n.eastus.inference.ml.azure.com/v1/completions", True),
        (HUB + "/v1/completions", True),
        (HUB + "/completions", False),
        ("https://r.services.ai.azure.com/models/completions", False),
    ],
)
def test_stream_options_go_only_where_they_are_known(url, asks_for_usage):
    request = prepare(config("openai", url, model="m"), "Hi", stream=True).request
    sent = json.loads(request.body)
    assert sent["stream"] is True
    assert ("stream_options" in sent) is asks_for_usage
    if asks_for_usage:
        assert sent["stream_options"] == {"include_usage": True}
        assert request.fallback is not None
        assert "stream_options" not in json.loads(request.fallback)
    else:
        assert request.fallback is None


def test_a_persons_own_stream_options_are_kept():
    with_own = config("openai", HUB + "/v1/completions", model_kwargs={"stream_options": {"include_usage": False}})
    request = prepare(with_own, "Hi", stream=True).request
    assert json.loads(request.body)["stream_options"] == {"include_usage": False}
    assert request.fallback is None


@pytest.mark.parametrize("name", ["openai", "openai-chat"])
def test_a_whole_answer_is_never_asked_for_as_a_stream(name):
    route = "/v1/completions" if name == "openai" else "/v1/chat/completions"
    asked = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 4}
    sent = json.loads(body(config(name, HUB + route, model_kwargs=asked), "Hi"))
    assert "stream" not in sent
    assert "stream_options" not in sent
    assert sent["max_tokens"] == 4


@pytest.mark.parametrize("url", [HUB + "/completions", "https://r.services.ai.azure.com/models/completions"])
def test_kwargs_that_the_inference_api_does_not_know_are_passed_through(url):
    unknown = config("openai", url, model="m", model_kwargs={"top_k": 3})
    assert headers(unknown)["extra-parameters"] == "pass-through"
    known = config("openai", url, model="m", model_kwargs={"top_p": 0.3, "stop": ["\n"], "seed": 1})
    assert "extra-parameters" not in headers(known)


@pytest.mark.parametrize("choice", ["error", "drop", "pass-through"])
def test_a_person_may_choose_what_becomes_of_extra_parameters(choice):
    chosen = config("openai", HUB + "/completions", model_kwargs={"top_k": 3}, extra_parameters=choice)
    assert headers(chosen)["extra-parameters"] == choice


@pytest.mark.parametrize(
    "url",
    [HUB + "/v1/completions", "https://r.openai.azure.com/openai/deployments/d/completions", DEDICATED],
)
def test_other_routes_are_not_bothered_with_extra_parameters(url):
    assert "extra-parameters" not in headers(config("openai", url, model_kwargs={"top_k": 3}))


@pytest.mark.parametrize("url", ["https://r.services.ai.azure.com/models", "https://r.services.ai.azure.com/openai/v1"])
def test_the_model_is_required_where_the_url_does_not_name_it(url):
    with pytest.raises(ConfigError, match="serves several models and the request names none") as caught:
        body(config("openai-chat", url), "Hi")
    assert "--deployment" in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [{"model": "mistral-large"}, {"deployment_name": "mistral-large"}, {"model_kwargs": {"model": "mistral-large"}}],
)
def test_the_model_may_be_given_three_ways(fields):
    named = config("openai-chat", "https://r.services.ai.azure.com/models", **fields)
    request = prepare(named, "Hi").request
    assert json.loads(request.body)["model"] == "mistral-large"
    assert "azureml-model-deployment" not in request.headers


def test_on_a_dedicated_endpoint_the_deployment_is_a_header_and_no_model():
    request = prepare(config("openai", deployment_name="blue"), "Hi").request
    assert request.headers["azureml-model-deployment"] == "blue"
    assert b"model" not in request.body


# ---- TGI and prompt flow


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_tgi_streams_on_its_other_route(path):
    url = "https://t.eastus.inference.ml.azure.com" + path + "?a=1"
    base = "https://t.eastus.inference.ml.azure.com/generate"
    assert prepare(config("tgi", url), "Hi").request.url == base + "?a=1"
    assert prepare(config("tgi", url), "Hi", stream=True).request.url == base + "_stream?a=1"


def test_prompt_flow_gets_the_turns_as_its_chat_history_and_is_asked_to_stream_by_header():
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    request = prepare(config("promptflow"), turns, stream=True).request
    assert json.loads(request.body) == {
        "question": "Be brief.\n\nTwo?",
        "chat_history": [{"inputs": {"question": "One?"}, "outputs": {"answer": "1"}}],
    }
    assert request.headers["Accept"] == "text/event-stream"
    assert prepare(config("promptflow"), turns).request.headers["Accept"] == "application/json"


# ---- what cannot be sent


@pytest.mark.parametrize(
    ("formatter", "url", "said"),
    [
        ("gpt2", HUB + "/completions", "speaks to dedicated endpoints, and this one is serverless"),
        ("hf", "https://n.eastus.inference.ml.azure.com/v1/completions", "speaks to dedicated endpoints"),
        ("openai", HUB + "/chat/completions", "does not speak on /chat/completions"),
        ("openai-chat", HUB + "/v1/completions", "does not speak on /completions"),
    ],
)
def test_a_dialect_that_cannot_be_spoken_there_is_refused_with_the_way_out(formatter, url, said):
    with pytest.raises(ConfigError, match=said) as caught:
        body(config(formatter, url), "Hi")
    assert "-f" in str(caught.value)


def test_a_route_that_nobody_knows_is_anybodys():
    odd = "https://api.example.org/llm/v7/ask"
    assert prepare(config("gpt2", odd), "Hi").request.url == odd


@pytest.mark.parametrize(
    "prompt", [None, 7, b"bytes", [], ["text"], [{"content": "no role"}], [None], {"role": "user"}]
)
def test_what_is_no_prompt_is_a_prompt_error(prompt):
    with pytest.raises(PromptError) as caught:
        body(config("gpt2"), prompt)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [7, {"type": "text", "text": "no list around it"}, [7], [{"type": 7}], [{}]])
def test_content_that_is_no_text_is_a_prompt_error(content):
    with pytest.raises(PromptError):
        body(config("gpt2"), [{"role": "user", "content": content}])


@pytest.mark.parametrize("name", ["gpt2", "promptflow", "mistral-chat", "openai"])
def test_turns_without_content_do_not_break_any_dialect(name):
    turns = [
        {"role": "system"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": []},
        {"role": "assistant"},
        {"role": "user", "content": None},
    ]
    assert body(config(name), turns)
