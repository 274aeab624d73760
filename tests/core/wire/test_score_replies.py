"""Replies of /score: each format reads its own places, and takes nothing else for the answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ContentFilterError, ModelError, ResponseFormatError
from azml_magics.core.wire import Call

from ..judge import only_our_errors
from .json_strategies import CHAT_CHOICES, CHOICES, JSON, TGI

CHAT = {"choices": [{"message": {"role": "assistant", "content": "t"}, "finish_reason": "stop"}]}
# What each format reads in its own documented replies
READS = {
    "gpt2": [["t"], [{"0": "t"}], [{"0": "t"}, {"0": "u"}], [{"0": "t", "1": "u"}], {"0": "t"}],
    "dolly": [["t"], [{"0": "t"}], {"0": "t"}],
    "hf": [
        [{"generated_text": "t"}],
        [[{"generated_text": "t"}]],
        {"generated_text": "t"},
        [{"0": {"generated_text": "t"}}],
        [{"summary_text": "t"}],
        [{"translation_text": "t"}],
        {"answer": "t", "score": 0.98, "start": 11, "end": 15},
    ],
    "mlflow": [["t"], {"predictions": ["t"]}, {"predictions": [{"0": "t"}]}, [{"0": "t"}], [{"my_column": "t"}]],
    "tgi": [{"generated_text": "t"}, [{"generated_text": "t"}]],
    "openai": [[{"0": "t"}], [{"0": "t", "1": "u"}], {"output": ["t"], "finish_reason": "stop"}, {"output": "t"}],
    "openai-chat": [{"output": "t"}, {"output": "t", "message": {"role": "assistant", "content": "t"}}],
    "promptflow": [{"answer": "t"}, {"answer": "t", "context": ["u"]}, {"summary": "t"}],
}
# What each format must not take for an answer, though other formats do
IGNORES = {
    "gpt2": [[{"generated_text": "t"}], {"output": "t"}, CHAT, {"predictions": ["t"]}, {"reply": "t"}],
    "dolly": [[{"generated_text": "t"}], {"output": "t"}, CHAT],
    "hf": [{"output": "t"}, CHAT, {"predictions": ["t"]}, [{"label": "t", "score": 1}]],
    "mlflow": [CHAT, [{"a": "t", "b": "u"}]],
    "tgi": [{"output": "t"}, {"choices": [{"text": "t"}]}, {"answer": "t"}],
    "openai": [CHAT, {"generated_text": "t"}, {"answer": "t"}, {"prompt": "t"}],
    "openai-chat": [CHAT, {"generated_text": "t"}, {"message": {"role": "assistant", "content": "t"}}],
    "promptflow": [{"context": "t", "source": "u"}, {"context": ["t"]}, CHAT],
}


def decode(name: str, body: bytes, prompt: str = "Hi", **kwargs):
    config = LLMConfig(formatter=name, model_kwargs=kwargs)
    return wire.get(name).wires[0].decode(body, Call(config, [{"role": "user", "content": prompt}]))


def read(name: str, value: object, prompt: str = "Hi", **kwargs):
    return decode(name, json.dumps(value).encode(), prompt, **kwargs)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in READS.items() for value in values])
def test_text_at_the_places_of_the_format_is_read(name, value):
    assert read(name, value).text == "t"
    assert read(name, json.dumps(value)).text == "t", "JSON inside JSON"
    assert decode(name, b"\xef\xbb\xbf \n" + json.dumps(value).encode() + b"\n").text == "t"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in IGNORES.items() for value in values])
def test_text_at_places_of_other_formats_is_not_the_answer(name, value):
    with pytest.raises(ResponseFormatError):
        read(name, value)


def test_text_that_looks_like_json_stays_text():
    assert read("gpt2", [{"0": '{"a": 1}'}]).text == '{"a": 1}'


def test_raw_is_the_decoded_response():
    assert read("gpt2", [{"0": "t"}]).raw == [{"0": "t"}]


def test_control_characters_in_strings_are_read():
    assert decode("gpt2", b'[{"0": "a\nb\tc"}]').text == "a\nb\tc"


def test_bytes_that_are_not_utf8_are_noticed():
    response = decode("gpt2", b'[{"0": "caf\xe9"}]')
    assert response.text == "caf\ufffd"
    assert response.notices == ("Some bytes of the response are not UTF-8: they show as \ufffd.",)


# ---- failures behind a 200

HIDDEN = [
    ("curated image: failed or blocked", {}, ModelError, "its content-safety filter blocked the request"),
    ("the same, encoded twice", "{}", ModelError, "returned status 200 with {}"),
    ("null", None, ModelError, "returned status 200 with null"),
    ("a list of null", [None], ModelError, "returned status 200 with [null]"),
    (
        "foundation-model-serve: vLLM's error",
        {"output": None, "error": {"status_code": 400, "body": "context is 4096"}},
        ModelError,
        "context is 4096",
    ),
    ("curated image, too long a prompt", {"output": "None"}, ModelError, "how its model server reports a failure"),
    ("null as a text", {"output": "null"}, ModelError, "how its model server reports a failure"),
    ("no output at all", {"output": None}, ModelError, "returned no output"),
    (
        "older curated image: a JSON text",
        json.dumps({"error": "Error in processing request", "exception": "CUDA out of memory"}),
        ModelError,
        "Error in processing request: CUDA out of memory",
    ),
    ("TGI", {"error": "Input validation error", "error_type": "validation"}, ModelError, "Input validation error"),
    ("vLLM of old", {"object": "error", "message": "too long", "code": 400}, ModelError, "too long"),
    ("FastAPI", {"detail": "Not Found"}, ModelError, "Not Found"),
    ("message and code", {"code": 500, "message": "CUDA out of memory"}, ModelError, "CUDA out of memory"),
    ("output flagged: the text withheld", {"output": ""}, ModelError, "the content-safety filter withheld it"),
    ("nothing, with a finish reason", {"output": "", "finish_reason": "stop"}, ModelError, "an empty text"),
    ("withheld, in a list", [""], ModelError, "an empty text"),
    (
        "content filter, curated image",
        {"output": "x", "finish_reason": "content_filter"},
        ContentFilterError,
        "stopped",
    ),
    (
        "content filter as an error inside",
        {"error": {"code": "content_filter", "message": "The response was filtered"}},
        ContentFilterError,
        "The response was filtered",
    ),
    (
        "content filter, top level",
        {"status": 400, "code": "content_filter", "message": "The response was filtered"},
        ContentFilterError,
        "The response was filtered",
    ),
    ("numbers", [11633.1, 8522.1], ResponseFormatError, "has no text that this formatter can find"),
    ("labels", [{"label": "POSITIVE", "score": 0.99}], ResponseFormatError, "has no text"),
    ("a list of nothing", [], ResponseFormatError, "has no text that this formatter can find: []"),
    ("a message is not a text", {"message": "Method not allowed"}, ResponseFormatError, "has no text"),
]


@pytest.mark.parametrize("name", ["openai", "openai-chat"])
@pytest.mark.parametrize(("source", "value", "kind", "message"), HIDDEN, ids=[hidden[0] for hidden in HIDDEN])
def test_failure_inside_200_is_raised(name, source, value, kind, message):
    with pytest.raises(AzmlError) as caught:
        read(name, value)
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_status_inside_body_is_kept():
    with pytest.raises(ModelError) as caught:
        read("openai", {"output": None, "error": {"status_code": 400, "body": "x"}})
    assert (caught.value.status, caught.value.inner_status) == (200, 400)


# ---- prompts in front of the text, and thoughts in it

GENERATED = {
    "gpt2": lambda text: [{"0": text}],
    "dolly": lambda text: [{"0": text}],
    "hf": lambda text: [{"generated_text": text}],
    "hf-plain": lambda text: [{"generated_text": text}],
    "mlflow": lambda text: [text],
    "openai": lambda text: [{"0": text}],
}


@pytest.mark.parametrize("name", GENERATED)
def test_prompt_repeated_in_front_is_dropped(name):
    reply = GENERATED[name]("Once upon a time there was a fox.")
    assert read(name, reply, "Once upon a time").text == " there was a fox."
    assert read(name, reply, "Once upon a time\n").text == " there was a fox."
    kept = read(name, reply, "Once upon a time", return_full_text=True)
    assert kept.text == "Once upon a time there was a fox."


def test_beginning_of_a_word_is_not_a_repeated_prompt():
    assert read("hf", [{"generated_text": "Hire them"}], "Hi").text == "Hire them"


def test_prompt_alone_is_kept_with_a_notice():
    response = read("hf", [{"generated_text": "Once upon a time"}], "Once upon a time")
    assert response.text == "Once upon a time"
    assert response.notices == ("The response repeats the prompt and adds nothing.",)


@pytest.mark.parametrize("name", [*GENERATED, "openai-chat", "tgi"])
def test_thoughts_are_not_in_the_text(name):
    shape = GENERATED.get(name, lambda text: {"output": text} if name == "openai-chat" else {"generated_text": text})
    response = read(name, shape("<think>Hm.</think>\n\nFour."))
    assert (response.text, response.reasoning) == ("Four.", "Hm.")


def test_answer_cut_off_within_thoughts_is_noticed():
    value = {
        "output": None,
        "message": {"role": "assistant", "content": None, "reasoning": "Hm, and"},
        "finish_reason": "length",
        "usage": {"prompt_tokens": 9, "completion_tokens": 64, "total_tokens": 73},
        "reasoning_content": "Hm, and",
    }
    response = read("openai-chat", value, max_new_tokens=64)
    assert (response.text, response.reasoning, response.finish_reason) == ("", "Hm, and", "length")
    assert response.notices == ("The answer is empty: all 64 tokens went into reasoning. Raise max_new_tokens.",)


# ---- anything


@pytest.mark.parametrize("depth", [5, 40, 500, 900, 980, 990])
def test_deep_nesting_is_a_response_format_error(depth):
    with pytest.raises(ResponseFormatError):
        decode("gpt2", b"[" * depth + b"1" + b"]" * depth)


@given(st.sampled_from([*READS]), JSON | CHOICES | CHAT_CHOICES | TGI)
def test_any_json_gives_response_or_own_error(name, value):
    with only_our_errors():
        response = read(name, value)
        assert isinstance(response.text, str)
        assert response.finish_reason is None or isinstance(response.finish_reason, str)
        assert isinstance(response.reasoning, str)
        assert isinstance(response.model, str)
        assert all(isinstance(call, dict) for call in response.tool_calls)
