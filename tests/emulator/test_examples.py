"""The documented requests of 2026 are answered with the documented structure, key by key and event by event."""

from __future__ import annotations

import json

import pytest

from tests.core.captures.examples import ANTHROPIC, CHAT, EMBEDDINGS, FOLDER, RESPONSES

VERSION = {"anthropic-version": "2026-10-21"}
# Keys of one kind of model or request only, which the examples of another kind lack.
OPTIONAL = {
    *("completed_at", "content_filters", "prompt_cache_key", "prompt_cache_retention"),
    *("output_tokens_details", "obfuscation"),
}
WHOLE = [  # request, route, reply
    ("responses/01-request.json", RESPONSES, "responses/01b-reply-azure-content-filters.json"),
    ("responses/01-request-plain-text.json", RESPONSES, "responses/01-reply.json"),
    ("responses/02-request-reasoning.json", RESPONSES, "responses/02-reply-reasoning.json"),
    ("responses/03-request-tools.json", RESPONSES, "responses/03-reply-function-call.json"),
    ("responses/04-request-json-schema.json", RESPONSES, "responses/04-reply-json-schema.json"),
    ("responses/08-request-background.json", RESPONSES, "responses/08-reply-queued.json"),
    ("anthropic/01-request.json", ANTHROPIC, "anthropic/01-reply.json"),
    ("anthropic/02-request-thinking.json", ANTHROPIC, "anthropic/02-reply-thinking.json"),
    ("anthropic/02-request-thinking-older-models.json", ANTHROPIC, "anthropic/02-reply-thinking.json"),
    ("embeddings/01-request.json", EMBEDDINGS, "embeddings/01-reply.json"),
]
STREAMED = [  # request, what it takes beside, route, stream
    ("responses/01-request-plain-text.json", {"reasoning": {"effort": "none"}}, RESPONSES, "responses/10-stream-text.sse"),
    ("responses/02-request-reasoning.json", {}, RESPONSES, "responses/11-stream-reasoning-summary.sse"),
    ("responses/03-request-tools.json", {"reasoning": {"effort": "none"}}, RESPONSES, "responses/12-stream-function-call.sse"),
    ("responses/02-request-reasoning.json", {"reasoning": {"effort": "none"}, "max_output_tokens": 16}, RESPONSES, "responses/13-stream-incomplete.sse"),
    ("anthropic/01-request.json", {}, ANTHROPIC, "anthropic/10-stream-text.sse"),
    ("anthropic/02-request-thinking.json", {}, ANTHROPIC, "anthropic/11-stream-thinking.sse"),
]  # fmt: skip
REFUSED = [  # route, model, what the request takes beside, the documented refusal
    (CHAT, "gpt-5-mini", {"max_tokens": 9}, "chat/01-error-400-max-tokens.json"),
    (CHAT, "gpt-5-mini", {"temperature": 0.2}, "chat/01-error-400-temperature.json"),
    (
        CHAT,
        "gpt-5.6-sol",
        {"reasoning_effort": "low", "tools": [{"type": "function", "function": {"name": "f"}}]},
        "chat/01-error-400-tools-reasoning-effort.json",
    ),
    (CHAT, "gpt-5-codex", {}, "responses/09-error-400-chat-operation.json"),
    (CHAT, "text-embedding-3-small", {}, "embeddings/03-error-400-chat-on-embedding.json"),
    (RESPONSES, "gpt-5-mini", {"temperature": 0.2}, "responses/09-error-400-unsupported-parameter.json"),
    (ANTHROPIC, "claude-sonnet-4-6", {"max_tokens": 9, "temperature": 1}, "errors/06-anthropic-400-sampling.json"),
    (ANTHROPIC, "claude-sonnet-4-6", {}, "anthropic/06-error-400.json"),
]


def read(file):
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


def structure(value):
    """Names and types; numbers alike, texts alike, an empty list like any other, null like anything."""
    if isinstance(value, dict):
        return {name: structure(item) for name, item in value.items() if name not in OPTIONAL}
    if isinstance(value, list):
        return [structure(item) for item in value]
    return type(value).__name__


