"""Which words of a text differ from another text's; quick for texts of any length."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

# A word with its accents; one letter of a script that is written without spaces; any other sign
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[\w\u0300-\u036f])+|[^\s\w]")
_SENTENCE_END = re.compile(r"\n|(?<=[.!?。])\s")
_MAX_STEPS = 50_000_000  # of difflib for one text: about two seconds


class _Budget:
    """The steps that difflib may still take for one text."""

    def __init__(self) -> None:
        self._steps = _MAX_STEPS

    def spend(self, old: Sequence[Hashable], new: Sequence[Hashable]) -> bool:
        """Take off what comparing these needs at worst; False if that is more than is left.

        Each search for an equal run visits the items of `old` and their equal pairs in `new`, and each equal run that
        is found leads to two more searches.
        """
        counts = Counter(new)
        steps = (len(old) + sum(counts[item] for item in old)) * min(len(old), len(new))
        if steps > self._steps:
            return False
        self._steps -= steps
        return True


def mark_differences(texts: Sequence[str], base: int | None = None) -> list[list[tuple[str, bool]]]:
    """Cut each text into pieces that are, or are not, in one of them.

    Sentences and lines are compared first, then the words between equal ones. If that would take long, all words
    between them are marked.

    Args:
        texts: The texts.
        base: The index of the text that the others are compared with; None for the first that is not empty.

    Returns:
        For each text its pieces in order: (piece, whether it differs). White space at the edge of a piece never
        differs. The words that do not differ are in the base in the same order.
    """
    first = next((text for text in texts if text), "") if base is None else texts[base]
    if not first:
        return [[(text, False)] for text in texts]
    reference = _split_sentences(first)
    return [[(text, False)] if text == first or not text else _mark(text, reference) for text in texts]


def diff_words(old: str, new: str) -> list[tuple[str, str]]:
    """Return `new` in pieces, and between them the words of `old` that it lacks.

    Returns:
        (sign, piece) in reading order: " " for what both have, "+" for what is in `new` only, "-" for what is in `old`
        only, with a space that keeps it apart. The pieces that are not "-" join to `new`.
    """
    old_words, new_words = list(_WORD.finditer(old)), list(_WORD.finditer(new))
    equal = [*_equal_pairs(_split_sentences(old), _split_sentences(new)), (len(old_words), len(new_words))]
    pieces: list[tuple[str, str]] = []
    old_at = new_at = end = 0  # the next word of each, and the end of what was taken of `new`
    for old_index, new_index in equal:
        added = new_words[new_at:new_index]
        if old_at < old_index:
            pieces.append(("-", _removed(old, old_words, old_at, old_index)))
        if added:
            begin, stop = added[0].start(), added[-1].end()
            pieces += [(" ", new[end:begin]), ("+", new[begin:stop])]
            end = stop
        stop = new_words[new_index].end() if new_index < len(new_words) else len(new)
        pieces.append((" ", new[end:stop]))
        old_at, new_at, end = old_index + 1, new_index + 1, stop
    return _join_pieces(pieces)


def _removed(old: str, words: Sequence[re.Match[str]], start: int, stop: int) -> str:
    """Words of `old` with the space that keeps them apart: the one before them or, at the start, the one after."""
    if start:
        return old[words[start - 1].end() : words[stop - 1].end()]
    return old[words[0].start() : words[stop].start() if stop < len(words) else words[-1].end()]


def _join_pieces(pieces: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pieces without empty ones, and those of the same sign that follow each other as one."""
    joined: list[tuple[str, str]] = []
    for sign, piece in pieces:
        if joined and joined[-1][0] == sign and sign != "-":
            joined[-1] = sign, joined[-1][1] + piece
        elif piece:
            joined.append((sign, piece))
    return joined


def _split_sentences(text: str) -> list[tuple[str, ...]]:
    """The words of each sentence or line."""
    return [words for part in _SENTENCE_END.split(text) if (words := tuple(_WORD.findall(part)))]


def _mark(text: str, reference: Sequence[tuple[str, ...]]) -> list[tuple[str, bool]]:
    """`text` in pieces; a run of differing words keeps the spaces between them."""
    equal = {index for _, index in _equal_pairs(reference, _split_sentences(text))}
    pieces: list[tuple[str, bool]] = []
    start = end = 0  # of the piece; `end` is where its last word ends
    differs = False
    for index, word in enumerate(_WORD.finditer(text)):
        if (index not in equal) != differs:
            cut = end if differs else word.start()
            pieces.append((text[start:cut], differs))
            start, differs = cut, not differs
        end = word.end()
    pieces += [(text[start:end], differs), (text[end:], False)]
    return [piece for piece in pieces if piece[0]]


def _equal_pairs(old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """(index in old, index in new) of words that are in both in the same order, counted over all sentences."""
    old_end = new_end = old_index = new_index = 0
    budget = _Budget()
    for old_start, new_start, size in [*_equal_blocks(old, new, budget), (len(old), len(new), 0)]:
        old_words = [word for sentence in old[old_end:old_start] for word in sentence]
        new_words = [word for sentence in new[new_end:new_start] for word in sentence]
        for start, other, count in _equal_blocks(old_words, new_words, budget):
            yield from ((old_index + start + step, new_index + other + step) for step in range(count))
        old_index, new_index = old_index + len(old_words), new_index + len(new_words)
        old_end, new_end = old_start + size, new_start + size
        count = sum(map(len, new[new_start:new_end]))
        yield from ((old_index + step, new_index + step) for step in range(count))
        old_index, new_index = old_index + count, new_index + count


def _equal_blocks(old: Sequence[Hashable], new: Sequence[Hashable], budget: _Budget) -> Iterator[tuple[int, int, int]]:
    """(start in old, start in new, size) of equal runs: the common start and end, and what difflib finds between."""
    head = _count_equal(old, new)
    tail = _count_equal(old[head:][::-1], new[head:][::-1])
    yield 0, 0, head
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if budget.spend(old_middle, new_middle):
        for start, other, size in SequenceMatcher(None, old_middle, new_middle, autojunk=False).get_matching_blocks():
            yield head + start, head + other, size
    yield len(old) - tail, len(new) - tail, tail


def _count_equal(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many items both have in common at their start."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(old), len(new)))
