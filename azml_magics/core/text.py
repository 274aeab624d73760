"""Text that can be shown: without what a terminal takes for commands, on one line, and the hint "Did you mean X?"."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_LINE = 600  # characters
# All but tab and newline, and what reorders the text around it (a bidirectional embedding, override or isolate). The
# marks and joiners that scripts and emoji need (U+200C to U+200F) stay.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # can be neither printed nor saved


def printable(text: str) -> str:
    """Return `text` without control characters: those that a terminal takes for commands, and those that reorder text.

    Tabs and newlines stay. Lone surrogates are replaced as in `replace_surrogates`.
    """
    return replace_surrogates(_CONTROL.sub("", text))


def printable_data(value: Any) -> Any:
    """Return JSON data with `printable` applied to every text in it, the names of objects included."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_data(name): printable_data(item) for name, item in value.items()}
    return [printable_data(item) for item in value] if isinstance(value, (list, tuple)) else value


def escape_controls(json_text: str) -> str:
    """Return JSON whose texts have escapes in place of control characters; its value stays the same."""
    return _CONTROL.sub(lambda found: found[0] if found[0] == "\r" else f"\\u{ord(found[0]):04x}", json_text)


def replace_surrogates(text: str) -> str:
    """Return `text` as UTF-8 can encode it: each lone surrogate (half a character) becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def one_line(text: str, limit: int = _MAX_LINE) -> str:
    """Return `text` as one printable line.

    Args:
        text: any text, such as a server's message.
        limit: the longest result, in characters; a longer text is cut and ends in "…".

    Returns:
        The text with white space folded into single spaces, control characters removed and lone surrogates replaced.
    """
    folded = printable(" ".join(text.split()))
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def format_seconds(seconds: float) -> str:
    """Return "0.4 s", "12 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 10:  # noqa: PLR2004 - tenths matter below ten seconds only
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint " Did you mean 'X'?" for the known name closest to `word`, or "" if none is close."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""
