"""Colours for notebook cells: what stands below %%azureml is a prompt with variables, not Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, String, Text

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from sphinx.application import Sphinx

_MAGIC = re.compile(
    r"(?P<before>[^\n%!]*)(?P<magic>%{1,2}\w+|!+)"
    r"(?P<options>(?:[^\n\\]|\\.|\\\n)*?)(?P<comment>  # [^\n]*)?(?:\n|\Z)"
)
_VARIABLE = re.compile(r"(\{\w[\w.\[\]]*\})")
_LINE_MAGIC = re.compile(r"^ *(?:\w+ = )?(?:%(?=\w)|!(?!=))", re.MULTILINE)

_Token = tuple[int, Any, str]


def setup(app: Sphinx) -> dict[str, Any]:
    """Read Python on pages and in notebooks as cells."""
    for name in ("python", "ipython3", "ipython"):
        app.add_lexer(name, CellLexer)
    return {"parallel_read_safe": True}


class CellLexer(PythonLexer):
    """Python with magics, or a prompt."""

    name = "IPython cell"
    aliases = ()
    filenames = ()

    def get_tokens_unprocessed(self, text: str, _stack: tuple[str, ...] = ("root",)) -> Iterator[_Token]:
        """Yield the tokens of a cell."""
        position = 0
        if text.startswith("%%"):
            position = yield from _magic_tokens(text, 0)
            yield from _prompt_tokens(text, position)
            return
        while found := _LINE_MAGIC.search(text, position):
            yield from self._python_tokens(text[position : found.start()], position)
            position = yield from _magic_tokens(text, found.start())
        yield from self._python_tokens(text[position:], position)

    def _python_tokens(self, code: str, offset: int) -> Iterator[_Token]:
        for place, kind, value in super().get_tokens_unprocessed(code):
            yield offset + place, kind, value


def _magic_tokens(text: str, start: int) -> Generator[_Token, None, int]:
    """Yield the tokens of a magic's line and return where the next line begins."""
    found = _MAGIC.match(text, start)
    assert found is not None  # the caller has seen the percent sign
    for group, kind in (("before", Text), ("magic", Keyword), ("options", Text), ("comment", Comment)):
        if found[group]:
            yield found.start(group), kind, found[group]
    end = found.end()
    if text[end - 1 : end] == "\n":
        yield end - 1, Text, "\n"
    return end


def _prompt_tokens(text: str, start: int) -> Iterator[_Token]:
    for part in _VARIABLE.split(text[start:]):
        if part:
            yield start, Name.Variable if _VARIABLE.fullmatch(part) else String, part
        start += len(part)