def blank(value):
    """The structure without what differs from prompt to prompt: schemas, tools, numbers of fractions."""
    for name in ("tools", "text", "metadata"):
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if key != name}
    return json.loads(json.dumps(structure(value)).replace('"float"', '"int"'))


@pytest.mark.parametrize(("request_file", "route", "reply_file"), WHOLE)
def test_reply_has_the_documented_structure(client, request_file, route, reply_file):
    response = client.post(route, json=read(request_file), headers=VERSION)
    assert response.status_code == 200, response.text
    given, wanted = response.json(), read(reply_file)
    skip = ("instructions", "max_output_tokens", "reasoning") if "output" in wanted else ()  # they repeat the request
    given, wanted = ({name: item for name, item in each.items() if name not in skip} for each in (given, wanted))
    if "output" in wanted:  # the summary has another number of parts, and a model may reason or not
        given, wanted = map(_without_reasoning, (given, wanted))
    assert blank(given) == blank(wanted)


def _without_reasoning(response):
    kept = [item for item in response["output"] if item["type"] != "reasoning"]
    return {**response, "output": kept}


def events_in(text):
    return [
        (lines[0].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: ")))
        for block in text.strip().split("\n\n")
        if (lines := block.split("\n"))
    ]


def outline(events):
    """The kinds of the events with the names in them; repeated ones once."""
    found = []
    for kind, data in events:
        entry = kind, sorted(set(data) - OPTIONAL)
        if not found or found[-1] != entry:
            found.append(entry)
    return found


@pytest.mark.parametrize(("request_file", "more", "route", "stream_file"), STREAMED)
def test_stream_has_the_documented_events(client, request_file, more, route, stream_file):
    body = {**read(request_file), **more, "stream": True}
    response = client.post(route, json=body, headers=VERSION)
    assert response.status_code == 200, response.text
    given = events_in(response.text)
    wanted = events_in((FOLDER / stream_file).read_text(encoding="utf-8"))
    if not any("item" in data and data["item"]["type"] == "reasoning" for _, data in wanted):
        given = [event for event in given if event[1].get("item", {}).get("type") != "reasoning"]
    assert [event for event in outline(given) if event[0] != "ping"] == [
        event for event in outline(wanted) if event[0] != "ping"
    ]


@pytest.mark.parametrize(("route", "model", "more", "error_file"), REFUSED)
def test_refusal_has_the_documented_words(client, route, model, more, error_file):
    prompt = {"input": "Hi"} if route == RESPONSES else {"messages": [{"role": "user", "content": "Hi"}]}
    response = client.post(route, json={"model": model, **prompt, **more}, headers=VERSION)
    assert response.status_code == 400
    assert {**response.json(), "request_id": ""} == {**read(error_file), "request_id": ""}


def test_previous_response_is_continued(client):
    body = read("responses/01-request-plain-text.json")
    first = client.post(RESPONSES, json=body).json()
    again = {**read("responses/05-request-previous-response.json"), "previous_response_id": first["id"]}
    response = client.post(RESPONSES, json=again).json()
    assert response["output"][-1]["content"][0]["text"] == "Madrid."
    assert response["previous_response_id"] == first["id"]


def test_files_and_pictures_are_received(client):
    for file, route in (
        ("responses/06-request-image-pdf.json", RESPONSES),
        ("anthropic/04-request-image-pdf.json", ANTHROPIC),
    ):
        response = client.post(route, json=read(file), headers=VERSION)
        assert response.status_code == 200, response.text
        assert "an image (image/png, 8 bytes) and a file (application/pdf, 8 bytes)" in response.text
    for file, seen in (
        ("chat/08-request-file.json", "a file (application/pdf"),
        ("chat/08-request-audio-pdf.json", "a sound (wav"),
    ):
        assert seen in client.post(CHAT, json=read(file)).text


def test_tool_results_are_reported(client):
    for file, route in (
        ("responses/03-request-function-output.json", RESPONSES),
        ("anthropic/03-request-tool-result.json", ANTHROPIC),
    ):
        response = client.post(route, json=read(file), headers=VERSION)
        assert response.status_code == 200, response.text
        assert "get_weather returned: " in response.text
