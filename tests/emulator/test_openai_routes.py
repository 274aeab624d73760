"""The OpenAI-style routes: bodies, settings, checks."""

from __future__ import annotations

import base64

import pytest

from azml_magics.emulator.unknown_prompts import reply_to_unknown

HELLO = [{"role": "user", "content": "Hello"}]
CHAT_ROUTES = [
    "/chat/completions",
    "/v1/chat/completions",
    "/models/chat/completions?api-version=2024-05-01-preview",
    "/openai/v1/chat/completions",
    "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
    "/api/v1/endpoint/mine/v1/chat/completions",
]
TEXT_ROUTES = [
    "/completions",
    "/v1/completions",
    "/openai/v1/completions",
    "/openai/deployments/x/completions?api-version=2024-10-21",
]


@pytest.mark.parametrize("route", CHAT_ROUTES)
def test_every_chat_route_responds(client, route):
    response = client.post(route, json={"model": "m", "messages": HELLO}).json()
    assert response["object"] == "chat.completion"
    assert response["model"] == "m"
    (choice,) = response["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == "Hello! How can I help you today?"
    assert choice["finish_reason"] == "stop"
    usage = response["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("route", TEXT_ROUTES)
def test_every_completion_route_responds(client, route):
    response = client.post(route, json={"model": "m", "prompt": "Once upon a time"}).json()
    assert response["object"] == "text_completion"
    assert response["choices"][0]["text"] == f" {reply_to_unknown('Once upon a time')}"
    assert response["usage"]["prompt_tokens"] == 4


def test_missing_api_version_or_model_gets_400(client):
    missing = client.post("/models/chat/completions", json={"model": "m", "messages": HELLO})
    assert (missing.status_code, missing.json()["error"]["code"]) == (400, "MissingApiVersionParameter")
    assert client.post("/openai/deployments/x/chat/completions", json={"messages": HELLO}).status_code == 400
    for route in ("/models/chat/completions?api-version=1", "/openai/v1/chat/completions"):
        assert client.post(route, json={"messages": HELLO}).json()["error"]["code"] == "no_model_name"
    assert (
        client.post("/openai/deployments/x/chat/completions?api-version=1", json={"messages": HELLO}).json()["model"]
        == "x"
    )


def test_extra_parameters_policy_matches_inference_api(client):
    body = {"messages": HELLO, "n": 2, "stream_options": {"include_usage": True}}
    refused = client.post("/chat/completions", json=body)
    assert refused.status_code == 400
    assert refused.json()["detail"] == (
        "Extra parameters ['n', 'stream_options'] are not allowed when extra-parameters is not set or set to be 'error'. "
        "Set extra-parameters to 'pass-through' to pass to the model."
    )
    dropped = client.post("/chat/completions", json=body, headers={"extra-parameters": "drop"}).json()
    assert len(dropped["choices"]) == 1
    passed = client.post("/chat/completions", json=body, headers={"extra-parameters": "pass-through"}).json()
    assert len(passed["choices"]) == 2
    odd = client.post("/chat/completions", json=body, headers={"extra-parameters": "nope"})
    assert odd.json() == {
        "detail": "Unexpected EXTRA_PARAMETERS option nope, expected options are ['error', 'drop', 'pass-through']"
    }
    assert len(client.post("/v1/chat/completions", json=body).json()["choices"]) == 2


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"max_tokens": "lots"}, ["body", "max_tokens"]),
        ({"max_tokens": 0}, ["body", "max_tokens"]),
        ({"max_tokens": 1.5}, ["body", "max_tokens"]),
        ({"temperature": 3}, ["body", "temperature"]),
        ({"top_p": -1}, ["body", "top_p"]),
        ({"presence_penalty": 5}, ["body", "presence_penalty"]),
        ({"seed": "x"}, ["body", "seed"]),
        ({"stop": 3}, ["body", "stop"]),
        ({"stop": ["a", 3]}, ["body", "stop"]),
        ({"stream": "perhaps"}, ["body", "stream"]),
        ({"messages": None}, ["body", "messages"]),
        ({"messages": []}, ["body", "messages"]),
        ({"messages": "hi"}, ["body", "messages"]),
        ({"messages": [{"role": "wizard", "content": "x"}]}, ["body", "messages", 0, "role"]),
        ({"messages": [{"role": "user", "content": None}]}, ["body", "messages", 0, "content"]),
        ({"tools": [{"type": "function"}]}, ["body", "tools", 0, "function"]),
        (
            {"tool_choice": "sometimes", "tools": [{"type": "function", "function": {"name": "f"}}]},
            ["body", "tool_choice"],
        ),
        ({"response_format": {"type": "xml"}}, ["body", "response_format"]),
    ],
)
def test_invalid_option_gets_422_with_location(client, change, where):
    response = client.post("/chat/completions", json={"messages": HELLO, **change})
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["code"], error["message"]) == ("Invalid input", "invalid input error")
    assert error["details"][0]["loc"][: len(where)] == where


