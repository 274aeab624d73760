"""Formatters of the user's own, in every way that LangChain's documentation shows."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, FormatterError, ModelError, PromptError, UsageError

URL = "https://n.eastus.inference.ml.azure.com/score"


class Generation:
    def __init__(self, text, generation_info=None):
        self.text = text
        self.generation_info = generation_info


class TwoArguments:
    """As the documentation shows it: no api_type, a str out."""

    content_type = "application/json"
    accepts = "application/json"

    def format_request_payload(self, prompt, model_kwargs):
        return json.dumps({"q": prompt, **model_kwargs}).encode("utf-8")

    def format_response_payload(self, output):
        return json.loads(output)[0]["summary"]


class ThreeArguments:
    def format_request_payload(self, prompt, model_kwargs, api_type):
        return {"q": prompt, "type": api_type, "kwargs": model_kwargs}

    def format_response_payload(self, output, api_type):
        return Generation(f"{api_type}: {json.loads(output)['a']}", {"finish_reason": "stop", "logprobs": [1]})


class Returns:
    """Returns `made` as the request and `read` as the answer."""

    def __init__(self, made=b"{}", read="ok"):
        self.made, self.read = made, read

    def format_request_payload(self, prompt, model_kwargs):
        if isinstance(self.made, Exception):
            raise self.made
        return self.made

    def format_response_payload(self, output):
        if isinstance(self.read, Exception):
            raise self.read
        return self.read


class Messages:
    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        return {"m": messages}

    def format_response_payload(self, output):
        return output.decode()


def prepared(formatter, url=URL, **fields):
    return prepare(LLMConfig(endpoint_url=url, formatter=formatter, key=None, name="prod", **fields), 'Hi "you"')


def decoded(formatter, body: bytes):
    ready = prepared(formatter)
    return ready.wire.decode(body, ready.call)


def test_two_arguments_and_text_result():
    ready = prepared(TwoArguments(), model_kwargs={"n": 1})
    assert json.loads(ready.request.body) == {"q": 'Hi "you"', "n": 1}
    assert decoded(TwoArguments(), b'[{"summary": "short"}]').text == "short"


def test_three_arguments_and_generation_result():
    ready = prepared(ThreeArguments(), model_kwargs={"n": 1})
    assert json.loads(ready.request.body) == {"q": 'Hi "you"', "type": "dedicated", "kwargs": {"n": 1}}
    response = decoded(ThreeArguments(), b'{"a": "yes"}')
    assert (response.text, response.finish_reason, response.logprobs) == ("dedicated: yes", "stop", [1])


@pytest.mark.parametrize(
    ("made", "sent"),
    [
        (b"raw", b"raw"),
        (bytearray(b"raw"), b"raw"),
        ("téxt", "téxt".encode()),
        ({"a": [1]}, b'{"a":[1]}'),
        ([1, "x"], b'[1,"x"]'),
        (__import__("io").BytesIO(b"file"), b"file"),
        (__import__("io").StringIO("file"), b"file"),
    ],
    ids=["bytes", "bytearray", "str", "dict", "list", "binary file", "text file"],
)
def test_request_may_be_bytes_text_json_or_file(made, sent):
    assert prepared(Returns(made)).request.body == sent


@pytest.mark.parametrize("made", [None, 7, object(), Generation("x")])
def test_request_of_other_type_is_a_formatter_error(made):
    with pytest.raises(FormatterError, match=r"Returns.format_request_payload returned") as caught:
        prepared(Returns(made))
    assert "Return bytes, a str, or a dict" in str(caught.value)
    assert "config 'prod'" in str(caught.value)


@pytest.mark.parametrize("made", [{"a": {1, 2}}, {"a": float("nan")}, "\ud800"])
def test_request_that_cannot_be_encoded_is_a_prompt_error(made):
    with pytest.raises(PromptError, match="cannot be written"):
        prepared(Returns(made))


def test_result_may_be_known_shape_or_chat_message():
    assert decoded(Returns(read={"output": "t"}), b"").text == "t"
    assert decoded(Returns(read=[{"0": "t"}]), b"").text == "t"

    class ChatGeneration:
        message = type("Message", (), {"content": "from the message"})()
        text = "not this"

    assert decoded(Returns(read=ChatGeneration()), b"").text == "from the message"


def test_failure_in_returned_dict_is_raised():
    with pytest.raises(ModelError, match="error inside"):
        decoded(Returns(read={"error": "boom"}), b"")


@pytest.mark.parametrize("read", [None, 7, b"bytes", object(), Generation(7)])
def test_result_of_other_type_is_a_formatter_error(read):
    with pytest.raises(FormatterError, match=r"Returns.format_response_payload returned") as caught:
        decoded(Returns(read=read), b"")
    assert "Return a str, a dict, or a LangChain Generation" in str(caught.value)


@pytest.mark.parametrize("info", [7, "text", ["list"], {"finish_reason": 7}])
def test_generation_info_of_other_type_is_ignored(info):
    response = decoded(Returns(read=Generation("t", info)), b"")
    assert (response.text, response.finish_reason) == ("t", None)


def test_exception_of_formatter_is_one_line_and_the_cause():
    with pytest.raises(FormatterError, match=r"Returns.format_request_payload raised KeyError: 'a b'") as caught:
        prepared(Returns(KeyError("a\nb")) if False else Returns(KeyError("a b")))
    assert isinstance(caught.value.__cause__, KeyError)
    assert "\n" not in str(caught.value)
    with pytest.raises(FormatterError, match="raised ValueError: two lines") as caught:
        decoded(Returns(read=ValueError("two\nlines")), b"")
    assert isinstance(caught.value.__cause__, ValueError)


def test_type_error_inside_method_is_not_retried_without_argument():
    class Broken(TwoArguments):
        def format_request_payload(self, prompt, model_kwargs):
            return len(None)

    with pytest.raises(FormatterError, match="raised TypeError: object of type 'NoneType' has no len"):
        prepared(Broken())


def test_messages_method_gets_messages():
    ready = prepared(Messages(), system="S")
    assert json.loads(ready.request.body) == {
        "m": [{"role": "system", "content": "S"}, {"role": "user", "content": 'Hi "you"'}]
    }


def test_content_type_and_accepts_become_headers():
    class Plain(TwoArguments):
        content_type = "text/plain"
        accepts = "text/html"

    sent = prepared(Plain()).request.headers
    assert (sent["Content-Type"], sent["Accept"]) == ("text/plain", "text/html")


def test_content_type_with_line_break_is_refused():
    class Sneaky(TwoArguments):
        content_type = "text/plain\r\nX-Other: 1"

    with pytest.raises(ConfigError, match="Content-Type contains characters that HTTP headers do not allow"):
        prepared(Sneaky())


def test_changed_model_kwargs_do_not_change_config():
    class Greedy(TwoArguments):
        def format_request_payload(self, prompt, model_kwargs):
            model_kwargs["extra"] = 1
            model_kwargs["stop"].append("more")
            return b"{}"

    config = LLMConfig(endpoint_url=URL, formatter=Greedy(), key=None, model_kwargs={"stop": ["a"]})
    prepare(config, "Hi")
    assert dict(config.model_kwargs) == {"stop": ["a"]}


class Value:
    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(
    ("supported", "url", "fine"),
    [
        (["dedicated"], URL, True),
        ([Value("realtime")], URL, True),
        ([Value("serverless")], URL, False),
        ([], URL, True),
        (["serverless"], "https://h.eastus.models.ai.azure.com/v1/completions", True),
        (["dedicated"], "https://h.eastus.models.ai.azure.com/v1/completions", False),
    ],
)
def test_supported_api_types_decide_which_endpoints_fit(supported, url, fine):
    class Picky(TwoArguments):
        supported_api_types = supported

    if fine:
        assert prepared(Picky(), url)
    else:
        with pytest.raises(FormatterError, match=r"Picky works with .* endpoints, and this one is") as caught:
            prepared(Picky(), url)
        assert "supported_api_types" in str(caught.value)


@pytest.mark.parametrize(
    ("formatter", "url", "goes_to"),
    [
        (TwoArguments, "https://n.eastus.inference.ml.azure.com", "/score"),
        (TwoArguments, "https://h.eastus.models.ai.azure.com", "/completions"),
        (Messages, "https://h.eastus.models.ai.azure.com", "/chat/completions"),
        (TwoArguments, "https://n.eastus.inference.ml.azure.com/my/own/route", "/my/own/route"),
        (TwoArguments, "https://h.eastus.models.ai.azure.com/v1/chat/completions", "/v1/chat/completions"),
    ],
)
def test_any_route_is_kept_and_a_base_gets_one(formatter, url, goes_to):
    assert prepared(formatter(), url).request.url.endswith(".azure.com" + goes_to)


def test_class_in_place_of_object_says_to_call_it():
    with pytest.raises(UsageError, match="is not a content formatter") as caught:
        wire.CustomWire(TwoArguments)
    assert "call it" in str(caught.value)
