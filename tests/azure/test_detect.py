"""Detection: what an endpoint says of itself, and which answers to short prompts count."""

from __future__ import annotations

import json

import pytest

from azml_magics.azure.detect import detect
from azml_magics.azure.probes import (
    LONG_PROMPT,
    MAX_REQUESTS,
    SHORT_PROMPT,
    follows_prompts,
    heeds_limit,
    is_request_repeated,
)
from azml_magics.core.response import Response, Usage
from tests.core.server import reply

NOT_FOUND = reply({"detail": "Not Found"}, 404)
REFUSED = reply({"error": {"message": "no"}}, 400)
STORY = "Visit the tile museum, then take the tram up the hill and drink coffee until the rain is over, slowly."


def text_for(prompt: str, tokens: int) -> str:
    words = f"About {prompt.split()[1].lower()}: {STORY}" if prompt.startswith("Why") else STORY
    return " ".join(words.split()[:tokens])


def serve(routes):
    """A reply that depends on the path: a function of the JSON body, or bytes; 404 on any other path."""

    def act(connection, request):
        found = routes.get(request.target.partition("?")[0], NOT_FOUND)
        connection.sendall(found(json.loads(request.body or b"null")) if callable(found) else found)
        return True

    return act


def chat(body):
    if "messages" not in body:
        return REFUSED
    text = text_for(body["messages"][-1]["content"], body.get("max_tokens", 100))
    return reply({"choices": [{"message": {"content": text}, "finish_reason": "length"}]})


def posts(server):
    return [request for request in server.received if request.method == "POST"]


def found(server, config, *, probe=True):
    detection = detect(config, probe=probe)
    assert len(posts(server)) <= MAX_REQUESTS
    return detection


# ---- descriptions


@pytest.mark.parametrize(
    ("routes", "formatter", "route"),
    [
        ({"/info": {"model_id": "m", "max_total_tokens": 2048}}, "tgi", "/generate"),
        ({"/info": {"model_name": "m", "model_type": "chat-completion"}}, "openai-chat", "/chat/completions"),
        ({"/info": {"model_name": "m", "model_type": "completion"}}, "openai", "/completions"),
        ({"/v1/models": {"object": "list", "data": [{"id": "m"}]}}, "openai-chat", "/v1/chat/completions"),
    ],
)
def test_endpoint_without_swagger_describes_itself(routes, formatter, route, server, config_of):
    server.respond_with(serve({path: reply(body) for path, body in routes.items()}))
    best = found(server, config_of("/score"), probe=False).best
    assert (best.formatter, best.route) == (formatter, route)
    assert {request.method for request in server.received} == {"GET"}


def test_bare_llama_cpp_host_is_found(server, config_of):
    models = {"object": "list", "data": [{"id": "qwen.gguf", "owned_by": "llamacpp"}]}
    server.respond_with(serve({"/v1/models": reply(models), "/v1/chat/completions": chat}))
    detection = found(server, config_of("", name=""))
    assert (detection.best.formatter, detection.best.model) == ("openai-chat", "qwen.gguf")
    assert detection.url == f"{server.url}/v1/chat/completions"
    assert {request.json["model"] for request in posts(server)} == {"qwen.gguf"}


def test_foundry_base_offers_responses_first(server, config_of):
    server.respond_with(serve({"/openai/v1/models": reply({"data": [{"id": "a"}, {"id": "b"}]})}))
    candidates = found(server, config_of("/openai/v1", deployment_name="d"), probe=False).candidates
    assert [each.formatter for each in candidates] == ["openai-responses", "openai-chat"]
    assert candidates[0].reason == "it lists 2 models under /openai/v1/models"


@pytest.mark.parametrize("body", ["", "[", "[]", '"text"', "{}", '{"data": 7}', '{"model_type": []}', '{"data": [{}]}'])
def test_odd_descriptions_tell_nothing(body, server, config_of):
    server.respond_with(reply(body))
    assert found(server, config_of("/score"), probe=False).best is None


# ---- probes


def prompt_in(body):
    return next(prompt for prompt, _ in (LONG_PROMPT, SHORT_PROMPT) if prompt in json.dumps(body))


def responses(body):
    if "input" not in body:
        return REFUSED
    content = [{"type": "output_text", "text": text_for(prompt_in(body), body["max_output_tokens"])}]
    output = [{"type": "message", "role": "assistant", "content": content}]
    return reply({"id": "r", "object": "response", "status": "completed", "output": output})


