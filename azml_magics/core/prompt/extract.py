"""The JSON or the code in an answer, out of the fences and the prose around it. Pure; the answer itself stays."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AzmlError

if TYPE_CHECKING:
    from collections.abc import Iterator

# ```lang ... ``` or ~~~; the last fence of a cut-off answer may be missing
_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n"
    r"(?P<body>.*?)(?:^[ \t]*(?P=mark)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NOTHING: Any = object()
_JSON_LANGUAGES = {"json", "jsonc", "json5", ""}
_KEY = r'\{\s*"(?:[^"\\]|\\.)*"\s*:'
# What may be the beginning of an object or array, and what can hardly be anything else: prose has brackets, too
_OPENING = re.compile(_KEY + r'|\{\s*\}|\[\s*(?:[\]\[{"]|-?\d|true|false|null)', re.DOTALL)
_SURE = re.compile(_KEY + r'|\[\s*(?:[{\["]|(?:-?\d[\d.eE+-]*|true|false|null)\s*,)', re.DOTALL)
_BRACKET_OR_TEXT = re.compile(r'[{\[\]}]|"(?:[^"\\]|\\.)*"', re.DOTALL)


class NoJson(AzmlError):
    """An answer in which no JSON can be found."""


class Block(NamedTuple):
    """A fenced block: its language ("" where it names none) and its text without the fences."""

    language: str
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of an answer, in order, without the indentation of their fences."""
    found = _FENCE.finditer(text.replace("\r\n", "\n"))
    return [Block(one["language"].lower(), _outdented(one["body"], one["indent"]).removesuffix("\n")) for one in found]


def _outdented(body: str, indent: str) -> str:
    """The lines of a fenced block in a list: each loses what it has of the fence's own indentation."""
    return re.sub(rf"^[ \t]{{1,{len(indent)}}}", "", body, flags=re.MULTILINE) if indent else body


def code(text: str) -> Block:
    """The first fenced block; an answer without one is taken to be code all through."""
    found = blocks(text)
    return found[0] if found else Block("", text.strip("\n"))


def json_value(text: str) -> Any:
    """The JSON value in an answer: all of it, a fenced block, or the first object or array in its prose.

    NoJson where there is none; a value that is cut off or broken counts as none, and no part of it is taken.
    """
    for value in json_values(text):
        return value
    raise NoJson("The answer holds no JSON", remedy="Ask for it plainly in the prompt, or look at the text as it is.")


def json_values(text: str) -> Iterator[Any]:
    """Every JSON value in an answer that may be meant, the likeliest first: all of it, the fenced blocks, the prose."""
    whole = _loaded(text.strip())
    if whole is not _NOTHING:
        yield whole
        return
    fenced = [block.text for block in blocks(text) if block.language in _JSON_LANGUAGES]
    values = [value for value in map(_loaded, fenced) if value is not _NOTHING]
    yield from values
    yield from (value for value in _embedded(text) if value not in values)


def _loaded(text: str) -> Any:
    """The value of the whole text; _NOTHING where that is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def _embedded(text: str) -> Iterator[Any]:
    """The objects and arrays in a text, in order; none from the inside of another, or of a broken one."""
    decoder, at = json.JSONDecoder(), 0
    while found := _OPENING.search(text, at):
        at = found.start()
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            return
        except ValueError:
            end = _closed(text, at) if _SURE.match(text, at) else at + 1
        else:
            if value:  # {} and [] in prose are punctuation more often than answers
                yield value
        at = end


def _closed(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed again; the text's end where it never is."""
    depth = 0
    for found in _BRACKET_OR_TEXT.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)


def json_or_text(value: str) -> Any:
    """What a person typed, as JSON where it is JSON, else as the text it is."""
    try:
        return json.loads(value, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return value
