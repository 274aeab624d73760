"""The arguments of a call: options, model kwargs, and slips."""

from __future__ import annotations

import inspect

import pytest

from azml_magics import errors
from azml_magics.core import wire
from azml_magics.langchain.call_arguments import split_call_arguments


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temperatur": 0}, "Did you mean 'temperature'? To send it as it is, pass model_kwargs={'temperatur': …}."),
        ({"max_token": 5}, "Did you mean 'max_tokens'?"),
        ({"deployment": "blue"}, "Did you mean 'deployment_name'?"),
        ({"time_out": 5}, "Did you mean 'timeout'?"),
        ({"verify": False}, "'verify' is an argument of the constructor, not of a call"),
        ({"endpoint_api_key": "literal-key-123"}, "is an argument of the constructor"),
        ({"api_key": "literal-key-123"}, "is an argument of the constructor"),
        ({"http_client": None}, "is an argument of the constructor"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
@pytest.mark.parametrize("name", ["llm", "chat"])
async def test_slip_is_refused_before_anything_is_sent(name, given, said, request, endpoint):
    model = request.getfixturevalue(name)
    calls = (
        lambda: model.invoke("Hi", **given),
        lambda: list(model.stream("Hi", **given)),
        lambda: model.bind(**given).invoke("Hi"),
    )
    for call in calls:
        with pytest.raises(errors.ConfigError) as caught:
            call()
        assert said in str(caught.value)
        assert "literal-key" not in str(caught.value)
    with pytest.raises(errors.ConfigError):
        await model.ainvoke("Hi", **given)
    assert not endpoint.requests


def test_options_of_a_call_apply_to_it_alone(chat, endpoint):
    chat.invoke("Hi", system="Be brief.", model="demo", deployment_name="openai", timeout=9, max_retries=0)
    request = endpoint.requests[-1]
    assert request.headers["azureml-model-deployment"] == "openai"
    assert request.json() == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "max_tokens": 40,
        "model": "demo",
    }
    assert (chat.system, chat.deployment_name) == (None, "")


def test_model_kwargs_of_a_call_may_have_any_name(chat, sent):
    chat.invoke("Hi", model_kwargs={"temperatur": 0, "max_tokens": 7}, max_tokens=6, guided_choice=["a"])
    assert (sent()["temperatur"], sent()["max_tokens"], sent()["guided_choice"]) == (0, 7, ["a"])


def test_documented_kwargs_of_every_wire_format_are_sent():
    names = {kwarg.name for name in wire.names() for kwarg in wire.get(name).known_kwargs}
    names |= {"functions", "user", "chat_template_kwargs", "guided_json", "stop_token_ids", "add_generation_prompt"}
    for name in names:
        assert split_call_arguments({name: 1}) == ({}, {name: 1})


def test_arguments_of_langchain_itself_are_accepted():
    options, sent = split_call_arguments(
        {
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": False,
            "response_format": {},
            "stream": True,
            "ls_structured_output_format": {},
            "structured_output_format": {},
        }
    )
    assert options == {}
    assert set(sent) == {"tools", "tool_choice", "parallel_tool_calls", "response_format", "stream"}


def test_parameters_of_the_openai_client_are_sent():
    completions = pytest.importorskip("openai.resources.chat.completions", reason="its parameters are compared with")
    for name in inspect.signature(completions.Completions.create).parameters:
        if name not in {"self", "messages", "timeout", "model"}:
            assert split_call_arguments({name: 1}) == ({}, {name: 1})
