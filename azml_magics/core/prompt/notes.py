"""What is worth a line before a prompt is sent: braces that stay as they are, and values that `str()` shortens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .template import find_lookups, find_variables
from .value_text import describe_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def describe_surprises(prompt: str, values: Mapping[str, object], columns: Collection[str] = ()) -> list[str]:
    """Return a sentence for everything in `prompt` that goes out otherwise than its writer may expect.

    Args:
        prompt: The prompt, before its variables are filled in.
        values: The variables; braces around other names are not mentioned.
        columns: Names of columns, which are variables, too.

    Examples:
        >>> describe_surprises("Summarize {reply.text}", {"reply": object()})
        ['{reply.text} is sent as written: only a name is filled in. Write text = reply.text and {text}.']
    """
    written = {f"{{{name}}}" for name in columns}
    sentences = [
        _describe_lookup(name, braces)
        for name, braces in find_lookups(prompt)
        if braces not in written and (name in values or name in columns)
    ]
    names = [name for name in find_variables(prompt, columns) if name in values and name not in columns]
    missing = {name: _describe_missing(values[name]) for name in names}
    return sentences + [
        f"{{{name}}} is {what}, and its str() leaves some out. Assign its whole text first."
        for name, what in missing.items()
        if what
    ]


def _describe_lookup(name: str, braces: str) -> str:
    if braces == f"{{{name}}}":
        return f"{braces} after _ or ^ is sent as written, as in LaTeX. Assign the whole word to a variable instead."
    new_name = _new_name(braces)
    is_expression = _is_expression(braces)
    way = (
        f"Write {new_name} = {braces[1:-1]} and {{{new_name}}}." if is_expression else "Assign its text to a variable."
    )
    return f"{braces} is sent as written: only a name is filled in. {way}"


def _describe_missing(value: object) -> str:
    try:
        return describe_missing(value)
    except Exception:  # noqa: BLE001 - the text of any object may raise anything; rendering reports it
        return ""


def _is_expression(braces: str) -> bool:
    """Whether what is in the braces can stand on the right of an assignment: no format and no conversion."""
    try:
        compile(braces[1:-1], "", "eval")
    except (SyntaxError, ValueError):
        return False
    return _new_name(braces).isidentifier()


def _new_name(braces: str) -> str:
    """Return a name for the value in the braces: the last attribute, or else `text`."""
    last = braces[1:-1].rpartition(".")[2]
    return last if last.isidentifier() else "text"
