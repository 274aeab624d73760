"""Responses of real servers, byte for byte: Microsoft's scoring server (scoring-*), the model catalogue's chat server
(catalogue-*) and llama.cpp (llama-*), each served again from this machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core.client import invoke, stream
from azml_magics.core.errors import (
    BadRequestError,
    ModelError,
    NotFoundError,
    ResponseFormatError,
)
from azml_magics.core.response import Usage

FOLDER = Path(__file__).parent / "captures"
CHAT, COMPLETIONS, SCORE = "/v1/chat/completions", "/v1/completions", "/score"


@pytest.fixture
def replay(server):
    """Serves a capture; the connection ends with it, as its headers say."""

    def serve(name: str) -> None:
        raw = (FOLDER / f"{name}.http").read_bytes()
        server.respond_with(lambda connection, request: connection.sendall(raw))

    return serve


def test_every_capture_is_read_by_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in FOLDER.glob("*.http") if f'"{path.stem}"' not in source] == []


@pytest.mark.parametrize(
    ("name", "path", "formatter", "text"),
    [
        (
            "scoring-gpt2",
            SCORE,
            "gpt2",
            "The capital of France is the capital of the country of France. It is the largest",
        ),
        ("scoring-hf", SCORE, "hf", "The capital of France is the capital of the country of France. It is the largest"),
        ("catalogue-score", SCORE, "openai-chat", "The capital of France is Paris."),
        (
            "llama-completion",
            COMPLETIONS,
            "openai",
            ", the city of New Haven was a thriving metropolis, with towering skyscrapers and bustling streets. "
            "But as the years went by",
        ),
        ("llama-logprobs", CHAT, "openai-chat", "The capital of"),
    ],
)
def test_whole_responses(replay, config_of, name, path, formatter, text):  # noqa: PLR0917 - a column each
    replay(name)
    assert invoke(config_of(path, formatter=formatter), "Hi").text == text


def test_finish_reason_usage_request_id_and_logprobs(replay, config_of):
    replay("llama-completion")
    response = invoke(config_of(COMPLETIONS), "Hi")
    assert (response.finish_reason, response.usage, response.model) == ("length", Usage(4, 24, 28), "smollm2")
    replay("scoring-gpt2")
    assert invoke(config_of(SCORE, formatter="gpt2"), "Hi").request_id == "bb0e6e15-76b5-4634-822f-bed2e1dae874"
    replay("llama-logprobs")
    first = invoke(config_of(CHAT), "Hi").logprobs["content"][0]
    assert (first["token"], round(first["logprob"], 3)) == ("The", -1.256)


@pytest.mark.parametrize(
    ("name", "path", "text", "reason", "usage"),
    [
        ("catalogue-stream", CHAT, "The capital of France is Paris.", "stop", None),
        ("llama-stream", CHAT, "The capital of France is Paris.", "stop", Usage(25, 8, 33)),
        ("llama-completion-stream", COMPLETIONS, None, "length", Usage(4, 12, 16)),
        ("llama-unicode-stream", CHAT, None, "length", None),
    ],
)
def test_streams(replay, config_of, name, path, text, reason, usage):  # noqa: PLR0917 - a column each
    replay(name)
    with stream(config_of(path), "Hi") as pieces:
        chunks = [piece.text for piece in pieces]
    response = pieces.response
    assert response.text == "".join(chunks)
    assert len(chunks) > 3
    assert response.text == text if text else response.text
    assert response.finish_reason == reason
    if usage:
        assert response.usage == usage


def test_streamed_characters_beyond_ascii_are_whole(replay, config_of):
    replay("llama-unicode-stream")
    with stream(config_of(CHAT), "Hi") as pieces:
        text = "".join(piece.text for piece in pieces)
    assert text.startswith("このわじ")
    assert "\ufffd" not in text


def test_streamed_tool_calls_are_joined(replay, config_of):
    replay("llama-tools-stream")
    with stream(config_of(CHAT), "Hi") as pieces:
        list(pieces)
    first, second = pieces.response.tool_calls
    assert (first["id"], second["id"]) == ("OJXbPcTMQqGzLIwEobuYpt6vgKskM9yB", "d8sdWPFNSHaaYQXvjSQy2xc2nDCLV0VZ")
    for call in (first, second):
        assert call["function"] == {"name": "get_weather", "arguments": '{\n    "city": "Paris"\n}'}
    assert pieces.response.finish_reason == "tool_calls"
    assert pieces.response.usage == Usage(190, 67, 257)


@pytest.mark.parametrize(
    ("name", "path", "formatter", "kind", "message"),
    [
        (
            "scoring-run-raises",
            SCORE,
            "gpt2",
            ModelError,
            "(500): An unexpected error occurred in scoring script",
        ),
        ("scoring-no-route", SCORE, "gpt2", NotFoundError, "no such route (404): The requested URL was not found"),
        ("scoring-missing-inputs", SCORE, "dolly", BadRequestError, "not provided for the 'inputs' parameter"),
        ("scoring-empty-list", SCORE, "gpt2", ResponseFormatError, "no text that this formatter can find: []"),
        ("catalogue-score-failed", SCORE, "openai-chat", ModelError, "returned status 200 with {}"),
        ("catalogue-score-too-long", SCORE, "openai-chat", ModelError, "how its model server reports a failure"),
        ("catalogue-too-long", CHAT, "", BadRequestError, "(400): request (4010 tokens) exceeds the available context"),
        ("catalogue-tools", CHAT, "", BadRequestError, "body.tools.0.function.description: Field required"),
        ("catalogue-wrong-task", COMPLETIONS, "", BadRequestError, "task_type chat-completion not available"),
        ("catalogue-extra-parameters", CHAT, "", BadRequestError, "Extra parameters ['safe_prompt'] are not allowed"),
        ("llama-too-long", CHAT, "", BadRequestError, "(400): request (4001 tokens) exceeds the available context"),
    ],
)
def test_failures(replay, config_of, name, path, formatter, kind, message):  # noqa: PLR0917 - a column each
    replay(name)
    with pytest.raises(kind) as caught:
        invoke(config_of(path, formatter=formatter), "Hi")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
