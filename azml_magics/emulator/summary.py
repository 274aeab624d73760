"""Summaries that really are taken from the text: its most central sentences, in their own order."""

from __future__ import annotations

import math
import re
from collections import Counter

from azml_magics.emulator.keywords import COMMON

_NOTE_MARK = re.compile(r"\[\d+\]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_MOST_SENTENCES = 400


def split(text: str) -> list[str]:
    """The sentences of `text` without footnote marks, line breaks joined."""
    plain = " ".join(_NOTE_MARK.sub(" ", text[:200_000]).split())
    ends = re.sub(r"([.!?][\"”')]*)\s+(?=[\"“'(\[]?[A-Z0-9À-Þ])", "\\1\n", plain)
    return [line.strip() for line in ends.split("\n") if line.strip()]


def summarize(text: str, sentences: int | None = None) -> str:
    """The `sentences` most central sentences of `text` (a quarter of them, one to three, when not said)."""
    found = split(text)[:_MOST_SENTENCES]
    wanted = sentences or min(3, max(1, len(found) // 4))
    if len(found) <= wanted:
        return " ".join(found)
    bags = [{word.lower() for word in _WORD.findall(line)} - COMMON for line in found]
    weight = Counter(word for bag in bags for word in bag)

    def centrality(position: int) -> float:
        bag = bags[position]
        # Words shared with other sentences count; the square root keeps long sentences from always winning.
        shared = sum(weight[word] - 1 for word in bag)
        return shared / math.sqrt(max(1, len(bag))) + (0.5 if position == 0 else 0.0)

    best = sorted(range(len(found)), key=lambda position: (-centrality(position), position))[:wanted]
    return " ".join(found[position] for position in sorted(best))
