"""Text for messages: one printable line, and the hint "Did you mean X?"."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_LINE = 600  # characters
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # a server's escape sequences must not reach a terminal
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # can be neither printed nor saved


def one_line(text: str, limit: int = _MAX_LINE) -> str:
    """Return `text` as one printable line.

    Args:
        text: any text, such as a server's message.
        limit: the longest result, in characters; a longer text is cut and ends in "…".

    Returns:
        The text with white space folded into single spaces, control characters removed and lone surrogates replaced.
    """
    folded = _CONTROL.sub("", " ".join(text.split()))
    folded = _LONE_SURROGATE.sub("\ufffd", folded)
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint " Did you mean 'X'?" for the known name closest to `word`, or "" if none is close."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""
