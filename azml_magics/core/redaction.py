"""The one redactor: it masks a key in any text that a server or a log may have repeated it in.

Errors, journals, cassettes and the panel use it, so one rule holds everywhere. A key is recognised in every spelling
that a server may give it: as it is, URL-quoted (`%2B`), escaped in JSON (`\\/`, `\\u002B`) or HTML (`&#43;`), nested
escapes included, and base64-encoded, also inside a longer value such as Basic authentication.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence  # noqa: TC003 - get_type_hints() needs it
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote

MASK = "**********"
MIN_KEY_LENGTH = 6
"""Shorter keys are left alone: they are placeholders of local servers ("x", "none"), and masking them garbles text."""
_MIN_REDACTED_PREFIX = 8  # characters of a key that was cut off; fewer tell nothing and occur by chance
# A key is not looked for at every backslash of a run: that would be quadratic.
_NOT_INSIDE_BACKSLASHES = r"(?:(?<!\\)|(?!\\))"
_DISTINCTIVE = 8  # characters of a key with a digit in it that occurs in no text by chance
_SURELY_RANDOM = 20
_ESCAPED_LETTERS = (
    ("\\u00", re.compile(r"\\u00[3-7]")),
    ("%", re.compile(r"%(?:25)*[3-7]")),
    ("&", re.compile(r"&(?:amp;)*#")),
)
_CUT = re.compile("…|\\Z")
_SHORT_ESCAPES = {'"': "&quot;", "&": "&amp;", "'": "&apos;", "<": "&lt;", ">": "&gt;"}


class SupportsReveal(Protocol):
    """A secret that gives its text on demand, such as `secret.Secret`."""

    def reveal(self) -> str:
        """Return the secret text."""
        ...


def redact(text: str, *secrets: SupportsReveal | str | None) -> str:
    """Return `text` with every spelling of the secrets masked.

    Args:
        text: any text: a message, a header, a body.
        secrets: the keys; None and keys shorter than `MIN_KEY_LENGTH` change nothing.

    Returns:
        The text with `MASK` for each key, also for a key that an excerpt cut off ("…" or the end of the text follows).
    """
    for secret in secrets:
        key = secret if isinstance(secret, str) else secret.reveal() if secret is not None else ""
        if len(key) >= MIN_KEY_LENGTH:
            text = _redact_cut_off(redact_whole(text, key), key)
    return text


def redact_whole(text: str, key: str) -> str:
    """Return `text` with the key masked where the whole of it stands."""
    return _pattern(key).sub(MASK, text) if _may_hold(text, key) else text


def find_keys(text: str, keys: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the whole of a key stands in `text`, in whatever spelling: (start, end) of each."""
    candidates = [key for key in keys if _may_hold(text, key)]
    return [found.span() for key in candidates for found in _pattern(key).finditer(text)]


def is_distinctive(key: str) -> bool:
    """Return whether a key can be masked in a model's text: every key of Azure, and not "ollama" or "not-needed"."""
    return len(key) >= _SURELY_RANDOM or (len(key) >= _DISTINCTIVE and any(map(str.isdigit, key)))


@lru_cache(maxsize=32)
def literal_spellings(key: str) -> tuple[str, ...]:
    """Return the spellings of a key that a stream may cut anywhere: as it is, URL-quoted, in JSON and base64."""
    encoded = (_split_base64(key.encode("utf-8", "surrogatepass"), offset)[0] for offset in range(3))
    quoted = quote(key, safe="", errors="surrogatepass")
    return tuple(dict.fromkeys((key, quoted, json.dumps(key)[1:-1], *encoded)))


def _may_hold(text: str, key: str) -> bool:
    """Return whether `text` may hold the key in some spelling: a quick look, as most texts do not.

    Letters and digits are what every spelling leaves as they are, unless they are escaped one by one.
    """
    if any(trace in text for trace in _traces(key)):
        return True
    return any(mark in text and escapes.search(text) is not None for mark, escapes in _ESCAPED_LETTERS)