def anthropic(body):
    text = text_for(prompt_in(body), body["max_tokens"])
    return reply({"type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "max_tokens"})


def mlflow(body):
    given = body.get("input_data")
    if not (isinstance(given, list) and isinstance(given[0], str)):
        return REFUSED
    return reply([text_for(given[0], body["params"]["max_new_tokens"])])


@pytest.mark.parametrize(
    ("path", "serving", "formatter", "api_type"),
    [
        ("/openai/v1", {"/openai/v1/responses": responses}, "openai-responses", ""),
        ("/openai/v1", {"/openai/v1/chat/completions": chat}, "openai-chat", ""),
        ("/anthropic/v1", {"/anthropic/v1/messages": anthropic}, "anthropic-messages", ""),
        ("/v1/chat/completions", {"/v1/chat/completions": chat}, "openai-chat", ""),
        ("/score", {"/score": chat}, "openai-chat", "serverless"),
        ("/score", {"/score": mlflow}, "mlflow", ""),
    ],
)
def test_probing_finds_the_wire_format(path, serving, formatter, api_type, server, config_of):  # noqa: PLR0917 - a column each
    server.respond_with(serve(serving))
    best = found(server, config_of(path, model="m")).best
    assert (best.formatter, best.api_type) == (formatter, api_type)
    assert best.reason.startswith("it responded '")


def test_probing_stops_at_twelve_requests(server, config_of):
    server.respond_with(REFUSED)
    said = []
    detection = detect(config_of("/score"), probe=True, say=said.append)
    assert said == [f"Sending at most 12 short prompts to {server.url.removeprefix('http://')}."]
    assert detection.best is None
    assert detection.note.startswith("No formatter got a response that follows the prompt.")
    assert len(posts(server)) <= 12


def test_route_that_is_missing_is_asked_once(server, config_of):
    server.respond_with(NOT_FOUND)
    detection = found(server, config_of("/score"))
    assert [request.target for request in posts(server)].count("/score") == 1
    assert "no such route" in detection.note


@pytest.mark.parametrize(
    "answer",
    [
        lambda body: reply([repr(body)]),
        lambda body: reply([json.dumps(body)]),
        lambda _: reply(["The request was received."]),
        lambda _: reply(["", ""]),
        lambda _: reply([0.25]),
    ],
)
def test_answer_that_is_not_a_models_does_not_count(answer, server, config_of):
    server.respond_with(serve({"/score": answer}))
    assert found(server, config_of("/score")).best is None


def test_formatter_whose_limit_is_ignored_is_the_last_resort(server, config_of):
    def stubborn(body):
        text = body.get("inputs", {}).get("input_string", [""])[0] if isinstance(body.get("inputs"), dict) else ""
        return reply([{"0": text_for(text, 100)}]) if text else REFUSED

    server.respond_with(serve({"/score": stubborn}))
    best = found(server, config_of("/score")).best
    assert best.formatter == "gpt2"
    assert best.reason.endswith("and ignores max_new_tokens")


def test_vectors_are_recognised(server, config_of):
    server.respond_with(serve({"/score": lambda body: reply([[0.1, -0.2, 0.3]]) if "input_data" in body else REFUSED}))
    best = found(server, config_of("/score")).best
    assert (best.formatter, best.route) == ("embeddings", "/score")


def test_model_that_refuses_max_tokens_is_probed_again(server, config_of):
    renamed = {"message": "'max_tokens' is not supported with this model. Use 'max_completion_tokens'."}
    renamed |= {"param": "max_tokens", "code": "unsupported_parameter"}

    def reasoning(body):
        if "max_tokens" in body:
            return reply({"error": renamed}, 400)
        return chat({"messages": body["messages"], "max_tokens": 20})

    server.respond_with(serve({"/v1/chat/completions": reasoning}))
    assert found(server, config_of()).best.formatter == "openai-chat"
    assert len(posts(server)) == 3


# ---- which answers count


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("{'input_data': ['Why is']}", True),
        ('{"messages": [{"role": "user"}]}', True),
        ('He said "messages" were late.', False),
        ("", False),
    ],
)
def test_repeated_request_is_recognised(text, repeated):
    body = json.dumps({"input_data": ["x"], "messages": [{"role": "user", "content": "x"}]}, separators=(",", ":"))
    assert is_request_repeated(text, body.encode()) is repeated


@pytest.mark.parametrize(
    ("first", "second", "follows"),
    [
        ("Museums are dry.", "Rivers carry salt.", True),
        ("The same.", "the  same.", False),
        ("This is a long text.", "This is a", False),
        ("", "x", False),
    ],
)
def test_answers_follow_their_prompts(first, second, follows):
    assert follows_prompts(Response(first), Response(second)) is follows


def test_answers_of_reasoning_alone_follow_their_prompts():
    thought = Response("", reasoning="Hm", finish_reason="length")
    assert follows_prompts(thought, thought)


@pytest.mark.parametrize(
    ("text", "usage", "limit", "heeds"),
    [
        ("Four tokens of text", None, 4, True),
        ("x" * 200, None, 4, False),
        ("x" * 200, Usage(completion_tokens=4), 4, True),
        ("x", Usage(completion_tokens=40), 4, False),
        ("x" * 200, None, 0, True),
        (
            "x",
            Usage(completion_tokens=40, details={"completion_tokens_details": {"reasoning_tokens": 36}}),
            4,
            True,
        ),
    ],
)
def test_answer_heeds_the_limit(text, usage, limit, heeds):
    assert heeds_limit(Response(text, usage=usage), limit) is heeds
