"""An answer as Markdown that stays text: HTML in it is shown, not run.

JupyterLab sanitises Markdown outputs, `nbconvert --to html` does not. So outside of code every `<` becomes `&lt;`, and
a link to javascript: and its kin is broken up. Code is left alone where every Markdown reader agrees that it is code.
"""

from __future__ import annotations

import html
import re

_OPENING = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r"^(?P<offset> *(?:[-*+]|\d{1,9}[.)]) +)")
_SPAN = re.compile(r"\\.|(?P<ticks>`+)(?P<inside>[^|]*?)(?<!`)(?P=ticks)(?!`)|`+|(?P<other>[^`\\]+)", re.DOTALL)
_TARGET = re.compile(r"(\]\(|\]:)(\s*<?)([^\s)>]*)")
_LIVE = re.compile(r"^(javascript|vbscript|data|file):", re.IGNORECASE)
_DEEPEST_TOP_LEVEL = 3


def inert(text: str) -> str:
    """`text` as Markdown in which no HTML and no script link is live, whatever renders it."""
    lines = text.split("\n")
    out: list[str] = []
    at = 0
    while at < len(lines):
        end = _fence_end(lines, at)
        if end > at:
            out.extend(lines[at:end])
            at = end
        else:
            out.append(_inert_line(lines[at]))
            at += 1
    return "\n".join(out)


def _fence_end(lines: list[str], at: int) -> int:
    """The index after the fenced block that starts at line `at`, or `at` where none surely does.

    A fence in column 0 is one in every reader. An indented one may belong to a list item, and ends with it: it counts
    only if all its lines are indented as far and it is closed.
    """
    opening = _OPENING.match(lines[at])
    if not opening:
        return at
    indent, mark = len(opening["indent"]), opening["mark"]
    if indent > _DEEPEST_TOP_LEVEL and not _in_list_item(lines, at, indent):
        return at
    closing = re.compile(rf"^ *{re.escape(mark[0])}{{{len(mark)},}}\s*$")
    for index in range(at + 1, len(lines)):
        line = lines[index]
        if closing.match(line) and len(line) - len(line.lstrip(" ")) <= indent + _DEEPEST_TOP_LEVEL:
            return index + 1
        if indent and line.strip() and len(line) - len(line.lstrip(" ")) < indent:
            return at
    return at if indent else len(lines)


def _in_list_item(lines: list[str], at: int, indent: int) -> bool:
    for line in reversed(lines[:at]):
        item = _LIST_ITEM.match(line)
        if item:
            return 0 <= indent - len(item["offset"]) <= _DEEPEST_TOP_LEVEL
        if line.strip() and not line.startswith(" "):
            return False
    return False


def _inert_line(line: str) -> str:
    pieces = []
    for found in _SPAN.finditer(line):
        piece = found[0]
        pieces.append(piece if found["ticks"] else _inert_prose(piece))
    return _TARGET.sub(_harmless_target, "".join(pieces))


def _inert_prose(piece: str) -> str:
    return piece.replace("<", "&lt;")


def _harmless_target(found: re.Match[str]) -> str:
    target = re.sub(r"[\s\x00-\x20]", "", html.unescape(found[3]))
    return f"{found[1][0]}\\{found[1][1]}{found[2]}{found[3]}" if _LIVE.match(target) else found[0]
