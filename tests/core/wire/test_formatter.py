"""Formatters on endpoints: which wire format they choose, what all of them send, and what they refuse."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, PromptError
from azml_magics.core.wire.input_data import InputDataChatWire, InputDataCompletionWire
from azml_magics.core.wire.mistral import MistralChatWire, MistralInputDataWire
from azml_magics.core.wire.openai_chat import OpenAIChatWire
from azml_magics.core.wire.openai_completions import OpenAICompletionsWire

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"
HUB = "https://hr.eastus2.models.ai.azure.com"
MANAGED = "https://n.eastus.inference.ml.azure.com"


def config(formatter: str, url: str = DEDICATED, **fields) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter=formatter, key=None, **fields)


def body(a_config: LLMConfig, prompt, *, stream: bool = False) -> bytes:
    return prepare(a_config, prompt, stream=stream).request.body


@pytest.mark.parametrize(
    ("name", "url", "api_type", "kind"),
    [
        ("openai", DEDICATED, "", InputDataCompletionWire),
        ("openai", MANAGED, "", InputDataCompletionWire),
        ("openai", MANAGED + "/v1/completions", "", OpenAICompletionsWire),
        ("openai", HUB, "", OpenAICompletionsWire),
        ("openai", DEDICATED, "serverless", OpenAICompletionsWire),
        ("llama-chat", DEDICATED, "", InputDataChatWire),
        ("openai-chat", HUB + "/chat/completions", "", OpenAIChatWire),
        ("openai-chat", MANAGED + "/v1/chat/completions", "dedicated", OpenAIChatWire),
        ("openai-chat", "https://k8s.example.com/any/path", "dedicated", InputDataChatWire),
        ("openai-chat", "https://k8s.example.com/any/path", "serverless", OpenAIChatWire),
        ("mistral-chat", DEDICATED, "", MistralInputDataWire),
        ("mistral-chat", HUB, "", MistralChatWire),
    ],
)
def test_endpoint_type_and_route_choose_the_wire_format(name, url, api_type, kind):
    assert type(wire.wire_for(LLMConfig(endpoint_url=url, endpoint_api_type=api_type, formatter=name))) is kind


@pytest.mark.parametrize(
    ("name", "path", "sent_to"),
    [
        ("openai-responses", "/openai/v1/chat/completions", "/openai/v1/responses"),
        ("openai-responses", "/gateway/v1/Chat/Completions/?a=b", "/gateway/v1/responses?a=b"),
        ("openai-chat", "/openai/v1/responses", "/openai/v1/chat/completions"),
    ],
)
def test_named_formatter_takes_the_route_beside_the_urls(name, path, sent_to):
    asked = config(name, "https://r.services.ai.azure.com" + path, model="m")
    assert prepare(asked, "Hi").request.url == "https://r.services.ai.azure.com" + sent_to
    assert wire.notices_for(asked)[0].startswith(
        f"The request goes to /{sent_to.partition('/v1/')[2].partition('?')[0]}"
    )


def test_route_without_v1_has_no_neighbour():
    with pytest.raises(ConfigError, match="cannot be used on /chat/completions"):
        wire.wire_for(config("openai-responses", "https://r.openai.azure.com/openai/deployments/d/chat/completions"))


@pytest.mark.parametrize("name", wire.names())
def test_wire_formats_of_a_formatter_agree(name):
    formatter = wire.get(name)
    assert {each.chat for each in formatter.wires} == {formatter.chat}
    names = [kwarg.name for kwarg in formatter.known_kwargs]
    assert len(names) == len(set(names))
    assert set(names) == {kwarg.name for each in formatter.wires for kwarg in each.known_kwargs}


def test_kwargs_are_those_of_the_route():
    def names(url):
        return {kwarg.name for kwarg in wire.get("openai-chat").kwargs_for(LLMConfig(endpoint_url=url))}

    reasoning = {"max_completion_tokens", "reasoning_effort", "verbosity"}
    assert reasoning <= names(HUB)
    assert not reasoning & names(DEDICATED)
    assert reasoning <= names("https://tgi.eastus.inference.ml.azure.com/generate")


@pytest.mark.parametrize("name", [n for n in wire.names() if not wire.get(n).chat or n == "promptflow"])
@pytest.mark.parametrize(
    "prompt", ['He message "hi"\nand {left}\\ \t', "Zwölf Boxkämpfer — 漢字 🫧", "", "\ud83d alone", "\x00\x1b[0m"]
)
def test_prompt_is_sent_as_written(name, prompt):
    url = "https://t.eastus.inference.ml.azure.com/generate" if name == "tgi" else DEDICATED
    sent = json.loads(body(config(name, url), prompt))
    found = [sent]
    while found and not isinstance(found[0], str):
        first = found.pop(0)
        found = [*(first.values() if isinstance(first, dict) else first), *found]
    assert found[0] == prompt


def test_text_beyond_ascii_is_sent_as_utf8():
    assert "Zwölf".encode() in body(config("gpt2"), "Zwölf")


def test_system_text_precedes_prompt_without_roles():
    assert json.loads(body(config("hf", system="Be brief."), "Hi")) == {"inputs": ["Be brief.\n\nHi"], "parameters": {}}


def test_conversation_names_speakers_without_roles():
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": " now?"}]},
    ]
    sent = json.loads(body(config("gpt2", system="Be brief."), turns))
    assert sent["inputs"]["input_string"] == [
        "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: And now?\n\nAssistant:"
    ]


def test_image_in_text_format_is_a_prompt_error():
    turns = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]
    with pytest.raises(PromptError, match="sends text only, and the prompt has a part of type 'image_url'") as caught:
        body(config("gpt2"), turns)
    assert "formatter openai-chat" in str(caught.value)


@pytest.mark.parametrize(
    ("formatter", "url", "message"),
    [
        ("gpt2", HUB + "/completions", "works with dedicated endpoints, and this one is serverless"),
        ("hf", "https://n.eastus.inference.ml.azure.com/v1/completions", "works with dedicated endpoints"),
        ("openai", HUB + "/chat/completions", "cannot be used on /chat/completions"),
        ("openai-chat", HUB + "/v1/completions", "cannot be used on /completions"),
    ],
)
def test_formatter_that_does_not_fit_endpoint_is_refused(formatter, url, message):
    with pytest.raises(ConfigError, match=message) as caught:
        body(config(formatter, url), "Hi")
    assert "another formatter" in str(caught.value)


def test_unknown_path_fits_every_formatter():
    odd = "https://api.example.org/llm/v7/ask"
    assert prepare(config("gpt2", odd), "Hi").request.url == odd


@pytest.mark.parametrize(
    "prompt", [None, 7, b"bytes", [], ["text"], [{"content": "no role"}], [None], {"role": "user"}]
)
def test_other_types_are_prompt_errors(prompt):
    with pytest.raises(PromptError) as caught:
        body(config("gpt2"), prompt)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [7, {"type": "text", "text": "no list around it"}, [7], [{"type": 7}], [{}]])
def test_content_of_other_type_is_a_prompt_error(content):
    with pytest.raises(PromptError):
        body(config("gpt2"), [{"role": "user", "content": content}])


@pytest.mark.parametrize("name", ["gpt2", "promptflow", "mistral-chat", "openai"])
def test_messages_without_content_are_sent(name):
    turns = [
        {"role": "system"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": []},
        {"role": "assistant"},
        {"role": "user", "content": None},
    ]
    assert body(config(name), turns)
