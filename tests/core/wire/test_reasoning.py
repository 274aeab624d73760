"""Thoughts and answer in one text: told apart by position, whole and in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.wire.reasoning import Piece, ReasoningSplitter, split_reasoning

HARMONY = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>"


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>\nHm.\n</think>\n\nFour.", "Hm.", "Four."),
        ("\n<think>Hm.</think>Four.", "Hm.", "Four."),
        ("<think>\n\n</think>\n\nFour.", "", "Four."),
        ("<think>a\n</think>\n<think>b</think>Four.", "a\nb", "Four."),
        ("[THINK]Hm.[/THINK]Four.", "Hm.", "Four."),
        ("Hm.\n</think>\n\nFour.", "Hm.", "Four."),
        ("Hm.</think>Four.", "Hm.", "Four."),
        ("</think>Four.", "", "Four."),
        ('So "4".</think>"4"', 'So "4".', '"4"'),
        ("So `4`</think>\n4", "So `4`", "4"),
        ("Hm. </think>\nFour.", "Hm.", "Four."),
        ("<think>Hm, but then", "Hm, but then", ""),
        (HARMONY, "Hm.", "Four."),
        ("<|start|>assistant" + HARMONY, "Hm.", "Four."),
        ("<|channel|>final<|message|>Four.", "", "Four."),
        ('<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"n": 1}<|call|>', '{"n": 1}', ""),
        ("<|channel|>analysis<|message|>Hm, but", "Hm, but", ""),
    ],
)
def test_thoughts_at_the_beginning_are_not_the_answer(text, reasoning, answer):
    assert split_reasoning(text) == (reasoning, answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        " Four.\n",
        "<",
        "<think>",
        "<thin air>",
        "The tag <think> begins thoughts and </think> ends them.",
        "Use `</think>` to end them.",
        'It ends with "</think>".',
        "The tag </think> ends them.",
        "```\n<think>\n</think>\n```",
        "See <think>\n</think>\nbelow",
        "Write [THINK] first",
        "a <|channel|> token",
    ],
)
def test_tags_elsewhere_are_part_of_the_answer(text):
    assert split_reasoning(text) == ("", text)


PARTS = ["<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|end|>", "<|start|>assistant",
         "analysis", "final", "<", "</", "[", "`", " ", "\n", "Hm.", "Four"]  # fmt: skip


def split_in_pieces(pieces):
    splitter, whole = ReasoningSplitter(), Piece()
    for piece in [*map(splitter.feed, pieces), splitter.finish()]:
        whole = whole.then(piece)
    return whole.reasoning, whole.text


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.data())
def test_any_split_gives_what_the_whole_text_gives(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split_in_pieces(pieces) == split_reasoning(text)
    assert split_in_pieces(text) == split_reasoning(text)


@given(st.text().filter(lambda text: not any(part in text for part in ("<think>", "</think>", "THINK]", "<|"))))
def test_text_without_tags_is_unchanged(text):
    assert split_reasoning(text) == ("", text)


@pytest.mark.parametrize("start", ["", "<think>x</think>  "])
def test_white_space_before_the_text_is_read_in_linear_time(start):
    splitter = ReasoningSplitter()
    splitter.feed(start)
    for _ in range(300_000):  # a quadratic reader would take half a minute
        assert splitter.feed("\n") == Piece()
    assert splitter.feed("<think>a</think>b").then(splitter.finish())[:2] == ("a", "b")
