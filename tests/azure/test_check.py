"""The check of a config: one whole and one streamed response of a few tokens, on every wire format."""

from __future__ import annotations

import pytest

from azml_magics.azure.check import BAD, GOOD, OPEN, check, works
from tests.core.server import delta, reply, streamed

WHOLE = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
STREAM = streamed(delta("Hel"), delta("lo.", finish_reason="stop"), b"[DONE]")
RENAMED = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}
THOUGHTS = {
    "choices": [{"message": {"content": "", "reasoning_content": "Hm"}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 256, "completion_tokens_details": {"reasoning_tokens": 256}},
}


def refuse_max_tokens(connection, request):
    """Answer as a reasoning model does."""
    body = request.json
    if "max_tokens" in body:
        connection.sendall(reply(RENAMED, 400))
    else:
        connection.sendall(STREAM if body.get("stream") else reply(WHOLE))
    return True


def test_response_is_asked_for_whole_and_streamed(server, config_of):
    server.respond_with(reply(WHOLE), STREAM)
    found = check(config_of())
    assert [found[step] for step in ("answer", "stream")] == [(GOOD, "'Hello.'"), (GOOD, "'Hello.'")]
    assert works(found)
    assert [request.json.get("stream", False) for request in server.received] == [False, True]
    assert {request.json["max_tokens"] for request in server.received} == {1}


def test_model_that_refuses_max_tokens_is_asked_again(server, config_of):
    server.respond_with(refuse_max_tokens)
    found = check(config_of(model_kwargs={"max_tokens": 500}))
    assert works(found)
    asked = [request.json for request in server.received]
    assert ["max_tokens" in body for body in asked] == [True, False, True, False]
    assert asked[1]["max_completion_tokens"] == 256


def test_own_limit_of_the_config_names_the_kwarg(server, config_of):
    server.respond_with(refuse_max_tokens)
    assert works(check(config_of(model_kwargs={"max_completion_tokens": 9000})))
    assert len(server.received) == 2
    assert server.received[0].json["max_completion_tokens"] == 256


def test_tokens_that_went_into_reasoning_are_an_answer(server, config_of):
    server.respond_with(reply(THOUGHTS), STREAM)
    assert check(config_of())["answer"] == (GOOD, "its few tokens went into reasoning")


def test_broken_stream_fails_the_last_step(server, config_of):
    server.respond_with(reply(WHOLE), reply({"error": {"message": "no streams here"}}, 400))
    found = check(config_of())
    assert found["answer"][0] == GOOD
    assert found["stream"][0] == BAD
    assert "no streams here" in found["stream"][1]
    assert not works(found)


def test_formatter_without_streams_is_asked_once(server, config_of):
    server.respond_with(reply(["Hello."]))
    found = check(config_of("/score", formatter="mlflow"))
    assert found["stream"] == (OPEN, "this formatter does not stream")
    assert works(found)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("path", "fields", "name", "limit"),
    [
        ("/openai/v1/responses", {"model": "m"}, "responses", "max_output_tokens"),
        ("/anthropic/v1/messages", {"model": "m"}, "anthropic", "max_tokens"),
        ("/generate", {}, "tgi", "max_new_tokens"),
        ("/score", {"formatter": "promptflow"}, "promptflow", ""),
    ],
)
def test_every_wire_format_is_asked_for_few_tokens(path, fields, name, limit, server, config_of):  # noqa: PLR0917 - a column each
    replies = {
        "responses": {
            "id": "r",
            "object": "response",
            "status": "completed",
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
        },
        "anthropic": {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hi"}],
            "stop_reason": "end_turn",
        },
        "tgi": {"generated_text": "Hi", "details": {"finish_reason": "length", "generated_tokens": 1}},
        "promptflow": {"answer": "Hi"},
    }
    server.respond_with(reply(replies[name]))
    assert check(config_of(path, **fields))["answer"] == (GOOD, "'Hi'")
    body = server.received[0].json
    sent = {**body, **body.get("parameters", {})}
    assert not limit or 1 <= sent[limit] <= 16


def test_unknown_path_is_said_in_the_first_step(config_of):
    config = config_of(formatter="openai-chat", timeout=0.1).merged(
        endpoint_url="https://models.inference.ai.azure.com/x", key="env:NOT_SET_ANYWHERE"
    )
    state, text = check(config)["config"]
    assert state == GOOD
    assert "GitHub Models left models.inference.ai.azure.com" in text