@lru_cache(maxsize=32)
def _traces(key: str) -> tuple[str, ...]:
    """Return the longest run of letters and digits of the key, and of each of its base64 forms."""
    texts = (key, *literal_spellings(key)[-3:])  # the last ones are base64
    return tuple(max(re.findall(r"[A-Za-z0-9]+", text) or [""], key=len) for text in texts)


def redact_data(value: Any, *secrets: SupportsReveal | str | None) -> Any:
    """Return a copy of `value`, JSON data of any shape, with the secrets masked in all texts and names."""
    if isinstance(value, str):
        return redact(value, *secrets)
    if isinstance(value, list | tuple):
        return [redact_data(item, *secrets) for item in value]
    if isinstance(value, dict):
        return {redact_data(name, *secrets): redact_data(item, *secrets) for name, item in value.items()}
    return value


def redact_bytes(value: bytes, *secrets: SupportsReveal | str | None) -> bytes:
    """Return `value`, UTF-8 text or other bytes, with the secrets masked."""
    encoding = "utf-8"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = value.decode(encoding)
    shown = redact(text, *secrets)
    return value if shown == text else shown.encode(encoding)


def _redact_cut_off(text: str, key: str) -> str:
    """Mask the beginning of a key, in the spellings that occur most, where an excerpt ends in its middle."""
    for spelling in literal_spellings(key):
        if spelling[:_MIN_REDACTED_PREFIX] in text:
            text = _redact_beginning(text, spelling)
    return text


def _redact_beginning(text: str, key: str) -> str:
    parts, done = [], 0
    for cut in _CUT.finditer(text):
        end = cut.start()
        for length in range(min(len(key), end - done), _MIN_REDACTED_PREFIX - 1, -1):
            if text.endswith(key[:length], done, end):
                parts += [text[done : end - length], MASK]
                done = end
                break
    return "".join([*parts, text[done:]])


@lru_cache(maxsize=32)
def _pattern(key: str) -> re.Pattern[str]:
    plain = "".join(map(_spellings, key))
    encoded = [_base64_pattern(key.encode("utf-8", "surrogatepass"), offset) for offset in range(3)]
    return re.compile(f"{_NOT_INSIDE_BACKSLASHES}(?:{'|'.join([plain, *encoded])})")


def _spellings(char: str) -> str:
    """Return a pattern for one character: as it is, or escaped once or more for JSON, a URL or HTML."""
    code = ord(char)
    quoted = "".join(f"%(?:25)*{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    ways = [re.escape(char), rf"\\+{re.escape(char)}", f"(?i:{quoted})", f"&(?:amp;)*#(?:{code}|(?i:x{code:X}));"]
    if code <= 0xFFFF:  # noqa: PLR2004 - the basic plane: one \uXXXX
        ways.append(rf"\\+u(?i:{code:04x})")
    if char in _SHORT_ESCAPES:
        ways.append(re.escape(_SHORT_ESCAPES[char]))
    return f"(?:{'|'.join(ways)})"


def _base64_pattern(key: bytes, offset: int) -> str:
    """Return a pattern for the base64 of `key` that begins `offset` bytes into a group of three.

    Only the characters that the key alone decides are in it, so a key inside a longer value is found; the rest of a
    group that the key ends in is masked with it if padding follows.
    """
    inner, rest = _split_base64(key, offset)
    tail = f"(?:{''.join(map(_base64_char, rest))}(?:=|%3[Dd])*)?" if rest else ""
    return "".join(map(_base64_char, inner)) + tail


def _split_base64(key: bytes, offset: int) -> tuple[str, str]:
    """Return the base64 of `key`, begun `offset` bytes into a group: what it alone decides, and the rest."""
    encoded = base64.b64encode(b"\0" * offset + key).decode().rstrip("=")
    first, last = math.ceil(offset * 8 / 6), (offset + len(key)) * 8 // 6
    return encoded[first:last], encoded[last:]


def _base64_char(char: str) -> str:
    urlsafe = {"+": "-", "/": "_"}.get(char)
    return f"(?:{_spellings(char)}|{urlsafe})" if urlsafe else char
