"""The text formatters: bytes that go out, generations that come back."""

from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.outputs import Generation

from azml_magics import errors, langchain
from azml_magics.langchain import AzureMLEndpointApiType

DEDICATED, SERVERLESS = AzureMLEndpointApiType.dedicated, AzureMLEndpointApiType.serverless
KWARGS = {"temperature": 0.5}
BODIES = {
    langchain.GPT2ContentFormatter: {"inputs": {"input_string": ["Hi"]}, "parameters": KWARGS},
    langchain.DollyContentFormatter: {"input_data": {"input_string": ["Hi"]}, "parameters": KWARGS},
    langchain.HFContentFormatter: {"inputs": ["Hi"], "parameters": KWARGS},
    langchain.CustomOpenAIContentFormatter: {"input_data": {"input_string": ["Hi"], "parameters": KWARGS}},
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("api_type", [DEDICATED, AzureMLEndpointApiType.realtime, "dedicated"])
def test_request_of_each_wire_format(kind, api_type):
    body = kind().format_request_payload("Hi", KWARGS, api_type)
    assert isinstance(body, bytes)
    assert json.loads(body) == BODIES[kind]


def test_api_type_is_optional():
    assert b"input_string" in langchain.GPT2ContentFormatter().format_request_payload("Hi", {})


def test_serverless_completion_has_openai_form():
    formatter = langchain.CustomOpenAIContentFormatter()
    assert json.loads(formatter.format_request_payload("Hi", KWARGS, SERVERLESS)) == {"prompt": "Hi", **KWARGS}
    reply = {"choices": [{"text": " there", "finish_reason": "stop", "logprobs": None}]}
    made = formatter.format_response_payload(json.dumps(reply).encode(), SERVERLESS)
    assert made == Generation(text=" there", generation_info={"finish_reason": "stop", "logprobs": None})


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("reply", [["t"], [{"0": "t"}]])
def test_each_wire_format_reads_texts_and_records_of_one_column(kind, reply):
    assert kind().format_response_payload(json.dumps(reply).encode(), DEDICATED) == Generation(text="t")


@pytest.mark.parametrize("reply", [[{"0": {"generated_text": "t"}}], [{"generated_text": "t"}]])
def test_generated_text_is_read_by_the_hugging_face_formatter(reply):
    body = json.dumps(reply).encode()
    assert langchain.HFContentFormatter().format_response_payload(body, DEDICATED) == Generation(text="t")
    with pytest.raises(errors.ResponseFormatError):
        langchain.GPT2ContentFormatter().format_response_payload(json.dumps([{"generated_text": "t"}]).encode())


@given(st.text(max_size=60))
def test_prompt_is_sent_exactly_as_written(prompt):
    for kind in BODIES:
        body = json.loads(kind().format_request_payload(prompt, {}, DEDICATED))
        assert prompt in (body.get("input_data") or body)["input_string" if "input_data" in body else "inputs"] or (
            body["inputs"]["input_string"] == [prompt]
        )


@pytest.mark.parametrize("kind", BODIES)
def test_supported_api_types(kind):
    supported = kind().supported_api_types
    assert DEDICATED in supported
    assert (SERVERLESS in supported) == (kind is langchain.CustomOpenAIContentFormatter)


def test_unsupported_endpoint_type_is_refused():
    with pytest.raises(errors.ConfigError, match="works with dedicated endpoints"):
        langchain.GPT2ContentFormatter().format_request_payload("Hi", {}, SERVERLESS)


@pytest.mark.parametrize("reply", [b"{}", b"", b"<html>", b'[{"label": "X", "score": 1}]', b'{"error": "no"}'])
def test_unreadable_response_raises_one_line_error(reply):
    with pytest.raises(errors.AzmlError) as caught:
        langchain.HFContentFormatter().format_response_payload(reply, DEDICATED)
    assert "\n" not in str(caught.value)


def test_response_may_be_str():
    assert langchain.DollyContentFormatter().format_response_payload('["t"]', DEDICATED).text == "t"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (langchain.OSSContentFormatter, langchain.GPT2ContentFormatter),
        (langchain.LlamaContentFormatter, langchain.CustomOpenAIContentFormatter),
        (langchain.LlamaChatContentFormatter, langchain.CustomOpenAIChatContentFormatter),
    ],
)
def test_deprecated_names_work_and_warn(old, new):
    with pytest.warns(DeprecationWarning, match=f"{old.__name__} is warn_deprecated: use {new.__name__}") as caught:
        formatter = old()
    assert caught[0].filename == __file__
    assert isinstance(formatter, new)
    assert formatter.wire_name == new.wire_name


def test_mistral_formatter_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        langchain.MistralChatContentFormatter()


def test_base_has_the_attributes_of_the_original():
    base = langchain.ContentFormatterBase()
    assert (base.content_type, base.accepts) == ("application/json", "application/json")
    assert base.supported_api_types == [DEDICATED]
    assert "dedicated" in base.format_error_msg.format(api_type="dedicated")
    with pytest.raises(NotImplementedError, match="format_request_payload"):
        base.format_request_payload("Hi", {})
    with pytest.raises(NotImplementedError, match="format_response_payload"):
        base.format_response_payload(b"")


@given(st.text())
def test_escape_special_characters_matches_json(text):
    escaped = langchain.ContentFormatterBase.escape_special_characters(text)
    assert json.loads(f'"{escaped}"', strict=False) == text
