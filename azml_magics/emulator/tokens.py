"""Tokens, and the limits of a text.

A token is a word or a punctuation mark together with the white space before it, so that the tokens of a text
joined give the text back. Usage, max_tokens and streamed chunks all count the same way.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(r"\s*(?:\w+(?:['\u2019-]\w+)*|[^\w\s])|\s+\Z")


class LimitedText(NamedTuple):
    """A text after stop sequences and max_tokens.

    Attributes:
        tokens: Its tokens.
        finish_reason: Why it ends, "stop" or "length".
    """

    tokens: list[str]
    finish_reason: str

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def tokenize(text: str) -> list[str]:
    """Return the tokens of `text`; joined they are `text`."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """Return the number of tokens of `text`."""
    return len(_TOKEN.findall(text))


def apply_limits(text: str, max_tokens: int | None, stop: tuple[str, ...]) -> LimitedText:
    """Cut `text` before the first stop sequence and after `max_tokens` tokens, whichever comes first."""
    found = [text.find(mark) for mark in stop if mark and mark in text]
    tokens = tokenize(text[: min(found)] if found else text)
    if max_tokens is not None and len(tokens) > max_tokens:
        return LimitedText(tokens[:max_tokens], "length")
    return LimitedText(tokens, "stop")
