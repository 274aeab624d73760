"""Chunks put together to a response, each in its own choice."""

from __future__ import annotations

from azml_magics.core.response import Chunk, Response, Usage, Verdict
from azml_magics.core.wire.response_builder import ResponseBuilder


def build(*chunks: Chunk) -> Response:
    builder = ResponseBuilder()
    for chunk in chunks:
        builder.add(chunk)
    return builder.build(Response("", config="prod"))


def test_nothing_gives_the_base():
    assert build() == Response("", config="prod")


def test_pieces_are_joined():
    response = build(
        Chunk("a", reasoning="h", model="m"),
        Chunk("b", reasoning="m", usage=Usage(1, 2, 3), items=({"type": "x"},)),
        Chunk(finish_reason="stop", logprobs={"content": [1]}),
    )
    assert (response.text, response.reasoning, response.finish_reason) == ("ab", "hm", "stop")
    assert (response.usage, response.model, response.items) == (Usage(1, 2, 3), "m", ({"type": "x"},))
    assert response.logprobs == {"content": [1]}
    assert response.choices == ()


def test_choices_are_in_the_order_of_their_index():
    response = build(Chunk("b", index=1, others=(Chunk("a"), Chunk("c", index=2))), Chunk("!", index=1))
    assert [choice.text for choice in response.choices] == ["a", "b!", "c"]
    assert response.text == "a"


def test_retraction_makes_earlier_text_thoughts():
    response = build(Chunk(" Hm"), Chunk("."), Chunk("Four", reasoning="\n", retracts=True), Chunk("."))
    assert (response.text, response.reasoning) == ("Four.", "Hm.")


def test_gravest_verdict_of_a_category_counts():
    safe, low = Verdict("hate", "safe"), Verdict("hate", "low")
    stopped = Verdict("hate", "low", filtered=True)
    assert build(Chunk(filters=(safe,)), Chunk(filters=(low,)), Chunk(filters=(safe,))).filters == (low,)
    assert build(Chunk(filters=(stopped,)), Chunk(filters=(Verdict("hate", "high"),))).filters == (stopped,)
    prompt = Verdict("hate", "safe", source="prompt")
    assert build(Chunk(filters=(low, prompt))).filters == (low, prompt)
