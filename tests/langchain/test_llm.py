"""The text class: one answer, many, streams; sync and async."""

from __future__ import annotations

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate

from azml_magics import errors, langchain
from azml_magics.emulator import Fault


class Tokens(BaseCallbackHandler):
    """Keeps the tokens and chunks that a callback is told of, and how the run ended."""

    def __init__(self):
        self.tokens, self.chunks, self.results, self.errors = [], [], [], []

    def on_llm_new_token(self, token, *, chunk=None, **kwargs):
        self.tokens.append(token)
        self.chunks.append(chunk)

    def on_llm_end(self, response, **kwargs):
        self.results.append(response)

    def on_llm_error(self, error, **kwargs):
        self.errors.append(error)


class AsyncTokens(AsyncCallbackHandler):
    """The same, awaited."""

    def __init__(self):
        self.tokens = []

    async def on_llm_new_token(self, token, **kwargs):
        self.tokens.append(token)


async def gathered(stream, into):
    """Put what an async stream brings into a list, one by one: they stay there when it breaks."""
    async for piece in stream:
        into.append(piece)


def test_invoke_returns_text(llm, sent):
    assert "not a language model" in llm.invoke("Name a cloud.")
    assert sent()["inputs"] == {"input_string": ["Name a cloud."]}


async def test_sync_and_async_return_the_same_text(llm):
    assert await llm.ainvoke("Name a cloud.") == llm.invoke("Name a cloud.")


@pytest.mark.parametrize("prompt", ['a\n"b"\\', '"', "{}", "ü 🌧", "", '{"json": ["{x}"]}'])
def test_prompt_is_sent_as_written(llm, sent, prompt):
    llm.invoke(prompt)
    assert sent()["inputs"]["input_string"] == [prompt]


def test_call_kwargs_and_stop_do_not_stick(llm, sent):
    llm.invoke("x", max_new_tokens=7, stop=["Z"], seed=1)
    assert sent()["parameters"] == {"max_new_tokens": 7, "return_full_text": False, "stop": ["Z"], "seed": 1}
    llm.invoke("x")
    assert sent()["parameters"] == {"max_new_tokens": 20, "return_full_text": False}
    assert llm.model_kwargs == {"max_new_tokens": 20, "return_full_text": False}


def test_stop_sequence_ends_the_response(completion):
    whole = completion.invoke("Name a cloud.")
    word = whole.split()[2]
    assert completion.invoke("Name a cloud.", stop=[word]) == whole[: whole.index(word)]


def test_client_options_are_not_sent_to_the_model(llm, endpoint, sent):
    llm.invoke("x", timeout=5, max_retries=0, model="m")
    assert sent()["parameters"] == {"max_new_tokens": 20, "return_full_text": False}
    endpoint.script([Fault("slow", seconds=5)])
    with pytest.raises(errors.APITimeoutError, match=r"No data from .* for 0.2 s"):
        llm.invoke("x", timeout=0.2)


@pytest.mark.parametrize("name", ["chat", "completion"])
def test_stream_kwarg_is_sent_as_given(name, request, sent):
    model = request.getfixturevalue(name)
    model.invoke("x", stream=False)
    assert sent()["stream"] is False
    model.model_kwargs = {**model.model_kwargs, "stream": False}
    model.invoke("x")
    assert sent()["stream"] is False
    list(model.stream("x"))
    assert sent()["stream"] is True


def test_generation_has_finish_reason_and_usage(completion):
    result = completion.generate(["Name a cloud.", "Name a fog."])
    assert [len(each) for each in result.generations] == [1, 1]
    assert result.generations[0][0].generation_info == {"finish_reason": "length", "logprobs": None}
    usage = result.llm_output["token_usage"]
    assert usage["completion_tokens"] == 40
    assert usage["total_tokens"] == usage["prompt_tokens"] + 40
    assert result.llm_output["model_name"] == "azml-magics-demo"


def test_logprobs_are_kept(completion):
    info = completion.generate(["Hi"], logprobs=1).generations[0][0].generation_info
    assert info["logprobs"]["tokens"][:2] == [" Hello", "!"]


def test_each_choice_becomes_a_generation(completion):
    texts = [each.text for each in completion.generate(["Hi"], n=3, temperature=1).generations[0]]
    assert len(texts) == 3
    assert len(set(texts)) > 1


async def test_many_prompts_run_concurrently_in_order(llm, endpoint):
    prompts = [f"Name {n} clouds." for n in range(12)]
    alone = [llm.invoke(prompt) for prompt in prompts]
    endpoint.latency = 0.25
    endpoint.in_flight_peak = 0
    assert [each[0].text for each in llm.generate(prompts).generations] == alone
    assert endpoint.in_flight_peak > 4
    assert [each[0].text for each in (await llm.agenerate(prompts)).generations] == alone


