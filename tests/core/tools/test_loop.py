"""Tools are called until the model gives a final response, on every wire format that has them."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

import azml_magics
from azml_magics import AsyncClient, LLMConfig, Toolset
from azml_magics.core.errors import Interrupted, ModelError, UsageError
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import reply

QUESTION = "How is the weather in Lisbon?"


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"It is sunny in {city} with 21 °C."


def call(name="get_weather", arguments='{"city": "Lisbon"}', ident="call_1"):
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def asks(*calls, text=None, usage=(10, 5)):
    message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
    return _chat(message, "tool_calls", usage)


def says(text, usage=(20, 7)):
    return _chat({"role": "assistant", "content": text}, "stop", usage)


def _chat(message, finish, usage):
    counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return reply({"choices": [{"message": message, "finish_reason": finish}], "usage": counts, "model": "m"})


def results_in(request):
    return [message["content"] for message in request.json["messages"] if message["role"] == "tool"]


WIRES = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/openai/v1/responses",
    "anthropic-messages": "/anthropic/v1/messages",
    "mistral-chat": "/v1/chat/completions",
    "score": "/score",
}


@pytest.fixture(params=WIRES)
def config(request, azml_endpoint):
    formatter = "openai-chat" if request.param == "score" else request.param
    model = {"score": None, "anthropic-messages": "claude-sonnet-4-5"}.get(request.param, "demo")
    headers = {"azureml-model-deployment": "fms"} if request.param == "score" else {}
    url = f"{azml_endpoint.url}{WIRES[request.param]}"
    return LLMConfig(endpoint_url=url, key="env:AZML_TEST_KEY", formatter=formatter, model=model, headers=headers)


def test_the_model_calls_a_function_and_answers_with_its_result(config):
    response = azml_magics.invoke(config, QUESTION, tools=[get_weather])
    assert "21 °C" in response.text
    assert [(run.name, json.loads(run.arguments)) for run in response.tool_runs] == [
        ("get_weather", {"city": "Lisbon"})
    ]
    assert response.tool_runs[0].result == "It is sunny in Lisbon with 21 °C."
    assert response.requests == 2


def test_a_stream_goes_on_through_the_calls(config):
    with azml_magics.stream(config, QUESTION, tools=[get_weather]) as stream:
        chunks = list(stream)
    runs = [chunk.tool_run for chunk in chunks if chunk.tool_run]
    assert [(run.name, run.result is None) for run in runs] == [("get_weather", True), ("get_weather", False)]
    assert stream.response.text == "".join(chunk.text for chunk in chunks)
    assert "21 °C" in stream.response.text


async def test_async_functions_are_awaited(config):
    async def get_weather(city: str) -> dict:
        await asyncio.sleep(0)
        return {"city": city, "degrees": 21}

    async with AsyncClient() as client:
        response = await client.invoke(config, QUESTION, tools=[get_weather])
        async with client.stream(config, QUESTION, tools=[get_weather]) as stream:
            text = "".join([chunk.text async for chunk in stream])
    assert "21" in response.text
    assert stream.response.text == text


def test_an_async_function_runs_from_sync_code(server, config_of):
    async def get_weather(city: str) -> str:
        await asyncio.sleep(0)
        return city.upper()

    server.respond_with(asks(call()), says("ok"))
    assert azml_magics.invoke(config_of(), QUESTION, tools=get_weather).tool_runs[0].result == "LISBON"


def test_usage_is_the_sum_of_all_steps(server, config_of):
    server.respond_with(asks(call()), says("Sunny."))
    usage = azml_magics.invoke(config_of(), QUESTION, tools=[get_weather]).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (30, 12, 42)


def test_parallel_calls_all_get_their_results(server, config_of):
    server.respond_with(asks(call(ident="a"), call(arguments='{"city": "Oslo"}', ident="b")), says("ok"))
    response = azml_magics.invoke(config_of(), QUESTION, tools=[get_weather])
    assert [run.result for run in response.tool_runs] == [get_weather("Lisbon"), get_weather("Oslo")]
    assert [message.get("tool_call_id") for message in server.received[1].json["messages"][2:]] == ["a", "b"]


def test_calls_without_an_id_get_one(server, config_of):
    bare = call()
    del bare["id"]
    server.respond_with(asks(bare), says("ok"))
    assert azml_magics.invoke(config_of(), QUESTION, tools=[get_weather]).tool_runs[0].result


# ---- what goes wrong


def failing(city: str) -> str:
    raise ValueError(f"no city {city}")


@pytest.mark.parametrize(
    ("asked", "tools", "told"),
    [
        (call("failing"), [failing], "Error: ValueError: no city Lisbon"),
        (call("get_wether"), [get_weather], "no tool named get_wether. The tools are: get_weather"),
        (call(arguments='{"city": '), [get_weather], "The arguments are not valid JSON"),
        (call(arguments='["Lisbon"]'), [get_weather], "The arguments must be a JSON object"),
        (call(arguments="{}"), [get_weather], "do not fit get_weather: city is missing"),
        (call(arguments='{"city": []}'), [get_weather], "city: Input should be a valid string"),
        (call(arguments='{"town": "x", "city": "y"}'), [get_weather], "town is not one of city"),
    ],
)
def test_the_model_is_told_what_went_wrong(server, config_of, asked, tools, told):
    server.respond_with(asks(asked), says("Sorry."))
    response = azml_magics.invoke(config_of(), QUESTION, tools=tools)
    assert told in results_in(server.received[1])[0]
    assert response.tool_runs[0].is_error
    assert response.text == "Sorry."


def test_a_model_that_loops_is_stopped_and_what_there_is_is_kept(server, config_of):
    server.respond_with(asks(call(), text="Once more."))
    response = azml_magics.invoke(config_of(), QUESTION, tools=Toolset(get_weather, max_steps=3))
    assert len(server.received) == 3
    assert response.text == "Once more."
    assert len(response.tool_runs) == 2
    assert "The limit of 3 steps was reached before a final response" in response.notices[0]


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_function_that_never_returns_is_given_up(server, config_of, in_thread):
    def get_weather(city: str) -> str:
        time.sleep(60)
        return city

    server.respond_with(asks(call()), says("It takes too long."))
    found = []

    def ask():
        found.append(azml_magics.invoke(config_of(), QUESTION, tools=Toolset(get_weather, timeout=1)))

    if in_thread:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(50)
    else:
        ask()
    assert found[0].tool_runs[0].result == "Error: get_weather did not return within 1.0 s."


async def test_an_async_function_that_never_returns_is_given_up(server, config_of):
    async def get_weather(city: str) -> str:
        await asyncio.sleep(60)
        return city

    server.respond_with(asks(call()), says("ok"))
    async with AsyncClient() as client:
        response = await client.invoke(config_of(), QUESTION, tools=Toolset(get_weather, timeout=1))
    assert "did not return within" in response.tool_runs[0].result


def test_an_interrupt_within_a_function_keeps_the_steps(server, config_of):
    def get_weather(city: str) -> str:
        raise KeyboardInterrupt

    server.respond_with(asks(call()))
    with pytest.raises(Interrupted) as caught:
        azml_magics.invoke(config_of(), QUESTION, tools=[get_weather])
    assert caught.value.response.finish_reason == "interrupted"
    assert caught.value.response.tool_runs[0].result is None
    assert "after 1 tool call" in str(caught.value)


def test_a_failure_after_a_call_keeps_the_steps(server, config_of):
    server.respond_with(asks(call()), reply({}))
    with pytest.raises(ModelError) as caught:
        azml_magics.invoke(config_of(), QUESTION, tools=[get_weather])
    assert caught.value.response.tool_runs[0].result == get_weather("Lisbon")


def test_a_formatter_without_roles_is_refused_before_anything_is_sent(server, config_of):
    with pytest.raises(UsageError, match="The formatter 'gpt2' cannot offer tools to a model"):
        azml_magics.invoke(config_of("/score", formatter="gpt2"), QUESTION, tools=[get_weather])
    assert not server.received


def test_a_key_in_a_result_is_masked(server, config_of):
    def get_weather(city: str) -> str:
        return f"the key is {KEY}"

    server.respond_with(asks(call()), says("ok"))
    response = azml_magics.invoke(config_of(), QUESTION, tools=[get_weather])
    assert KEY not in server.received[1].body.decode()
    assert KEY not in str(response.steps)


def test_a_result_of_10_mb_is_cut_and_says_so(server, config_of):
    def get_weather(city: str) -> str:
        return "x" * 10_000_000

    server.respond_with(asks(call()), says("ok"))
    azml_magics.invoke(config_of(), QUESTION, tools=[get_weather])
    assert results_in(server.received[1])[0].endswith("[cut: the first 20,000 of 10,000,000 characters]")


def test_a_call_that_is_not_approved_is_not_run(server, config_of):
    ran, seen = [], []

    def get_weather(city: str) -> str:
        ran.append(city)
        return "sunny"

    def refuse(call):
        seen.append(call)
        return False

    server.respond_with(asks(call()), says("ok"))
    response = azml_magics.invoke(config_of(), QUESTION, tools=Toolset(get_weather, approve=refuse))
    assert not ran
    assert seen[0].name == "get_weather"
    assert response.tool_runs[0].result == "Error: the user did not allow this call."


async def test_approval_may_be_asynchronous(server, config_of):
    async def refuse(call):
        await asyncio.sleep(0)
        return False

    server.respond_with(asks(call()), says("ok"))
    async with AsyncClient() as client:
        response = await client.invoke(config_of(), QUESTION, tools=Toolset(get_weather, approve=refuse))
    assert "did not allow" in response.tool_runs[0].result
    server.respond_with(asks(call()))
    with pytest.raises(UsageError, match="approve is asynchronous"):
        azml_magics.invoke(config_of(), QUESTION, tools=Toolset(get_weather, approve=refuse))


def test_tools_of_the_config_are_sent_too_and_end_the_loop(server, config_of):
    declared = {"type": "function", "function": {"name": "book", "parameters": {"type": "object", "properties": {}}}}
    server.respond_with(asks(call("book", "{}")))
    config = config_of(model_kwargs={"tools": [declared]})
    response = azml_magics.invoke(config, QUESTION, tools=[get_weather])
    names = [tool["function"]["name"] for tool in server.received[0].json["tools"]]
    assert names == ["book", "get_weather"]
    assert response.tool_calls[0]["function"]["name"] == "book"


def test_a_tool_of_the_config_with_the_same_name_is_refused(config_of):
    config = config_of(model_kwargs={"tools": [{"type": "function", "function": {"name": "get_weather"}}]})
    with pytest.raises(UsageError, match="has a tool named get_weather, too"):
        azml_magics.invoke(config, QUESTION, tools=[get_weather])


def test_the_response_keeps_its_steps_as_data(server, config_of):
    server.respond_with(asks(call(), text="Let me see."), says("Sunny."))
    response = azml_magics.invoke(config_of(key=Secret(KEY)), QUESTION, tools=[get_weather])
    restored = azml_magics.Response.from_dict(json.loads(json.dumps(response.to_dict())))
    assert restored.tool_runs == response.tool_runs
    assert [step["role"] for step in restored.steps] == ["assistant", "tool"]


def test_recorded_exchanges_are_replayed(azml_endpoint, tmp_path):
    url = f"{azml_endpoint.url}/v1/chat/completions"
    config = LLMConfig(endpoint_url=url, key="env:AZML_TEST_KEY", formatter="openai-chat", model="demo")
    with azml_magics.record(tmp_path / "tools.json"):
        recorded = azml_magics.invoke(config, QUESTION, tools=[get_weather])
    with azml_magics.replay(tmp_path / "tools.json"):
        replayed = azml_magics.invoke(config, QUESTION, tools=[get_weather])
    assert (replayed.text, replayed.tool_runs) == (recorded.text, recorded.tool_runs)
    assert len(azml_endpoint.requests) == 2