def test_bodies_that_are_not_json_are_422(client):
    broken = client.post(
        "/v1/chat/completions", content=b'{"messages": [', headers={"content-type": "application/json"}
    )
    assert (broken.status_code, broken.json()["error"]["details"][0]["type"]) == (422, "json_invalid")
    text = client.post("/chat/completions", content=b"{}", headers={"content-type": "text/plain"})
    assert text.json()["error"]["details"][0]["type"] == "model_attributes_type"


def test_numbers_and_booleans_as_text_are_accepted(client):
    response = client.post("/v1/chat/completions", json={"messages": HELLO, "max_tokens": "3", "stream": "True"})
    assert response.headers["content-type"].startswith("text/event-stream")


def test_token_counts_agree_everywhere(client, chat, events):
    whole = chat("What is Azure?", max_tokens=9)
    assert whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"]["completion_tokens"] == 9
    streamed = events(
        client.post(
            "/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "What is Azure?"}], "max_tokens": 9, "stream": True},
        )
    )
    pieces = [c["choices"][0]["delta"]["content"] for c in streamed[:-1] if c["choices"][0]["delta"].get("content")]
    assert len(pieces) == 9
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", ["max_tokens", "max_new_tokens", "max_gen_len", "max_completion_tokens"])
def test_every_limit_name_is_accepted(chat, name):
    assert chat("Hello", **{name: 2})["usage"]["completion_tokens"] == 2


def test_stop_is_a_string_or_a_list(chat):
    for stop in (" help", ["nowhere", " help"]):
        choice = chat("Hello", stop=stop)["choices"][0]
        assert choice["message"]["content"] == "Hello! How can I"
        assert choice["finish_reason"] == "stop"


def test_ignore_eos_fills_max_tokens(chat):
    response = chat("Hello", max_tokens=700, ignore_eos=True)
    assert response["usage"]["completion_tokens"] == 700
    assert response["choices"][0]["finish_reason"] in ("stop", "length")


def test_n_choices_differ(chat):
    choices = chat("Tell me about balance on a bicycle.", n=3)["choices"]
    assert [c["index"] for c in choices] == [0, 1, 2]
    assert len({c["message"]["content"] for c in choices}) == 3


def test_logprobs_have_one_entry_per_token(client, chat):
    content = chat("Hello", max_tokens=2, logprobs=True)["choices"][0]["logprobs"]["content"]
    assert [item["token"] for item in content] == ["Hello", "!"]
    found = client.post("/v1/completions", json={"prompt": "x", "max_tokens": 2, "logprobs": 1}).json()["choices"][0][
        "logprobs"
    ]
    assert found["tokens"] == [" A", " model"]
    assert found["text_offset"] == [0, 2]
    assert all(value <= 0 for value in found["token_logprobs"])


def test_several_prompts_are_echoed(client):
    response = client.post("/v1/completions", json={"prompt": ["one", "two"], "echo": True}).json()
    assert [c["text"][:4] for c in response["choices"]] == ["one ", "two "]


def test_images_and_audio_are_described(say):
    data = base64.b64encode(b"12345").decode()
    parts = [
        {"type": "text", "text": "What is in the image?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg?sig=secret"}},
        {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}},
    ]
    answer = say("", messages=[{"role": "user", "content": parts}])
    assert (
        "an image (image/png, 5 bytes) and an image at https://example.com/cat.jpg and a sound (mp3, 5 bytes)" in answer
    )
    assert "secret" not in answer


def test_reasoning_is_separate_or_in_think_tags(client, chat):
    response = chat("Why is the sky blue?", headers={"azureml-model-deployment": "reasoning"})
    message = response["choices"][0]["message"]
    assert message["reasoning_content"] == "Air scatters short waves more than long ones. Blue is short."
    assert response["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    old = client.post(
        "/models/chat/completions?api-version=2024-05-01-preview", json={"model": "reasoning", "messages": HELLO}
    ).json()
    assert old["choices"][0]["message"]["content"].startswith("<think>\n")
    assert "</think>\n\nHello!" in old["choices"][0]["message"]["content"]


def test_unpaired_surrogate_does_not_break_the_response(client):
    response = client.post(
        "/v1/chat/completions",
        content=b'{"messages":[{"role":"user","content":"Say hello to \\ud800x"}]}',
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"].startswith("Hello, ?x!")