def test_no_prompts_send_no_requests(llm, endpoint):
    assert llm.generate([]).generations == []
    assert not endpoint.requests


# ---- streams -------------------------------------------------------------------------------------------------


def test_stream_yields_the_same_text_in_chunks(completion):
    pieces = list(completion.stream("Name a cloud."))
    assert len(pieces) > 10
    assert "".join(pieces) == completion.invoke("Name a cloud.")


async def test_async_stream_yields_the_same_text(completion):
    pieces = [piece async for piece in completion.astream("Name a cloud.")]
    assert len(pieces) > 10
    assert "".join(pieces) == completion.invoke("Name a cloud.")


async def test_endpoint_without_streaming_yields_one_chunk(llm):
    whole = llm.invoke("Hi")
    assert list(llm.stream("Hi")) == [whole]
    assert [piece async for piece in llm.astream("Hi")] == [whole]


def test_callbacks_get_every_token_and_the_end(completion):
    heard = Tokens()
    pieces = list(completion.stream("Name a cloud.", config={"callbacks": [heard]}))
    assert heard.tokens == [piece for piece in pieces if piece]
    assert [chunk.text for chunk in heard.chunks] == heard.tokens
    info = heard.results[0].generations[0][0].generation_info
    assert info["finish_reason"] == "length"
    assert info["token_usage"]["completion_tokens"] == 20


async def test_async_callbacks_get_every_token(completion):
    heard = AsyncTokens()
    pieces = [piece async for piece in completion.astream("Hi", config={"callbacks": [heard]})]
    assert heard.tokens == [piece for piece in pieces if piece]


async def test_whole_response_is_one_token_for_callbacks(llm):
    heard, heard_later = Tokens(), AsyncTokens()
    whole = next(llm.stream("Hi", config={"callbacks": [heard]}))
    assert heard.tokens == [whole]
    assert [piece async for piece in llm.astream("Hi", config={"callbacks": [heard_later]})] == heard_later.tokens


def test_interrupted_stream_raises_with_partial_response(completion, endpoint):
    endpoint.script([Fault("cut", after=5)])
    heard, pieces = Tokens(), []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        pieces.extend(completion.stream("Hi", config={"callbacks": [heard]}))
    assert caught.value.response.text == "".join(pieces) != ""
    assert heard.errors == [caught.value]


def test_stream_can_be_left_early(completion, endpoint):
    endpoint.script([Fault("slow-stream", seconds=0.05)])
    stream = completion.stream("Hi")
    assert next(stream)
    stream.close()
    assert completion.invoke("Hi")


# ---- in chains -----------------------------------------------------------------------------------------------


def test_prompt_template_pipes_into_model(llm, sent):
    chain = PromptTemplate.from_template("Name a {what}.") | llm | StrOutputParser()
    assert "The Danube" in chain.invoke({"what": "river"})
    assert sent()["inputs"]["input_string"] == ["Name a river."]


def test_bound_kwargs_are_sent(llm, sent):
    llm.bind(seed=3, stop=["."]).invoke("Hi")
    assert sent()["parameters"]["seed"] == 3
    assert sent()["parameters"]["stop"] == ["."]


def test_error_keeps_its_class_through_a_chain(llm, endpoint):
    endpoint.script([Fault("424", status=400)])
    with pytest.raises(errors.BadRequestError, match="The deployment rejected the request"):
        (PromptTemplate.from_template("{x}") | llm).invoke({"x": "Hi"})


def test_temporary_failure_is_retried_up_to_max_retries(llm, endpoint):
    endpoint.script([Fault("429", retry_after=0.01), Fault("503", retry_after=0.01)])
    assert llm.invoke("Hi")
    assert len(endpoint.requests) == 3
    llm.max_retries = 0
    endpoint.script([Fault("429", retry_after=0.01)])
    with pytest.raises(errors.RateLimitError):
        llm.invoke("Hi")


def test_chat_formatter_works_in_the_text_class(endpoint, sent):
    llm = langchain.AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions", system="You are a pirate.", max_tokens=30
    )
    assert "Hello!" in llm.invoke("Hi")
    assert sent()["messages"] == [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Hi"},
    ]


async def test_sync_calls_work_inside_a_running_loop(llm):
    one = llm.invoke("Hi")
    assert llm.batch(["Hi", "Hi"]) == [one, one]
    assert list(llm.stream("Hi")) == [one]
