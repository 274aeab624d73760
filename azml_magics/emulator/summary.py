"""Summaries taken from the text itself: its most central sentences, in their original order."""

from __future__ import annotations

import math
import re
from collections import Counter

from azml_magics.emulator.stop_words import NUMBER_WORDS, STOP_WORDS

_REQUEST = re.compile(r"\b(?:summari[sz]e|summary|tl;?dr)\b", re.IGNORECASE)
_COUNT = re.compile(rf"\b(\d{{1,2}}|{'|'.join(NUMBER_WORDS)})[ -](?:\w+ )?sentences?\b", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\d+\]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_MAX_SENTENCES = 400
_MIN_WORDS = 12
"""Shorter texts are not worth summarizing."""


def summarize_prompt(prompt: str, conversation: str = "") -> str | None:
    """Return the summary that a prompt asks for.

    Args:
        prompt: "Summarize in one sentence: TEXT" and the like. The text follows the first line or colon.
        conversation: The earlier turns, which are summarized if the prompt itself contains no text.

    Returns:
        The summary, or None if the prompt does not ask for one.
    """
    request = _REQUEST.search(prompt[:2000])
    if not request:
        return None
    head, separator, rest = prompt.partition("\n" if "\n" in prompt else ":")
    text = rest if separator and len(rest.split()) > len(head.split()) else prompt[request.end() :]
    text = text if len(text.split()) >= _MIN_WORDS else conversation
    if len(text.split()) < _MIN_WORDS:
        return None
    count = _COUNT.search(prompt[:300])
    return summarize(text, _to_int(count[1].lower()) if count else None)


def _to_int(word: str) -> int:
    return NUMBER_WORDS[word] if word in NUMBER_WORDS else max(1, int(word))


def summarize(text: str, sentences: int | None = None) -> str:
    """Return the most central sentences of `text`.

    Args:
        text: What to summarize.
        sentences: How many sentences to take. By default a quarter of them, at least one and at most three.
    """
    found = split_sentences(text)[:_MAX_SENTENCES]
    wanted = sentences or min(3, max(1, len(found) // 4))
    if len(found) <= wanted:
        return " ".join(found)
    bags = [{word.lower() for word in _WORD.findall(line)} - STOP_WORDS for line in found]
    weight = Counter(word for bag in bags for word in bag)

    def centrality(position: int) -> float:
        bag = bags[position]
        # Words shared with other sentences count; the square root keeps long sentences from always winning.
        shared = sum(weight[word] - 1 for word in bag)
        return shared / math.sqrt(max(1, len(bag))) + (0.5 if position == 0 else 0.0)

    best = sorted(range(len(found)), key=lambda position: (-centrality(position), position))[:wanted]
    return " ".join(found[position] for position in sorted(best))


def split_sentences(text: str) -> list[str]:
    """Return the sentences of `text`, without footnote marks and with line breaks joined."""
    plain = " ".join(_FOOTNOTE.sub(" ", text[:200_000]).split())
    ends = re.sub(r"([.!?][\"”')]*)\s+(?=[\"“'(\[]?[A-Z0-9À-Þ])", "\\1\n", plain)
    return [line.strip() for line in ends.split("\n") if line.strip()]
