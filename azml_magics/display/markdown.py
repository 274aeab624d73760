"""A response as Markdown in which HTML is shown and not run.

JupyterLab sanitises Markdown outputs, nbconvert's HTML does not. So every `<` that could open a tag is
replaced, except in fenced code that all Markdown readers take for code:

* prose: `<` becomes `&lt;`, and in math a space follows it, which TeX ignores;
* code spans: one with a tag in it becomes `<code>` with its text in entities, because readers disagree about the end
  of a span;
* fences: of backticks, after a blank line where a code span may be open, and closed if the text ends in one, because
  pandoc sees no code in others; unless readers may disagree about them (a fence after a list or quote mark, math that
  is not closed, a definition list): then `<` becomes `&lt;` there;
* links: one whose target is neither a plain path nor http, https or mailto is no longer a link;
* pictures: a remote one becomes a link. A browser would fetch it at once, and its address can carry the prompt away;
* dollars: `$5 and $6` is money. A `$` that opens no formula by pandoc's rule is put into an element of its own, in
  which no reader looks for mathematics; formulas in `\\(...\\)` and `\\[...\\]`, which Markdown takes for escapes, get
  dollars.

The time is linear in the length of the text: this runs for every update of a streaming response.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from ..core.text import printable
from .formulas import is_risky_code, mark_formulas, plain_info

_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # what may open a tag, comment or declaration (WHATWG HTML, tokenization)
_OURS = (
    "\x02"  # stands for the `<` of our own elements until the others are replaced; printable() removes it from texts
)
_OTHER_BREAKS = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # line breaks for some readers only

_OPENING = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[\w+#./:{}=\"' -]*)$")
_FENCE_LIKE = re.compile(r"^[\s>]*(?:(?:[-*+:]|\d{1,9}[.)])[\s>]+)*(?:`{3}|~{3})")
_ITEM = re.compile(r"^(?P<offset> *(?:[-*+]|(?P<number>\d{1,9})[.)]) {1,4})\S")
_TABBED = re.compile(r"^ *(?:(?:[-*+>]|\d{1,9}[.)]) *)*\t")  # readers disagree about a tab's columns
_CONTAINER = re.compile(r"^\s*(?:>|[-*+]\s|\d{1,9}[.)]\s)")
_DEFINITION = re.compile(r"^\s*:[ \t]")
_LOOK_BACK = 2000  # characters of a paragraph before its math
_DEEPEST = 3  # columns of indentation at most; more make indented code

_SPAN = re.compile(r"(?<![`\\])(?P<ticks>`+)(?!`)(?P<inside>[^`|\n]+|[^|\n]{1,500}?[^`|\n])(?P=ticks)(?!`)")
_BLOCK_MATH = re.compile(r"(?<!\\)\$\$|\\\\\[|\\begin\{(?P<name>[a-z]*\*?)\}")  # as nbconvert finds it
_MATH = re.compile(
    r"\$\$.{1,2000}?\$\$|\\begin\{([a-z]*\*?)\}.{1,2000}?\\end\{\1\}"
    r"|\\{1,2}\[.{1,2000}?\\{1,2}\]|\\{1,2}\(.{1,1000}?\\{1,2}\)"
    r"|(?<![\\$\w])\$(?=[^\s$])[^$\n]{1,1000}?(?<![\s\\])\$(?![\d$])",
    re.DOTALL,
)
_TARGET = re.compile(r"\](?P<mark>[(:])(?=\s*(?:<|&lt;)?(?P<target>(?:(?!\]\()[^\s)>]){0,300}))")  # may hold another
_MAY_HAVE_SCHEME = re.compile(r"[:&\\]")
_LONGEST_SCHEME = 300  # characters of a target that are read; a longer one with entities is not trusted
_PICTURE = re.compile(r"!\[(?:(?P<alt>[^\[\]\n]*)\]\(\s*<?(?P<target>(?:(?!!\[)[^\s()<>]){0,300}))?")
_DEFINED = re.compile(
    r"[ \t]*https?://[^\s<>\"'()`]+[ \t]*(?:\n(?!\s*[\"'(])|$)"
)  # without a title, which may span lines
# A line of words before another one, not in a table or math: two spaces keep the lines of a poem or an address apart.
_LINE_OF_WORDS = re.compile(r"^([^\W\d_](?:[^|$\\&\n]*[^|$\\&\s])?)\n(?=[^\W\d_][^|$\\&\n]*$)", re.MULTILINE)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HARMLESS = ("http:", "https:", "mailto:")


class _Passage(NamedTuple):
    """Lines of prose, or of fenced code with its fences."""

    lines: list[str]
    is_code: bool
    info: str = ""


def make_inert(text: str) -> str:
    """Return `text` as Markdown in which no HTML and no script link works, whatever renders it."""
    text = _OTHER_BREAKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = printable(text)
    text = f"\\{text}" if text.startswith("%") else text  # a title for pandoc
    passages = _split_passages(text.split("\n"))
    if passages is None:
        return _escape_prose(text, spans=False)
    parts = []
    for passage in passages:
        joined = "\n".join(passage.lines)
        if not passage.is_code:
            parts.append(_LINE_OF_WORDS.sub(r"\1  \n", _escape_prose(joined)))
        else:  # nbconvert puts a mermaid diagram into the page unescaped
            parts.append(_escape_tags(joined) if passage.info.lower().startswith("mermaid") else joined)
    return "\n".join(parts)


def fence_code(text: str, language: str) -> str:
    """Return `text` in a Markdown fence that is longer than any fence in it."""
    return "\n".join(_fence([text], "", _longer_mark(text), language))


# ---- code ----------------------------------------------------------------------------------------------


def _split_passages(lines: list[str]) -> list[_Passage] | None:
    """The lines as prose and fenced code; None if readers may disagree about which is which."""
    passages: list[_Passage] = []
    prose: list[str] = []
    offsets: list[int] = []  # the columns at which the open list items' texts begin
    at = 0
    while at < len(lines):
        line = lines[at]
        opening = _OPENING.match(line)
        if not opening:
            if _FENCE_LIKE.match(line) or (_TABBED.match(line) and line.strip()):
                return None
            _follow_lists(offsets, line, after_blank=not prose or not prose[-1].strip())
            prose.append(line)
            at += 1
            continue
        end = _find_end(lines, at, opening, offsets)
        if not end or not _is_settled(prose):
            return None
        if _has_open_span(prose):
            prose.append("")
        passages += [_Passage(prose, is_code=False)] if prose else []
        info = plain_info(opening["info"].strip())
        code = lines[at + 1 : end]
        if code and _closes(opening["mark"], code[-1]):
            code.pop()
        mark = opening["mark"] if opening["mark"][0] == "`" else _longer_mark("\n".join(code))
        passages.append(_Passage(_fence(code, opening["indent"], mark, info), is_code=True, info=info))
        prose, at = [], end
        offsets = [column for column in offsets if column <= len(opening["indent"])]
    has_code = bool(passages)
    passages += [_Passage(prose, is_code=False)] if prose else []
    return None if has_code and any(_DEFINITION.match(line) for line in lines) else passages


def _has_open_span(prose: list[str]) -> bool:
    """Whether the last paragraph may begin a code span, in which pandoc sees no fence until a blank line."""
    paragraph = "\n".join(prose).rpartition("\n\n")[2]
    return "`" in _SPAN.sub("", paragraph) and bool(prose[-1].strip())


def _longer_mark(text: str) -> str:
    """The mark of a fence around `text`; of backticks, because pandoc sees none in tildes after a line of text."""
    return "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)


def _fence(code: list[str], indent: str, mark: str, info: str) -> list[str]:
    return [f"{indent}{mark}{info}", *code, f"{indent}{mark}"]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _find_end(lines: list[str], at: int, opening: re.Match[str], offsets: list[int]) -> int:
    """The index after the fence that opens at line `at`; 0 if a reader may see no fence or another end.

    All its lines are indented as far as its opening, and so is its close; without a close it lasts to the end.
    """
    indent, mark = len(opening["indent"]), opening["mark"]
    offset = next((column for column in reversed(offsets) if column <= indent), 0)
    if indent > offset + _DEEPEST:
        return 0
    for index in range(at + 1, len(lines)):
        line = lines[index]
        if _closes(mark, line):
            return index + 1 if _indent(line) == indent and line[indent] == mark[0] else 0
        if line.strip() and _indent(line) < indent:
            return 0
    return len(lines)


def _closes(mark: str, line: str) -> bool:
    """Whether a line ends the code of a fence that opens with `mark`."""
    line = line.strip()
    return len(line) >= len(mark) and not line.strip(mark[0])


def _follow_lists(offsets: list[int], line: str, *, after_blank: bool) -> None:
    """Update the open list items after one more line of prose."""
    if not line.strip():
        return
    was_in_list = bool(offsets)
    while offsets and _indent(line) < offsets[-1]:
        offsets.pop()
    item = _ITEM.match(line)
    if not item or _indent(line) > (offsets[-1] if offsets else 0) + _DEEPEST:
        return
    if after_blank or was_in_list or item["number"] in {None, "1"}:  # others do not interrupt a paragraph
        offsets.append(len(item["offset"]))


def _is_settled(prose: list[str]) -> bool:
    """Whether no math in `prose` can extend into the fence after it."""
    at = 0
    text = "\n".join(prose)
    while True:
        begin = _BLOCK_MATH.search(text, at)
        if begin is None:
            return True
        if begin[0] == "$$":
            close = re.compile(r"(?<!\\)\$\$")
        else:
            close = re.compile(re.escape("\\\\]" if begin["name"] is None else f"\\end{{{begin['name']}}}"))
        end = close.search(text, begin.end())
        if end is None or ("\n" in text[begin.start() : end.start()] and not _stands_alone(text, begin, end.start())):
            return False
        at = end.end()


def _stands_alone(text: str, begin: re.Match[str], end: int) -> bool:
    """Whether all readers see one block of math over several lines: it starts its line, outside quotes and lists."""
    at, inside = begin.start(), text[begin.start() : end]
    before = text[max(0, at - _LOOK_BACK) : at]
    start = before.rpartition("\n")[2]
    paragraph = before.rpartition("\n\n")[2]
    return not (
        len(paragraph) == _LOOK_BACK
        or start.strip()
        or len(start) > _DEEPEST
        or re.search(r"\n[ \t]*\n", inside)
        or any(_CONTAINER.match(line) for line in paragraph.split("\n"))
        or any(_indent(line) < len(start) for line in inside.split("\n")[1:])
    )


# ---- prose -----------------------------------------------------------------------------------------------


def _escape_tags(text: str) -> str:
    return _TAG.sub("&lt;", text)


def _escape_prose(text: str, *, spans: bool = True) -> str:
    if spans and any(sign in text for sign in ("<", "![", "{", "\\")):
        text = "\n".join(_escape_spans(line) if "`" in line else line for line in text.split("\n"))
    if "<" in text:
        text = _escape_math(text)
    text = _TARGET.sub(_break_link, _PICTURE.sub(_link_picture, text))
    return mark_formulas(text, f"{_OURS}span>\\${_OURS}/span>", is_prose=spans).replace(_OURS, "<")


def _escape_spans(line: str) -> str:
    """The line with <code> elements for its spans that have a tag or picture; they mean the same wherever one ends."""
    if line.startswith("    ") and not _ITEM.match(line):  # may be indented code, in which elements do not work
        return line
    return _SPAN.sub(lambda span: _element(span["inside"]) if _needs_element(span["inside"]) else span[0], line)


def _needs_element(code: str) -> bool:
    """Whether a code span must be one for every reader: it has a tag, a picture, or what pandoc acts on."""
    return "![" in code or _TAG.search(code) is not None or is_risky_code(code)


def _element(code: str) -> str:
    shown = code[1:-1] if code[0] == code[-1] == " " and code.strip() else code
    entities = re.sub(r"[^A-Za-z0-9 ]", lambda found: f"&#{ord(found[0])};", shown)
    return f"{_OURS}code>{entities}{_OURS}/code>"


def _escape_math(text: str) -> str:
    out, at = [], 0
    for found in _MATH.finditer(text):
        out += [_escape_tags(text[at : found.start()]), _TAG.sub("< ", found[0])]
        at = found.end()
    return "".join([*out, _escape_tags(text[at:])])


def _break_link(found: re.Match[str]) -> str:
    """The start of a link or definition, with a backslash that breaks it if its target could run a script."""
    if found["mark"] == ":":
        harmless = bool(_DEFINED.match(found.string, found.end("mark")))
    else:
        target = found["target"]
        if not _MAY_HAVE_SCHEME.search(target):
            return found[0]
        scheme = _SCHEME.match(_read_target(target))
        is_cut = len(target) == _LONGEST_SCHEME and "&" in target
        harmless = not is_cut if scheme is None else scheme[0].lower() in _HARMLESS
    return found[0] if harmless else f"]\\{found['mark']}"


def _link_picture(found: re.Match[str]) -> str:
    """The start of a picture, unless it is a file beside the notebook: as that of a link to it."""
    target = _read_target(found["target"] or "")
    if target and not _SCHEME.match(target) and not target.startswith(("//", "\\", "/\\")):
        return found[0]
    return f"[picture: {found[0][2:]}"


def _read_target(target: str) -> str:
    """A link's target as a browser reads it: entities and escapes resolved, no white space or control characters."""
    for _ in range(4):
        target = html.unescape(re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", target))
    return re.sub(r"[\s\x00-\x20<]", "", target)
