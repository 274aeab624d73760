"""A key that a server writes into its response is masked: whole, streamed, and cut anywhere."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import AsyncClient, Client, Secret
from azml_magics.core.redaction import MASK
from azml_magics.core.response import Chunk, Response
from azml_magics.core.stream_redaction import StreamRedactor, keys_to_mask, redact_response

from .conftest import KEY as CLIENTS_KEY
from .server import delta, reply, streamed

KEY = "kQ7pLm2/xV+9wR4tYb8nZc3H"
SPELLINGS = [
    KEY,
    quote(KEY, safe=""),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(f"ann:{KEY}".encode()).decode(),
]


def stream(texts, kind="text", keys=(KEY,)):
    redactor = StreamRedactor(keys)
    chunks = [redactor.feed(Chunk(**{kind: text})) for text in texts]
    return [getattr(chunk, kind) for chunk in [*chunks, *redactor.close()]]


@pytest.mark.parametrize("kind", ["text", "reasoning"])
@pytest.mark.parametrize("spelling", SPELLINGS)
@given(data=st.data())
def test_key_cut_anywhere_is_masked(kind, spelling, data):
    text = f"before {spelling} after"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = "".join(stream(pieces, kind))
    assert MASK in shown
    assert spelling[4:-4] not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@given(st.lists(st.text(alphabet=f"{KEY} x", max_size=8)))
def test_text_without_a_key_arrives_whole(texts):
    joined = "".join(texts)
    if KEY[:8] not in joined:
        assert "".join(stream(texts)) == joined


def test_no_more_is_held_back_than_may_begin_a_key():
    assert stream(["The answer ", f"is {KEY[:3]}", "no."]) == ["The answer ", "is ", f"{KEY[:3]}no."]


def test_end_of_the_response_releases_what_was_held():
    redactor = StreamRedactor((KEY,))
    assert redactor.feed(Chunk(text=f"see {KEY[0]}")).text == "see "
    assert redactor.feed(Chunk(finish_reason="stop")).text == KEY[0]
    assert list(redactor.close()) == []


def test_cut_off_key_at_the_end_is_masked():
    assert "".join(stream([f"see {KEY[:12]}"])) == f"see {MASK}"


def test_arguments_of_a_tool_are_masked_across_pieces():
    redactor = StreamRedactor((KEY,))
    calls = [
        {"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"a": "' + KEY[:10]}},
        {"index": 0, "function": {"arguments": KEY[10:] + '"}'}},
    ]
    chunks = [*(redactor.feed(Chunk(tool_calls=(call,))) for call in calls), *redactor.close()]
    shown = "".join(call["function"]["arguments"] for chunk in chunks for call in chunk.tool_calls)
    assert shown == '{"a": "' + MASK + '"}'
    assert chunks[0].tool_calls[0]["id"] == "1"


@pytest.mark.parametrize("key", ["ollama", "not-needed", "lm-studio", "EMPTY", "sk-none", "secret"])
def test_placeholder_keys_of_local_servers_leave_text_alone(key):
    assert keys_to_mask((Secret(key),)) == ()


def test_response_is_masked_in_everything_that_it_holds():
    response = Response(KEY, reasoning=KEY, raw={"a": [KEY]}, items=({"b": KEY},), logprobs=[KEY[:3]])
    response = redact_response(replace(response, choices=(Response(KEY),)), (KEY,))
    assert KEY not in repr(vars(response))
    assert response.logprobs is None


# ---- over the network ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["model", "id", "finish_reason"])
def test_what_the_server_writes_in_one_piece_is_masked(field):
    assert getattr(redact_response(Response("Hi", **{field: f"no {KEY}"}), (KEY,)), field) == f"no {MASK}"
    assert getattr(StreamRedactor((KEY,)).feed(Chunk("Hi", **{field: f"no {KEY}"})), field) == f"no {MASK}"


def test_client_masks_an_answer_that_repeats_the_key(server, config_of):
    server.respond_with(reply({"choices": [{"message": {"content": f"Your key is {CLIENTS_KEY}."}}]}))
    response = Client().invoke(config_of(), "Hi")
    assert response.text == f"Your key is {MASK}."
    assert CLIENTS_KEY not in repr(vars(response))


def test_client_masks_a_stream_that_cuts_the_key(server, config_of):
    pieces = ["Your key ", "is ", CLIENTS_KEY[:5], CLIENTS_KEY[5:9], CLIENTS_KEY[9:], "."]
    server.respond_with(streamed(*(delta(piece) for piece in pieces), delta("", finish_reason="stop")))
    with Client().stream(config_of(), "Hi") as chunks:
        said = "".join(chunk.text for chunk in chunks)
    assert said == chunks.response.text == f"Your key is {MASK}."


async def test_async_client_masks_as_well(server, config_of):
    server.respond_with(streamed(delta(CLIENTS_KEY[:7]), delta(CLIENTS_KEY[7:]), delta("", finish_reason="stop")))
    async with AsyncClient() as client, client.stream(config_of(), "Hi") as chunks:
        assert "".join([chunk.text async for chunk in chunks]) == MASK


def test_stream_masks_what_had_arrived(server, config_of):
    server.respond_with(streamed(delta(f"It is {CLIENTS_KEY[:10]}"), delta(CLIENTS_KEY[10:])))
    with Client().stream(config_of(), "Hi") as chunks:
        said = next(iter(chunks)).text
        assert CLIENTS_KEY[:10] not in f"{said} {chunks.response}"
