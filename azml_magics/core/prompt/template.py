r"""Prompt variables: the `{name}`s of a prompt, and the prompt with their values. Pure.

`{name}`, where name is an identifier, is a variable. `{{name}}` is a literal `{name}`, and `{{{name}}}` the value in
braces, as in Python's own format strings. A column of a table is a variable whatever its name looks like, such as
`{unit price}`. All other braces are text: JSON, code, `{}`, Python keywords, and those of LaTeX, in `\frac{a}{b}`,
`x_{i}` and `e^{n}`. Braces in values are text, too; nothing is evaluated.
"""

from __future__ import annotations

import keyword
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..errors import PromptError, UndefinedVariableError
from .value_text import text_of_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_NAME = r"[^\W\d]\w*"
_LATEX = r"(?P<latex>\\[A-Za-z]+\*?(?:\[[^\[\]\n]*\])*(?:\{[^{}\n]*\})+|(?<=[_^])\{[^{}\n]*\})"
_PIECE = (
    r"|(?<!\{{)\{{\{{\{{(?P<braced>{name})\}}\}}\}}(?!\}})"
    r"|\{{\{{(?P<literal>{name})\}}\}}"
    r"|\{{(?P<name>{name})\}}"
)
_LOOKUP = re.compile(rf"\{{(?P<name>{_NAME})(?:[.\[:!][^{{}}\n]*)\}}")
_LATEX_INDEX = re.compile(rf"(?<=[_^])\{{(?P<name>{_NAME})\}}")


class Lookup(NamedTuple):
    """Braces that look like a variable and are sent as written.

    Attributes:
        name: The name that they begin with.
        written: The braces with what is in them.
    """

    name: str
    written: str


def find_variables(prompt: str, columns: Collection[str] = ()) -> list[str]:
    """Return the names of the variables in `prompt`, each once, in order of appearance.

    Args:
        prompt: The prompt.
        columns: Names that are variables even if they are not identifiers.
    """
    return list(dict.fromkeys(name for name, _, _ in find_spans(prompt, columns)))


def find_spans(prompt: str, columns: Collection[str] = ()) -> Iterator[tuple[str, int, int]]:
    """Yield (name, start, end) of every variable in `prompt`, its braces included: what an editor marks."""
    for match in _pattern(columns).finditer(prompt):
        name = _variable_of(match, columns)
        if name:
            around = 2 if match["braced"] else 0
            yield name, match.start() + around, match.end() - around


def find_lookups(prompt: str) -> list[Lookup]:
    """Return the braces that are sent as written although they begin with a name, each once.

    They are attributes, items, formats and conversions, which are not evaluated (`{df.shape}`, `{rows[0]}`, `{x:.2f}`),
    and names of several letters in LaTeX's index or exponent (`total_{year}`). Whether the name is that of a variable
    is for the caller to say.
    """
    lookups = [Lookup(match["name"], match[0]) for match in _LOOKUP.finditer(prompt) if not _is_doubled(prompt, match)]
    indexes = [Lookup(match["name"], match[0]) for match in _LATEX_INDEX.finditer(prompt) if len(match["name"]) > 1]
    return list(dict.fromkeys(lookups + indexes))


def _is_doubled(prompt: str, match: re.Match[str]) -> bool:
    return prompt[match.start() - 1 : match.start()] == "{" and prompt[match.end() : match.end() + 1] == "}"


def escape(text: str) -> str:
    """Return the prompt that renders to `text`: the braces of what would be a variable are doubled.

    Braces that are doubled in `text` cannot be written; the prompt then renders to something else.
    """
    parts, at = [], 0
    for _, start, end in find_spans(text):
        parts += [text[at:start], "{", text[start:end], "}"]
        at = end
    return "".join([*parts, text[at:]])


def render(prompt: str, values: Mapping[str, object], columns: Collection[str] = ()) -> str:
    """Return `prompt` with each variable replaced by the text of its value.

    Args:
        prompt: The prompt.
        values: Variable name -> value.
        columns: Names that are variables even if they are not identifiers.

    Raises:
        UndefinedVariableError: A variable has no value; the first one is named, with the closest name of `values`.
        PromptError: `str()` of a value raised.
    """

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            return "{" + match["literal"] + "}"
        name = _variable_of(match, columns)
        if name is None:
            return match[0]
        if name not in values:
            raise UndefinedVariableError.of(name, (known for known in values if not known.startswith("_")))
        text = _as_text(name, values[name])
        return "{" + text + "}" if match["braced"] else text

    return _pattern(columns).sub(replace, prompt)


def _variable_of(match: re.Match[str], columns: Collection[str]) -> str | None:
    name: str | None = match["name"] or match["braced"]
    return name if name and (name in columns or not keyword.iskeyword(name)) else None


def _pattern(columns: Collection[str]) -> re.Pattern[str]:
    # a name without visible characters stays text, so that `{}` and `{ }` do
    return _compile(tuple(name for name in columns if not name.isidentifier() and name.strip()))


@lru_cache(maxsize=64)
def _compile(odd_names: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of the pieces of a prompt; `odd_names` are variables that are not identifiers."""
    names = [*(re.escape(name) for name in sorted(odd_names, key=len, reverse=True)), _NAME]
    return re.compile(_LATEX + _PIECE.format(name="|".join(names)))


def _as_text(name: str, value: object) -> str:
    try:
        return text_of_value(value)
    except Exception as error:
        raise PromptError(
            f"str() of the variable {name!r} ({type(value).__name__}) raised {type(error).__name__}: {error}",
            remedy="Pass its text in place of the object.",
            error_code="variable-without-text",
            facts={"param": name},
        ) from error
