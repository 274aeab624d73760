"""The JSON or the code in an answer, out of the fences and the prose around it. Pure; the answer itself stays."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from .errors import AzmlError

# ```lang ... ``` or ~~~; the last fence of a cut-off answer may be missing
_FENCE = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n(?P<body>.*?)(?:^[ \t]*(?P=mark)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NOTHING: Any = object()
_JSON_LANGUAGES = {"json", "jsonc", "json5", ""}


class NoJson(AzmlError):
    """An answer in which no JSON can be found."""


class Block(NamedTuple):
    """A fenced block: its language ("" where it names none) and its text without the fences."""

    language: str
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of an answer, in order."""
    return [Block(found["language"].lower(), found["body"].removesuffix("\n")) for found in _FENCE.finditer(text)]


def code(text: str) -> Block:
    """The first fenced block; an answer without one is taken to be code all through."""
    found = blocks(text)
    return found[0] if found else Block("", text.strip("\n"))


def json_value(text: str) -> Any:
    """The JSON value in an answer: all of it, a fenced block, or the first object or array in its prose.

    NoJson where there is none; a value that is cut off counts as none.
    """
    candidates = [text, *(block.text for block in blocks(text) if block.language in _JSON_LANGUAGES)]
    for candidate in candidates:
        found = _loaded(candidate.strip())
        if found is not _NOTHING:
            return found
    found = _first_embedded(text)
    if found is not _NOTHING:
        return found
    raise NoJson("The answer holds no JSON", remedy="Ask for it plainly in the prompt, or look at the text as it is.")


def _loaded(text: str, start: int | None = None) -> Any:
    """The value of the whole text, or of what begins at `start`; _NOTHING where that is no JSON."""
    try:
        return json.loads(text) if start is None else json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return _NOTHING


def _first_embedded(text: str) -> Any:
    for start in re.finditer(r"[{\[]", text):
        value = _loaded(text, start.start())
        if value is not _NOTHING and value:  # {} and [] in prose are punctuation more often than answers
            return value
    return _NOTHING
