"""Prompt variables: which `{name}` a prompt has, and the prompt with their values. Pure.

`{name}`, where name is an identifier, is a variable. `{{name}}` is a literal `{name}`, and `{{{name}}}` the value in
braces, as in Python's own format strings. All other braces - JSON, code,
`{}`, Python keywords, the arguments of LaTeX commands such as `\\frac{a}{b}` - are text. Values go in once and are
never scanned again; nothing is evaluated.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from ..errors import PromptError, UndefinedVariableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECE = re.compile(
    r"(?P<latex>\\[A-Za-z]+\*?(?:\[[^\]\n]*\])*(?:\{[^{}\n]*\})+)"
    r"|(?<!\{)\{\{\{(?P<braced>[^\W\d]\w*)\}\}\}(?!\})"
    r"|\{\{(?P<literal>[^\W\d]\w*)\}\}"
    r"|\{(?P<name>[^\W\d]\w*)\}"
)


def _variable(match: re.Match[str]) -> str | None:
    name = match["name"] or match["braced"]
    return name if name and not keyword.iskeyword(name) else None


def variables(prompt: str) -> list[str]:
    """The variables that `prompt` uses, each once, in order of appearance."""
    return list(dict.fromkeys(name for name, _, _ in spans(prompt)))


def spans(prompt: str) -> Iterator[tuple[str, int, int]]:
    """(name, start, end) of every variable in `prompt`: what an editor marks."""
    for match in _PIECE.finditer(prompt):
        name = _variable(match)
        if name:
            around = 2 if match["braced"] else 0
            yield name, match.start() + around, match.end() - around


def render(prompt: str, values: Mapping[str, object]) -> str:
    """`prompt` with `str()` of each value in its place; UndefinedVariableError names the first that is missing."""

    def replaced(match: re.Match[str]) -> str:
        if match["literal"]:
            return "{" + match["literal"] + "}"
        name = _variable(match)
        if name is None:
            return match[0]
        if name not in values:
            raise UndefinedVariableError.of(name, (known for known in values if not known.startswith("_")))
        text = _as_text(name, values[name])
        return "{" + text + "}" if match["braced"] else text

    return _PIECE.sub(replaced, prompt)


def _as_text(name: str, value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        raise PromptError(
            f"str() of the variable {name!r} ({type(value).__name__}) raised {type(error).__name__}: {error}",
            remedy=f"Pass a text with --var {name}=….",
        ) from error
