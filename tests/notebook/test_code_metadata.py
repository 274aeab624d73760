"""What an answer's metadata says of its call: the very request without its key, and programs that make the same one."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import codegen, session
from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.notebook.code_metadata import MAX_TEXT, _insert_texts, call_metadata

LONG = "Rivers carry water from the hills to the sea, day and night. " * 3
CHAT = "https://x.inference.ml.azure.com/v1/chat/completions"
SCORE = "https://x.inference.ml.azure.com/score"


def kept(config, *turns, **of_response):
    """What is kept of a call of `config` with these messages."""
    session.reset()
    response = Response("An answer", **of_response)
    session.current().record(config, list(turns), response)
    return call_metadata(response)


def user(content):
    return {"role": "user", "content": content}


def strings_in(program):
    return sorted(str(node.value) for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant))


def test_request_is_as_sent_with_masked_key():
    call = kept(
        LLMConfig(endpoint_url=CHAT, model_kwargs={"temperature": 0}, key=Secret("literal-5up3r-s3cr3t")), user("Hello")
    )
    assert call["url"] == CHAT
    assert call["headers"]["Authorization"] == "Bearer **********  (in memory)"
    assert call["body"]["messages"] == [user("Hello")]
    assert call["body"]["temperature"] == 0
    assert "5up3r" not in json.dumps(call)


def test_keys_of_further_headers_are_masked():
    headers = {"Apim": "env:APIM_KEY", "X-Token": "literal-5up3r-s3cr3t", "X-Team": "nlp"}
    call = kept(LLMConfig(endpoint_url=CHAT, headers=headers, key_header="X-Key"), user("Hello"))
    assert {name: call["headers"][name] for name in ("X-Key", "Apim", "X-Token", "X-Team")} == {
        "X-Key": "**********  (env:AZUREML_ENDPOINT_API_KEY)",
        "Apim": "**********  (env:APIM_KEY)",
        "X-Token": "**********  (in memory)",
        "X-Team": "nlp",
    }
    assert "5up3r" not in json.dumps(call)


def test_stream_flag_is_as_sent():
    assert kept(LLMConfig(endpoint_url=CHAT), user("Hello"))["body"]["stream"] is True
    assert "stream" not in kept(LLMConfig(endpoint_url=CHAT), user("Hello"), raw={})["body"]


def test_long_prompt_is_stored_once():
    call = kept(LLMConfig(endpoint_url=CHAT), {"role": "system", "content": "Be brief."}, user(LONG))
    assert call["texts"] == [LONG]
    assert json.dumps(call).count("Rivers carry") == LONG.count("Rivers carry")
    assert call["body"]["messages"][0]["content"] == "Be brief."


@pytest.mark.parametrize("name", wire.names())
@pytest.mark.parametrize(
    "prompt", ["Hello", LONG, 'It\'s "so" \\n\n' + LONG, f"<<azml-text:0>> {LONG}", "<<azml-text:3>>"]
)
def test_inserted_texts_give_the_request_of_every_formatter(name, prompt):
    route = wire.get(name).routes[0]
    url = SCORE if route == "score" else f"https://x.inference.ml.azure.com/v1/{route}"
    config = LLMConfig(endpoint_url=url, formatter=name)
    turns = [{"role": "system", "content": LONG.upper()}, user(prompt)]
    call = kept(config, *turns, raw={})
    assert _insert_texts(call["body"], call["texts"]) == json.loads(prepare(config, turns, with_key=False).request.body)


@pytest.mark.parametrize("language", ["langchain", "python"])
@pytest.mark.parametrize("name", ["openai-chat", "gpt2"])
def test_inserted_texts_give_the_program_of_code(language, name):
    config, turns = (
        LLMConfig(endpoint_url=SCORE, formatter=name),
        [{"role": "system", "content": LONG.upper()}, user(LONG)],
    )
    call = kept(config, *turns)
    filled = sorted(_insert_texts(value, call["texts"]) for value in strings_in(call["code"][language]))
    assert filled == strings_in(codegen.write_program(config, turns, language))


@pytest.mark.parametrize(
    ("url", "sdks"),
    [
        (SCORE, set()),
        (CHAT, {"openai"}),
        ("https://r.services.ai.azure.com/openai/v1/responses", {"openai"}),
        ("https://r.services.ai.azure.com/anthropic/v1/messages", {"anthropic"}),
    ],
)
def test_code_has_the_sdk_that_speaks_the_format(url, sdks):
    formatter = "mlflow" if url == SCORE else ""
    code = kept(LLMConfig(endpoint_url=url, formatter=formatter, model="m"), user("Hello"))["code"]
    assert set(code) == {"langchain", "python", "curl", *sdks}


def test_very_long_prompt_is_shortened_without_programs():
    call = kept(LLMConfig(endpoint_url=CHAT), user("x" * 1_000_000))
    assert call["texts"] == ["x" * MAX_TEXT + "… (992,000 characters left out)"]
    assert call["shortened"] is True
    assert "code" not in call


def test_image_is_shortened():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 500_000}}
    call = kept(LLMConfig(endpoint_url=CHAT), user([{"type": "text", "text": "What is it?"}, picture]))
    assert len(json.dumps(call)) < 2 * MAX_TEXT
    assert call["body"]["messages"][0]["content"][0]["text"] == "What is it?"


def test_very_long_conversation_is_not_stored():
    assert kept(LLMConfig(endpoint_url=CHAT), *(user("Short, but there are many.") for _ in range(2000))) is None


def test_response_of_another_session_has_no_call():
    assert call_metadata(Response("x")) is None
    assert kept(LLMConfig(name="$chain", endpoint_url=CHAT), user("Hello")) is None
    assert kept(LLMConfig(), user("Hello")) is None


def test_custom_formatter_is_not_run_again():
    class Mine:
        runs = 0

        def format_request_payload(self, prompt, model_kwargs):
            Mine.runs += 1
            return {"input_data": [prompt]}

        def format_response_payload(self, output):
            return output.decode()

    assert kept(LLMConfig(endpoint_url=SCORE, formatter=Mine()), user("Hello")) is None
    assert Mine.runs == 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_prompt_can_be_stored_and_sent(system, prompt):
    if not prompt.strip():
        return
    config, turns = LLMConfig(endpoint_url=CHAT), [{"role": "system", "content": system}, user(prompt)]
    call = kept(config, *turns)
    if call is not None:
        json.dumps(call, ensure_ascii=False, allow_nan=False).encode()
        filled = [turn["content"] for turn in _insert_texts(call["body"], call["texts"])["messages"]]
        assert filled[-1] == prompt.encode("utf-8", "replace").decode()


def test_cell_output_has_the_call_in_metadata(asking):
    ran = asking.ok("%%azureml\n" + LONG)
    request = ran.metadata["azml"]["request"]
    assert request["texts"] == [LONG.strip()]
    assert set(request["code"]) == {"langchain", "python", "curl"}
