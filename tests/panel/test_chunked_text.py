"""A growing response in chunks: they join to the text, final ones never change, and the traffic is linear."""

from __future__ import annotations

import itertools
import textwrap
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.panel.view import chunked_text
from azml_magics.panel.view.chunked_text import ChunkedText

WORDS = "A river runs from its spring to the sea, and everything on its way is the river's. "


def prose(length):
    return "\n\n".join(itertools.islice(itertools.repeat(WORDS * 5), length // 400 + 1))[:length]


def one_line(length):
    return ("no break at all " * (length // 16 + 1))[:length]


def one_fence(length):
    lines = "\n\n".join(f"print('line {n}')" for n in range(length // 15))
    return f"```python\n{lines[: length - 14]}\n```"


def a_list(length):
    return "\n\n".join(f"{n}. {WORDS}" for n in range(1, length // 80))[:length]


def fences(length):
    return f"{WORDS * 5}\n\n```\n{WORDS}\n\n{WORDS}\n```\n\n" * (length // 600)


SHAPES = [prose, one_line, one_fence, a_list, fences]


def frames(text, step):
    """The last chunks as they are sent while the text arrives in tokens of that length."""
    growing = ChunkedText()
    for end in range(step, len(text) + step, step):
        before = list(growing.chunks)
        is_worth_it = growing.grow(text[:end])
        assert "".join(growing.chunks) == text[:end]
        assert growing.chunks[: len(before) - 1] == before[:-1]  # final chunks do not change
        sent = growing.chunks[len(before) - 1 : -1]
        yield sum(map(len, sent)) + (len(growing.chunks[-1]) if is_worth_it else 0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [4, 40])
def test_traffic_is_proportional_to_a_long_response(shape, step):
    text = shape(60_000)
    # every frame sends a short last chunk; a long one is sent after growing by a sixteenth
    most = chunked_text._SMALL / step + 1 / chunked_text.GROWTH + 3
    assert sum(frames(text, step)) <= most * len(text)


@pytest.mark.parametrize("shape", SHAPES)
def test_double_response_doubles_the_traffic(shape):
    once, twice = (sum(frames(shape(length), 20)) for length in (40_000, 80_000))
    assert twice <= 2.5 * once


@pytest.mark.parametrize("shape", [prose, fences])
def test_chunks_end_between_blocks(shape):
    growing = ChunkedText()
    for end in range(7, 20_000, 7):
        growing.grow(shape(20_000)[:end])
    assert len(growing.chunks) > 10
    assert all(piece.endswith("\n\n") and len(piece) >= chunked_text._MIN_CHUNK for piece in growing.chunks[:-1])


def test_unchanged_text_needs_no_frame():
    growing = ChunkedText()
    assert growing.grow("A river")
    assert not growing.grow("A river")
    assert growing.grow("A river runs")


def test_empty_text_needs_no_frame():
    growing = ChunkedText()
    assert not growing.grow("")
    assert growing.chunks == [""]


# ---- any text

_TEXT = st.text("ab $*_.[]!#>-", min_size=1, max_size=30).map(lambda line: f"x{line}")
_CODE = st.lists(
    st.sampled_from(["", "x = 1", "# no heading", "- no item", "1. no number", "``", "~~", "$$", "> no quote", "   "]),
    min_size=1,
    max_size=8,
).map("\n".join)
_FENCE = st.tuples(st.sampled_from(["```", "````", "~~~", "~~~~~"]), st.sampled_from(["", "python", " js"]), _CODE).map(
    lambda part: f"{part[0]}{part[1]}\n{part[2]}\n{part[0]}"
)
_PROSE = st.one_of(
    st.lists(_TEXT, min_size=1, max_size=4).map("\n".join),
    _TEXT.map(lambda text: f"# {text}"),
    st.lists(_TEXT, min_size=1, max_size=4).map(lambda lines: "\n\n".join(f"- {line}" for line in lines)),
    st.lists(_TEXT, min_size=1, max_size=4).map(
        lambda lines: "\n\n".join(f"{n}. {line}" for n, line in enumerate(lines, 9))
    ),
    st.lists(_TEXT, min_size=1, max_size=3).map(lambda lines: "\n\n".join(f"> {line}" for line in lines)),
    st.just("```one line of `code` is no fence``` and more"),
    st.just("a line separator\u2028```\u2028is no line"),
    st.just("$$\na\n\nb\n$$"),
)
_PARTS = st.lists(st.tuples(st.just("prose"), _PROSE) | st.tuples(st.just("fence"), _FENCE), min_size=1, max_size=12)


def cut(text, cuts):
    """The growing text, in tokens of these lengths."""
    ends = itertools.takewhile(lambda end: end < len(text), itertools.accumulate(itertools.cycle(cuts)))
    return [*(text[:end] for end in ends), text]


def grown(text, cuts, long_enough):
    """The chunked text after those tokens, and its chunks after each of them."""
    growing, seen = ChunkedText(), [""]
    with mock.patch.object(chunked_text, "_MIN_CHUNK", long_enough):
        for so_far in cut(text, cuts):
            growing.grow(so_far)
            assert "".join(growing.chunks) == so_far
            assert growing.chunks[: len(seen) - 1] == seen[:-1]
            seen = list(growing.chunks)
    return growing.chunks


_CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(_PARTS, _CUTS, st.integers(1, 60))
def test_no_chunk_ends_inside_a_fence(parts, cuts, long_enough):
    text, inside = "", []
    for kind, part in parts:
        if kind == "fence":
            inside.append((len(text), len(text) + len(part)))
        text += f"{part}\n\n"
    ends = itertools.accumulate(map(len, grown(text, cuts, long_enough)[:-1]))
    assert not [(end, fence) for end in ends for fence in inside if fence[0] < end < fence[1]]


@given(st.text("ab`~$-1.* \n\r\u2028", max_size=400), _CUTS, st.integers(1, 60))
def test_chunks_join_to_the_text(text, cuts, long_enough):
    assert "".join(grown(text, cuts, long_enough)) == text


@given(
    st.sampled_from(["-", "*", "+", "{n}.", "{n})", ">"]),
    st.lists(_TEXT, min_size=2, max_size=30),
    _CUTS,
    st.integers(1, 60),
)
def test_list_stays_in_one_chunk(mark, items, cuts, long_enough):
    """Else its numbers would restart and its bullets would be separated."""
    lines = [f"{mark.format(n=n)} {item}" for n, item in enumerate(items, 7)]
    assert len(grown("\n\n".join(lines), cuts, long_enough)) == 1


def test_list_item_keeps_its_continuation():
    item = "- " + WORDS * 20 + "\n\n" + textwrap.indent(WORDS * 20, "  ")
    assert len(grown(item, [9], 100)) == 1


def test_display_formula_stays_in_one_chunk():
    formula = "$$\n" + "x + y\n\n" * 400 + "$$"
    assert len(grown(formula, [9], 100)) == 1


def test_dollar_signs_in_code_start_no_formula():
    code = "```sh\necho $$\n```\n\n"
    assert len(grown(code + f"{WORDS}\n\n" * 40, [9], 100)) > 10


def test_inline_code_opens_no_fence():
    fence = "```\ncode\n\nmore code\n```\n\n"
    chunks = grown(f"```a line` of it\n\n{fence}and the end of it all", [9], 1)
    assert fence in chunks
