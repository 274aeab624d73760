"""What is different in texts, word by word. Pure, and quick for texts of any length."""

from __future__ import annotations

import bisect
import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A word with its accents; a letter of a script that is written without spaces; any other sign
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[\w\u0300-\u036f])+|[^\s\w]")
_MOST_PAIRS = 100_000  # of words that difflib compares at once: its worst case is cubic


def marked(texts: Sequence[str]) -> list[list[tuple[str, bool]]]:
    """For each text its pieces as (piece, is new): whether it is unlike what the first non-empty text has there.

    White space is never new. The words that are not marked stand in the first text in the same order; of long texts
    that have little in common, some words that do are marked all the same, so that it takes no longer than reading.
    """
    first = next((text for text in texts if text), "")
    reference = _WORD.findall(first)
    return [[(text, False)] if text == first or not text else _pieces(text, reference) for text in texts]


def _pieces(text: str, reference: Sequence[str]) -> list[tuple[str, bool]]:
    """`text` in pieces that are new or not: runs of new words keep the spaces between them."""
    words = list(_WORD.finditer(text))
    known = set(_in_common(reference, [word[0] for word in words]))
    pieces: list[tuple[str, bool]] = []
    at = end = 0  # where the piece begins, and where its last word ends
    was_new = False
    for index, word in enumerate(words):
        is_new = index not in known
        if is_new != was_new:
            cut = end if was_new else word.start()
            pieces.append((text[at:cut], was_new))
            at, was_new = cut, is_new
        end = word.end()
    pieces.append((text[at:end], was_new))
    pieces.append((text[end:], False))
    return [piece for piece in pieces if piece[0]]


def _in_common(old: Sequence[str], new: Sequence[str]) -> Iterator[int]:
    """Positions of words in `new` that stand in `old`, too, in the same order."""
    head = _same(old, new)
    old, new = old[head:], new[head:]
    tail = _same(old[::-1], new[::-1])
    yield from range(head)
    yield from (head + at for at in _in_the_middle(old[: len(old) - tail], new[: len(new) - tail]))
    yield from range(head + len(new) - tail, head + len(new))


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words they begin with alike."""
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def _in_the_middle(old: Sequence[str], new: Sequence[str]) -> Iterator[int]:
    at_old = at_new = 0
    is_long = len(old) * len(new) > _MOST_PAIRS
    for anchor_old, anchor_new in [*(_anchors(old, new) if is_long else ()), (len(old), len(new))]:
        between_old, between_new = old[at_old:anchor_old], new[at_new:anchor_new]
        if between_old and between_new and len(between_old) * len(between_new) <= _MOST_PAIRS:
            matcher = difflib.SequenceMatcher(None, between_old, between_new, autojunk=False)
            for _, start, size in matcher.get_matching_blocks():
                yield from range(at_new + start, at_new + start + size)
        if anchor_new < len(new):
            yield anchor_new
        at_old, at_new = anchor_old + 1, anchor_new + 1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """(position in old, position in new) where three words stand that stand once in each, in both texts' order."""
    threes_old, threes_new = (list(zip(words, words[1:], words[2:], strict=False)) for words in (old, new))
    count_old, count_new = Counter(threes_old), Counter(threes_new)
    where = {three: at for at, three in enumerate(threes_old) if count_old[three] == 1}
    pairs = [(where[three], at) for at, three in enumerate(threes_new) if count_new[three] == 1 and three in where]
    # the longest run of pairs that goes upwards in both: for each length the run that ends lowest
    ends: list[int] = []
    runs: list[int] = []
    before: list[int] = []
    for index, (position, _) in enumerate(pairs):
        length = bisect.bisect_left(ends, position)
        before.append(runs[length - 1] if length else -1)
        ends[length : length + 1] = [position]
        runs[length : length + 1] = [index]
    chain = []
    index = runs[-1] if runs else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]
