"""Finds the JSON or the code in a response, in fences or in prose. Pure: the response is not changed."""

from __future__ import annotations

import json
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AzmlError

if TYPE_CHECKING:
    from collections.abc import Iterator

# ```lang ... ``` or ~~~; the last fence of a truncated response may be missing
_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>`{3,}(?!`)|~{3,}(?!~))[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n"
    r"(?P<body>.*?)(?:^[ \t]*(?P=mark)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_MISSING: Any = object()
_JSON_LANGUAGES = {"json", "jsonc", "json5", ""}
_KEY = r'\{\s*"(?:[^"\\]|\\.)*"\s*:'
# What may be the beginning of an object or list, and what is almost certainly one: prose has brackets, too
_OPENING = re.compile(_KEY + r'|\{\s*\}|\[\s*(?:[\]\[{"]|-?\d|true|false|null)', re.DOTALL)
_CERTAIN_OPENING = re.compile(_KEY + r'|\[\s*(?:[{\["]|(?:-?\d[\d.eE+-]*|true|false|null)\s*,)', re.DOTALL)
_BRACKET_OR_STRING = re.compile(r'[{\[\]}]|"(?:[^"\\]|\\.)*"', re.DOTALL)


class NoJsonError(AzmlError):
    """A response without JSON."""

    error_code = "no-json"


class CodeBlock(NamedTuple):
    """A fenced block of a response.

    Attributes:
        language: The language after the fence, in lower case; "" if it names none.
        text: The lines between the fences.
    """

    language: str
    text: str


def find_blocks(text: str) -> list[CodeBlock]:
    """Return the fenced blocks of a response, in order, without the indentation of their fences."""
    return [
        CodeBlock(match["language"].lower(), _remove_indent(match["body"], match["indent"]).removesuffix("\n"))
        for match in _FENCE.finditer(text.replace("\r\n", "\n"))
    ]


def _remove_indent(body: str, indent: str) -> str:
    """Return the body of a block in a list: each line loses as much indentation as its fence has."""
    return re.sub(rf"^[ \t]{{1,{len(indent)}}}", "", body, flags=re.MULTILINE) if indent else body


def find_code(text: str) -> CodeBlock:
    """Return the first fenced block; a response without one counts as code."""
    blocks = find_blocks(text)
    return blocks[0] if blocks else CodeBlock("", text.strip("\n"))


def find_json(text: str) -> Any:
    """Return the JSON value in a response: all of it, a fenced block, or the first object or list in its prose.

    A value that is truncated or broken is not found, nor is a part of it.

    Raises:
        NoJsonError: There is none.
    """
    for value in find_json_values(text):
        return value
    raise NoJsonError(
        "The response contains no JSON", remedy="Ask for it plainly in the prompt, or look at the text as it is."
    )


def find_json_values(text: str) -> Iterator[Any]:
    """Yield the JSON values in a response, the likeliest first: all of it, else the fenced blocks, then the prose."""
    whole = _parse_json(text.strip())
    if whole is not _MISSING:
        yield whole
        return
    fenced = [block.text for block in find_blocks(text) if block.language in _JSON_LANGUAGES]
    values = [value for value in map(_parse_json, fenced) if value is not _MISSING]
    yield from values
    yield from (value for _, value in _find_embedded(text) if value not in values)


def find_last_json_values(text: str) -> Iterator[Any]:
    """Yield the JSON values in a response from the last to the first: drafts and quotations come before the answer."""
    whole = _parse_json(text.strip())
    if whole is not _MISSING:
        yield whole
        return
    text = text.replace("\r\n", "\n")
    fences = [
        (match.span("body"), value)
        for match in _FENCE.finditer(text)
        if match["language"].lower() in _JSON_LANGUAGES and (value := _parse_json(match["body"])) is not _MISSING
    ]
    prose = [
        (at, value) for at, value in _find_embedded(text) if not any(start <= at < end for (start, end), _ in fences)
    ]
    found = [*prose, *((start, value) for (start, _), value in fences)]
    yield from (value for _, value in sorted(found, key=itemgetter(0), reverse=True))


def _parse_json(text: str) -> Any:
    """Return the value of the whole text; _MISSING if that is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _MISSING


def _find_embedded(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the objects and lists in a text and where they begin, but none inside another value or a broken one."""
    decoder, at = json.JSONDecoder(), 0
    while match := _OPENING.search(text, at):
        at = match.start()
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            return
        except ValueError:
            end = _find_closing(text, at) if _CERTAIN_OPENING.match(text, at) else at + 1
        else:
            if value:  # {} and [] in prose are more often punctuation than values
                yield at, value
        at = end


def _find_closing(text: str, start: int) -> int:
    """Return the end of the bracket that opens at `start`; the end of the text if it is never closed."""
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text)
