"""Prompt variables: the `{name}`s of a prompt, and the prompt with their values. Pure.

`{name}`, where name is an identifier, is a variable. `{{name}}` is a literal `{name}`, and `{{{name}}}` the value in
braces, as in Python's own format strings. All other braces are text: JSON, code, `{}`, Python keywords, the arguments
of LaTeX commands such as `\\frac{a}{b}`. Braces in values are text, too; nothing is evaluated.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from ..errors import PromptError, UndefinedVariableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECE = re.compile(
    r"(?P<latex>\\[A-Za-z]+\*?(?:\[[^\[\]\n]*\])*(?:\{[^{}\n]*\})+)"
    r"|(?<!\{)\{\{\{(?P<braced>[^\W\d]\w*)\}\}\}(?!\})"
    r"|\{\{(?P<literal>[^\W\d]\w*)\}\}"
    r"|\{(?P<name>[^\W\d]\w*)\}"
)


def _variable_of(match: re.Match[str]) -> str | None:
    name = match["name"] or match["braced"]
    return name if name and not keyword.iskeyword(name) else None


def find_variables(prompt: str) -> list[str]:
    """Return the names of the variables in `prompt`, each once, in order of appearance."""
    return list(dict.fromkeys(name for name, _, _ in find_spans(prompt)))


def find_spans(prompt: str) -> Iterator[tuple[str, int, int]]:
    """Yield (name, start, end) of every variable in `prompt`, its braces included: what an editor marks."""
    for match in _PIECE.finditer(prompt):
        name = _variable_of(match)
        if name:
            around = 2 if match["braced"] else 0
            yield name, match.start() + around, match.end() - around


def render(prompt: str, values: Mapping[str, object]) -> str:
    """Return `prompt` with each variable replaced by `str()` of its value.

    Args:
        prompt: The prompt.
        values: Variable name -> value.

    Raises:
        UndefinedVariableError: A variable has no value; the first one is named, with the closest name of `values`.
        PromptError: `str()` of a value raised.
    """

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            return "{" + match["literal"] + "}"
        name = _variable_of(match)
        if name is None:
            return match[0]
        if name not in values:
            raise UndefinedVariableError.of(name, (known for known in values if not known.startswith("_")))
        text = _as_text(name, values[name])
        return "{" + text + "}" if match["braced"] else text

    return _PIECE.sub(replace, prompt)


def _as_text(name: str, value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        raise PromptError(
            f"str() of the variable {name!r} ({type(value).__name__}) raised {type(error).__name__}: {error}",
            remedy="Pass its text in place of the object.",
            error_code="variable-without-text",
            facts={"param": name},
        ) from error
