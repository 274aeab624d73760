"""Which words of a text differ from another text's; quick for texts of any length."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

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


def mark_differences(texts: Sequence[str]) -> list[list[tuple[str, bool]]]:
    """Cut each text into pieces that are, or are not, in the first text that is not empty.

    Sentences and lines are compared first, then the words between equal ones. If that would take long, all words
    between them are marked.

    Returns:
        For each text its pieces in order: (piece, whether it differs). White space at the edge of a piece never
        differs. The words that do not differ are in the first text in the same order.
    """
    first = next((text for text in texts if text), "")
    reference = _split_sentences(first)
    return [[(text, False)] if text == first or not text else _mark(text, reference) for text in texts]


def _split_sentences(text: str) -> list[tuple[str, ...]]:
    """The words of each sentence or line."""
    return [words for part in _SENTENCE_END.split(text) if (words := tuple(_WORD.findall(part)))]


def _mark(text: str, reference: Sequence[tuple[str, ...]]) -> list[tuple[str, bool]]:
    """`text` in pieces; a run of differing words keeps the spaces between them."""
    equal = set(_equal_words(reference, _split_sentences(text)))
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


def _equal_words(old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]) -> Iterator[int]:
    """The indexes of words in `new`, counted over all sentences, that are in `old` in the same order."""
    old_end = new_end = index = 0
    budget = _Budget()
    for old_start, new_start, size in [*_equal_blocks(old, new, budget), (len(old), len(new), 0)]:
        old_words = [word for sentence in old[old_end:old_start] for word in sentence]
        new_words = [word for sentence in new[new_end:new_start] for word in sentence]
        for _, start, count in _equal_blocks(old_words, new_words, budget):
            yield from range(index + start, index + start + count)
        index += len(new_words)
        old_end, new_end = old_start + size, new_start + size
        count = sum(map(len, new[new_start:new_end]))
        yield from range(index, index + count)
        index += count


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
