"""Every shape of answer, every failure hidden in a 200, and the pieces of every stream."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import AzmlError, ContentFilterError, ModelError, ResponseFormatError
from azml_magics.core.response import Chunk, Usage
from azml_magics.core.wire import events, replies
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors

SHAPES = [
    ("Azure ML catalogue, gpt2 of December 2023", ["t"]),
    ("Azure ML catalogue, gpt2 of June 2023", [{"0": "t"}]),
    ("gpt2, two prompts: the first one's", [{"0": "t"}, {"0": "u"}]),
    ("curated image, several prompts in one record", [{"0": "t", "1": "u"}]),
    ("LangChain's HFContentFormatter", [{"0": {"generated_text": "t"}}]),
    ("Hugging Face text generation", [{"generated_text": "t"}]),
    ("Hugging Face, one list more", [[{"generated_text": "t"}]]),
    ("TGI /generate", {"generated_text": "t"}),
    ("Hugging Face summarization", [{"summary_text": "t"}]),
    ("Hugging Face translation", [{"translation_text": "t"}]),
    ("Hugging Face question answering", {"answer": "t", "score": 0.98, "start": 11, "end": 15}),
    ("curated image, chat", {"output": "t"}),
    ("curated image of 2026, text", {"output": ["t"], "finish_reason": "stop"}),
    ("aml-benchmark", [{"output": "t"}]),
    ("custom scoring script", {"predictions": ["t"]}),
    ("custom scoring script, records", {"predictions": [{"generated_text": "t"}]}),
    ("a record of one column", {"0": "t"}),
    ("a record of a named column", [{"my_column": "t"}]),
    ("prompt flow", {"answer": "t"}),
    ("prompt flow, an output of its own name", {"reply": "t"}),
    ("a bare text", "t"),
    ("OpenAI completions", {"choices": [{"index": 0, "finish_reason": "stop", "text": "t"}]}),
    ("OpenAI chat", {"choices": [{"message": {"role": "assistant", "content": "t"}, "finish_reason": "stop"}]}),
    ("OpenAI chat, content in parts", {"choices": [{"message": {"content": [{"type": "text", "text": "t"}]}}]}),
    ("OpenAI chat, an error that is null", {"error": None, "choices": [{"message": {"content": "t"}}]}),
    ("a refusal", {"choices": [{"message": {"content": None, "refusal": "t"}, "finish_reason": "stop"}]}),
]


def read(value: object) -> replies.Reply:
    return replies.read(json.dumps(value).encode())


@pytest.mark.parametrize(("source", "value"), SHAPES, ids=[shape[0] for shape in SHAPES])
class TestEveryShape:
    def test_its_text_is_found(self, source, value):
        assert read(value).text == "t"

    def test_also_where_the_scoring_script_returned_json_dumps(self, source, value):
        if isinstance(value, str):  # quotes around a bare text may be the model's own
            assert read(json.dumps(value)).text == '"t"'
        else:
            assert read(json.dumps(value)).text == "t"

    def test_also_behind_a_byte_order_mark_and_white_space(self, source, value):
        assert replies.read(b"\xef\xbb\xbf \n" + json.dumps(value).encode() + b"\n").text == "t"


def test_the_decoded_reply_is_kept_as_raw():
    assert read([{"0": "t"}]).raw == [{"0": "t"}]


def test_an_answer_that_looks_like_json_stays_the_text_it_was():
    assert read([{"0": '{"a": 1}'}]).text == '{"a": 1}'
    assert read({"choices": [{"text": '["x"]'}]}).text == '["x"]'


def test_everything_that_a_chat_reply_says():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    reply = read(
        {
            "model": "phi",
            "choices": [
                {
                    "message": {"content": None, "tool_calls": [call], "reasoning_content": "hm"},
                    "finish_reason": "tool_calls",
                    "logprobs": {"content": []},
                }
            ],
            "usage": {"prompt_tokens": 19, "total_tokens": 91, "completion_tokens": 72},
        }
    )
    assert reply.text == ""
    assert reply.tool_calls == (call,)
    assert (reply.reasoning, reply.model, reply.finish_reason) == ("hm", "phi", "tool_calls")
    assert reply.usage == Usage(19, 72, 91)
    assert reply.logprobs == {"content": []}


def test_the_arguments_of_a_tool_call_are_text_even_where_a_server_sends_an_object():
    call = {"id": "c1", "function": {"name": "f", "arguments": {"city": "Oslo"}}}
    reply = read({"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    assert json.loads(reply.tool_calls[0]["function"]["arguments"]) == {"city": "Oslo"}


def test_vllm_calls_its_reasoning_reasoning():
    assert read({"choices": [{"message": {"content": "t", "reasoning": "hm"}}]}).reasoning == "hm"


def test_the_curated_image_of_2026_tells_usage_finish_and_reasoning():
    reply = read(
        {
            "output": "Hello!",
            "message": {"role": "assistant", "content": "Hello!"},
            "finish_reason": "length",
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
            "model": "m",
            "reasoning_content": "hm",
        }
    )
    assert (reply.text, reply.finish_reason, reply.usage) == ("Hello!", "length", Usage(9, 3, 12))
    assert (reply.model, reply.reasoning) == ("m", "hm")


def test_tgi_tells_how_many_tokens_it_made():
    reply = read({"generated_text": "t", "details": {"finish_reason": "length", "generated_tokens": 20}})
    assert (reply.finish_reason, reply.usage) == ("length", Usage(None, 20, None))


def test_an_empty_answer_counts_where_the_model_says_that_it_finished():
    assert read({"output": "", "finish_reason": "stop"}).text == ""
    assert read({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}).text == ""


# ---- failures behind a 200

HIDDEN = [
    ("curated image: failed or blocked", {}, ModelError, "its content-safety filter blocked the request"),
    ("the same, encoded twice", "{}", ModelError, "answered 200 with {}"),
    (
        "foundation-model-serve: vLLM's error",
        {"output": None, "error": {"status_code": 400, "body": "context is 4096"}},
        ModelError,
        "context is 4096",
    ),
    ("curated image, too long a prompt", {"output": "None"}, ModelError, "how its model server reports a failure"),
    ("no output at all", {"output": None}, ModelError, "without an output"),
    (
        "older curated image: a JSON text",
        json.dumps({"error": "Error in processing request", "exception": "CUDA out of memory"}),
        ModelError,
        "Error in processing request: CUDA out of memory",
    ),
    ("TGI", {"error": "Input validation error", "error_type": "validation"}, ModelError, "Input validation error"),
    ("vLLM of old", {"object": "error", "message": "too long", "code": 400}, ModelError, "too long"),
    ("output flagged: the text withheld", {"output": ""}, ModelError, "the content-safety filter withheld it"),
    ("withheld, in a list", [""], ModelError, "an empty text"),
    ("an empty choice", {"choices": [{"message": {"content": ""}}]}, ModelError, "an empty choice"),
    ("no choices", {"choices": []}, ResponseFormatError, "no choices"),
    ("choices that are none", {"choices": ["t"]}, ResponseFormatError, "no choices"),
    ("a choice without a message", {"choices": [{"index": 0}]}, ResponseFormatError, "neither a message nor a text"),
    (
        "content filter, Inference API",
        {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
        ContentFilterError,
        "content filter stopped the answer (finish reason content_filter)",
    ),
    (
        "content filter, Llama's own word",
        {"choices": [{"text": "", "finish_reason": "content_filter_error"}]},
        ContentFilterError,
        "content_filter_error",
    ),
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
    ("numbers", [11633.1, 8522.1], ResponseFormatError, "holds no text that this formatter can find"),
    ("labels", [{"label": "POSITIVE", "score": 0.99}], ResponseFormatError, "holds no text"),
    ("a list of nothing", [], ResponseFormatError, "holds no text that this formatter can find: []"),
    ("null", None, ResponseFormatError, "holds no text"),
    ("a message is no answer", {"message": "Method not allowed"}, ResponseFormatError, "holds no text"),
    ("a detail is no answer", {"detail": "Not Found"}, ResponseFormatError, "holds no text"),
]


@pytest.mark.parametrize(("source", "value", "kind", "said"), HIDDEN, ids=[hidden[0] for hidden in HIDDEN])
def test_a_failure_behind_a_200_is_raised_with_its_reason(source, value, kind, said):
    with pytest.raises(AzmlError) as caught:
        read(value)
    assert type(caught.value) is kind
    assert said in str(caught.value)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_the_status_inside_is_kept():
    with pytest.raises(ModelError) as caught:
        read({"output": None, "error": {"status_code": 400, "body": "x"}})
    assert (caught.value.status, caught.value.inner_status) == (200, 400)


def test_what_had_come_before_the_filter_struck_is_kept():
    partial = {"choices": [{"message": {"content": "Once upon"}, "finish_reason": "content_filter"}], "model": "m"}
    with pytest.raises(ContentFilterError) as caught:
        read(partial)
    assert caught.value.response.text == "Once upon"
    assert caught.value.response.finish_reason == "content_filter"


BODIES = [
    (b"", "empty body"),
    (b" \r\n ", "empty body"),
    (b"<html><title>Sign in</title></html>", "an HTML page"),
    (b"no healthy upstream", "not JSON"),
    (b'{"output": "half a rep', "not JSON"),
    (b'data: {"choices": []}\n\n', "not JSON"),
    (b"\xff\xfe\x00", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"1" * 10_000, "not JSON"),
]


@pytest.mark.parametrize(("body", "said"), BODIES, ids=[said + str(i) for i, (_, said) in enumerate(BODIES)])
def test_a_200_that_cannot_be_read_shows_how_it_begins(body, said):
    with pytest.raises(ResponseFormatError, match=said) as caught:
        replies.read(body)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_cut_off_reply_says_so():
    with pytest.raises(ResponseFormatError, match="cut off on its way: ask again"):
        replies.read(b'{"output": "half a rep')


@pytest.mark.parametrize("depth", [5, 40, 500, 900, 980, 990])
def test_nesting_without_end_is_no_answer_and_no_crash(depth):
    with pytest.raises(ResponseFormatError):
        replies.read(b"[" * depth + b"1" + b"]" * depth)


_KEYS = [
    "choices",
    "message",
    "content",
    "text",
    "delta",
    "error",
    "output",
    "finish_reason",
    "usage",
    "tool_calls",
    "function",
    "arguments",
    "index",
    "token",
    "details",
    "generated_text",
    "reasoning",
    "reasoning_content",
    "model",
    "object",
    "code",
    "0",
    "predictions",
    "answer",
    "logprobs",
    "prompt_tokens",
    "completion_tokens",
    "id",
    "exception",
    "body",
    "status_code",
    "refusal",
    "special",
    "generated_tokens",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CHOICES = st.fixed_dictionaries({"choices": st.lists(JSON, max_size=2)}, optional={"usage": JSON, "model": JSON})
CHAT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("content", "text", "tool_calls", "reasoning", "reasoning_content", "refusal", "function"), JSON
    ),
)
CHAT_CHOICES = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({}, optional={"message": CHAT, "delta": CHAT, "finish_reason": JSON}))},
    optional={"usage": JSON, "model": JSON, "id": JSON},
)
TGI = st.fixed_dictionaries({"token": JSON}, optional={"generated_text": JSON, "details": JSON})


def is_a_reply(reply: replies.Reply) -> None:
    assert isinstance(reply.text, str)
    assert reply.finish_reason is None or isinstance(reply.finish_reason, str)
    assert isinstance(reply.reasoning, str)
    assert isinstance(reply.model, str)
    assert all(isinstance(call, dict) for call in reply.tool_calls)


@given(JSON | CHOICES | CHAT_CHOICES | TGI)
def test_whatever_json_comes_only_our_own_errors_come_out(value):
    with only_our_errors():
        is_a_reply(read(value))


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_whatever_bytes_come_only_our_own_errors_come_out(body):
    with only_our_errors():
        is_a_reply(replies.read(body))


# ---- streams


def piece(value: object, kind: str = "message") -> Chunk | None:
    return events.read_event(Event(kind, value if isinstance(value, bytes) else json.dumps(value).encode()))


def test_the_pieces_of_a_chat_stream():
    assert piece({"id": "1", "model": "m", "choices": [{"delta": {"role": "assistant", "content": ""}}]}) == Chunk(
        model="m"
    )
    assert piece({"choices": [{"delta": {"content": "There"}, "finish_reason": None}]}) == Chunk("There")
    assert piece({"choices": [{"delta": {"content": None}, "finish_reason": "stop"}]}) == Chunk(finish_reason="stop")
    assert piece({"choices": [{"delta": {"reasoning_content": "hm"}}]}) == Chunk(reasoning="hm")
    assert piece({"choices": [{"delta": {"reasoning": "hm"}}]}) == Chunk(reasoning="hm")


def test_the_pieces_of_a_completion_stream():
    assert piece({"choices": [{"text": " with", "index": 0, "finish_reason": None}]}) == Chunk(" with")
    assert piece({"choices": [{"text": "", "finish_reason": "length"}]}) == Chunk(finish_reason="length")


@pytest.mark.parametrize(
    "value",
    [
        {
            "choices": [{"delta": {"content": ""}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        },
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    ],
    ids=["beside the finish reason (Inference API)", "in a last chunk without choices (OpenAI)"],
)
def test_usage_wherever_a_stream_has_it(value):
    chunk = piece(value)
    assert chunk is not None
    assert chunk.usage == Usage(1, 2, 3)


@pytest.mark.parametrize(
    "value",
    [
        b"[DONE]",
        {"choices": [], "prompt_filter_results": [{}], "id": "", "model": ""},
        {"id": "x", "object": "chat.completion.chunk"},
    ],
)
def test_events_without_a_piece(value):
    assert piece(value) is None


def test_the_fragments_of_a_tool_call():
    fragment = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a'}}
    chunk = piece({"choices": [{"delta": {"tool_calls": [fragment]}}]})
    assert chunk is not None
    assert chunk.tool_calls == (fragment,)


def test_the_pieces_of_tgi():
    assert piece(
        {"token": {"id": 1, "text": " a", "special": False}, "generated_text": None, "details": None}
    ) == Chunk(" a")
    last = {"token": {"text": "</s>", "special": True}, "generated_text": " a", "details": None}
    assert piece(last) == Chunk(finish_reason="stop")
    counted = {"finish_reason": "length", "generated_tokens": 9}
    assert piece({**last, "details": counted}) == Chunk(usage=Usage(None, 9, None), finish_reason="length")
    assert piece({**last, "generated_text": ""}) == Chunk(finish_reason="stop")


def test_the_pieces_of_prompt_flow():
    assert piece({"answer": "Hello"}) == Chunk("Hello")
    assert piece({"my_own_output": "Hello"}) == Chunk("Hello")
    assert piece({"answer": ""}) == Chunk("")


STREAM_FAILURES = [
    ("foundation-model-serve", {"error": {"message": "boom"}}, "error", ModelError, "boom"),
    ("an error event that is no JSON", b"upstream went away", "error", ModelError, "upstream went away"),
    ("an error event that is no object", b'"went away"', "error", ModelError, "went away"),
    ("an error event without words", b"", "error", ModelError, "an error inside"),
    (
        "TGI",
        {"error": "Input validation error", "error_type": "validation"},
        "message",
        ModelError,
        "validation error",
    ),
    ("vLLM of old", {"object": "error", "message": "too long", "code": 400}, "message", ModelError, "too long"),
    ("vLLM", {"error": {"message": "too long", "code": 400}}, "message", ModelError, "too long"),
    ("filter", {"error": {"code": "content_filter", "message": "filtered"}}, "message", ContentFilterError, "filtered"),
    ("no JSON", b"hello", "message", ResponseFormatError, "an event that is not JSON: 'hello'"),
    ("a number", b"7", "message", ResponseFormatError, "holds no text"),
    ("nothing known", {"a": 1, "b": 2}, "message", ResponseFormatError, "holds no text"),
]


@pytest.mark.parametrize(
    ("source", "value", "kind", "error", "said"), STREAM_FAILURES, ids=[failure[0] for failure in STREAM_FAILURES]
)
def test_a_failure_within_a_stream_is_raised(source, value, kind, error, said):
    with pytest.raises(AzmlError, match=said) as caught:
        piece(value, kind)
    assert type(caught.value) is error


@given(JSON | CHOICES | CHAT_CHOICES | TGI, st.sampled_from(["message", "error", "x"]))
def test_whatever_event_comes_only_our_own_errors_come_out(value, kind):
    chunk = None
    with only_our_errors():
        chunk = piece(value, kind)
    if chunk is not None:
        assert isinstance(chunk.text, str)
        assert isinstance(chunk.reasoning, str)
        assert isinstance(chunk.model, str)
        assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
        assert all(isinstance(call, dict) for call in chunk.tool_calls)


@given(st.binary(max_size=30))
def test_whatever_data_comes_only_our_own_errors_come_out(data):
    with only_our_errors():
        piece(data)
