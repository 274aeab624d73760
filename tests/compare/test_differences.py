"""Which words of a text are unlike another's; and that long texts are compared in few steps."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.differences import marked


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
def test_words_unlike_the_first_answers_are_marked(first, other, expected):
    pieces = marked([first, other])[1]
    assert "".join(f"*{piece}*" if is_new else piece for piece, is_new in pieces) == expected


WORDS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", ".", "é", "東", "<", "cat"]), max_size=30).map("".join)


def in_order(words, reference):
    rest = iter(reference)
    return all(any(word == other for other in rest) for word in words)


@given(st.lists(WORDS | st.text(max_size=20), max_size=4))
def test_pieces_make_up_the_text_and_what_is_not_marked_stands_in_the_first_one(texts):
    first = next((text for text in texts if text), "")
    for text, pieces in zip(texts, marked(texts), strict=True):
        assert "".join(piece for piece, _ in pieces) == text
        assert all(piece.strip() == piece and piece for piece, is_new in pieces if is_new)
        kept = "".join(piece if not is_new else " " * len(piece) for piece, is_new in pieces)
        assert in_order([sign for sign in kept if not sign.isspace()], first)


@pytest.mark.parametrize("count", [400, 5_000])
def test_long_texts_are_marked_where_they_differ(count):
    words = [f"w{number % 997}" for number in range(count)]
    other = [*words[:100], "new", *words[100:200], *words[210:300], "other", *words[301:]]
    pieces = marked([" ".join(words), " ".join(other)])[1]
    assert [piece for piece, is_new in pieces if is_new] == ["new", "other"]


@pytest.mark.parametrize(
    "words", [["ha"], ["to", "be", "or", "not"], [f"w{number}" for number in range(120)]], ids=["1", "4", "120"]
)
def test_two_texts_of_5000_words_are_compared_in_few_steps(words, monkeypatch):
    """difflib's worst case is cubic: it is never given more than small parts of a long text."""
    given_to_difflib = []
    original = difflib.SequenceMatcher.__init__

    def counted(self, isjunk, a, b, **options):
        given_to_difflib.append(len(a) * len(b))
        original(self, isjunk, a, b, **options)

    monkeypatch.setattr(difflib.SequenceMatcher, "__init__", counted)
    long = (words * 5000)[:5000]
    changed = ["zz" if at % 10 == 0 else word for at, word in enumerate(long)]
    for other in (changed, long[::-1], long[2500:] + long[:2500]):
        marked([" ".join(long), " ".join(other)])
    assert sum(given_to_difflib) < 20 * 100_000
