"""Which words of a text differ from another's; and that long texts are compared quickly."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.word_diff import diff_words, mark_differences


@pytest.mark.parametrize(
    ("first", "other", "expected"),
    [
        ("a b c", "a b c", "a b c"),
        ("the cat sat", "the dog sat", "the *dog* sat"),
        ("the cat sat", "the cat sat down.", "the cat sat *down.*"),
        ("one two", "zero point one two", "*zero point* one two"),
        ("a  b", "a b\n", "a b\n"),
        ("a b", "x y", "*x y*"),
        ("naïve cafe\u0301", "naïve café!", "naïve *café!*"),
        ("cafe\u0301 bar", "cafe\u0302 bar", "*cafe\u0302* bar"),
        ("東京は晴れ", "東京は雨", "東京は*雨*"),
        ("서울은 맑음", "부산은 맑음", "*부산은* 맑음"),
        ("", "new", "new"),  # the first that says something is what the others are compared with
        ("said", "", ""),
    ],
)
def test_words_that_differ_from_the_first_text_are_marked(first, other, expected):
    pieces = mark_differences([first, other])[1]
    assert "".join(f"*{piece}*" if is_new else piece for piece, is_new in pieces) == expected


WORDS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", ".", "é", "東", "<", "cat"]), max_size=30).map("".join)


def in_order(words, reference):
    rest = iter(reference)
    return all(any(word == other for other in rest) for word in words)


@given(st.lists(WORDS | st.text(max_size=20), max_size=4))
def test_pieces_join_to_the_text_and_equal_words_keep_their_order(texts):
    first = next((text for text in texts if text), "")
    for text, pieces in zip(texts, mark_differences(texts), strict=True):
        assert "".join(piece for piece, _ in pieces) == text
        assert all(piece.strip() == piece and piece for piece, is_new in pieces if is_new)
        kept = "".join(piece if not is_new else " " * len(piece) for piece, is_new in pieces)
        assert in_order([sign for sign in kept if not sign.isspace()], first)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("the cat sat", "the cat sat", "the cat sat"),
        ("the cat sat", "the dog sat", "the{- cat} {+dog} sat"),
        ("the cat sat", "the cat sat down.", "the cat sat {+down.}"),
        ("a very old cat", "a cat", "a{- very old} cat"),
        ("Well, yes.", "yes.", "{-Well, }yes."),
        ("", "new", "{+new}"),
        ("old", "", "{-old}"),
        ("東京は晴れ", "東京は雨", "東京は{-晴れ}{+雨}"),
    ],
)
def test_removed_words_stand_where_they_were(old, new, expected):
    signs = {" ": "{}", "+": "{{+{}}}", "-": "{{-{}}}"}
    assert "".join(signs[sign].format(piece) for sign, piece in diff_words(old, new)) == expected


@given(WORDS | st.text(max_size=30), WORDS | st.text(max_size=30))
def test_differences_hold_all_words_of_both_texts(old, new):
    pieces = diff_words(old, new)
    assert "".join(piece for sign, piece in pieces if sign != "-") == new
    both = "".join(piece for sign, piece in pieces if sign != "+")
    assert [sign for sign in both if not sign.isspace()] == [sign for sign in old if not sign.isspace()]
    assert all(piece for _, piece in pieces)


def test_another_text_can_be_the_base():
    assert mark_differences(["a b", "a c", "a c d"], base=1) == [
        [("a ", False), ("b", True)],
        [("a c", False)],
        [("a c ", False), ("d", True)],
    ]
    assert mark_differences(["a", "", "b"], base=1) == [[("a", False)], [("", False)], [("b", False)]]


@pytest.mark.parametrize("count", [400, 5_000])
def test_long_texts_are_marked_only_at_differences(count):
    words = [f"w{number % 997}" for number in range(count)]
    other = [*words[:100], "new", *words[100:200], *words[210:300], "other", *words[301:]]
    pieces = mark_differences([" ".join(words), " ".join(other)])[1]
    assert [piece for piece, is_new in pieces if is_new] == ["new", "other"]


def test_sentences_of_a_long_text_are_compared_apart():
    sentences = [f"Sentence {number} speaks of {number * 7} rivers." for number in range(2_000)]
    other = list(sentences)
    other[10] = "Sentence 10 speaks of no rivers."
    other[1_990:1_990] = ["A new one."]
    pieces = mark_differences([" ".join(sentences), " ".join(other)])[1]
    assert [piece for piece, differs in pieces if differs] == ["no", "A new one."]


def _shuffled(words):
    return random.Random(1).sample(words, len(words))


LONG = {
    "one word": ["ha"] * 66_000,
    "four words": ["to", "be", "or", "not"] * 17_000,
    "120 words": [f"w{number % 120}" for number in range(48_000)],
    "all different": [f"w{number}" for number in range(32_000)],
    "short lines": ["a\n", "b\n", "c\n"] * 22_000,
    "sentences": [f"w{number % 900}{'.' if number % 12 == 0 else ''}" for number in range(40_000)],
    "paragraphs": [word for part in range(40) for word in [*(f"w{n % 120}" for n in range(1_200)), f"\npart{part}\n"]],
    "repetitive paragraphs": [word for part in range(300) for word in [*["ha"] * 223, f"\npart{part}\n"]],
    "signs": list("({[<>]})") * 12_000,
}
CHANGES = {
    "every tenth": lambda words: [
        "zz" if index % 10 == 0 and "part" not in word else word for index, word in enumerate(words)
    ],
    "every third": lambda words: [
        "zz" if index % 3 == 0 and "part" not in word else word for index, word in enumerate(words)
    ],
    "reversed": lambda words: words[::-1],
    "rotated": lambda words: words[len(words) // 2 :] + words[: len(words) // 2],
    "shuffled": _shuffled,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("words", LONG)
def test_two_texts_of_200_kilobytes_are_compared_quickly(words, change):
    first, other = " ".join(LONG[words]), " ".join(CHANGES[change](LONG[words]))
    assert len(first) > 190_000
    start = time.process_time()
    mark_differences([first, other])
    assert time.process_time() - start < 5
