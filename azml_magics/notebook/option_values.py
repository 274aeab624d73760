"""Values of options: `$name` stands for a variable, `{name}` in a text for its value, and numbers are read as such."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from azml_magics.core.errors import UndefinedVariableError, UsageError
from azml_magics.core.prompt import template
from azml_magics.core.prompt.notes import describe_surprises
from azml_magics.core.prompt.values import parse_value
from azml_magics.core.text import one_line

from . import args, publishing
from .options import field_of
from .verbs import options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .context import NotebookContext

Options = TypeVar("Options")

# Fields that take objects, or whose words are read where they are used.
_READ_ELSEWHERE = {
    *("config", "kwargs", "formatter", "system", "template", "schema", "image", "each", "dask_client", "price"),
    *("match", "score", "judge", "rubric", "baseline", "tool"),
    *("set", "sweep", "var", "header", "values", "output", "search"),
}


def fill_options(context: NotebookContext, verb: str | None, options: Options) -> Options:
    """Return the options of a line with variables in place of `$name` and `{name}`.

    Args:
        context: The notebook.
        verb: The verb that the options belong to; None for a cell.
        options: A dataclass of parsed_options.

    Raises:
        UsageError: A variable does not exist, or its value is not what the option takes.
        UndefinedVariableError: A text names a variable in braces that is not defined.
    """
    numbers = {field_of(option): keywords["type"] for option in options_of(verb) if "type" in (keywords := option[1])}
    flags = {field_of(option): option[0][-1] for option in options_of(verb)}
    changes: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]  # every options class is a dataclass
        given = getattr(options, field.name)
        flag = flags.get(field.name, "")
        if field.name in numbers and isinstance(given, str):
            changes[field.name] = args.read_number(flag, numbers[field.name], read_value(context, given, flag))
        elif field.name not in _READ_ELSEWHERE and isinstance(given, str):
            changes[field.name] = read_text(context, given, flag)
        elif field.name not in _READ_ELSEWHERE and isinstance(given, tuple):
            changes[field.name] = tuple(read_text(context, word, flag) for word in given)
    return replace(options, **changes)  # type: ignore[type-var]  # as above


def read_text(context: NotebookContext, word: str, flag: str, variables: Mapping[str, Any] | None = None) -> str:
    """Return the text that a word of the line stands for.

    Args:
        context: The notebook.
        word: A text with `{name}`s, or `$name` for a variable with a text, a number or a path.
        flag: The option that took it, for the error message.
        variables: What `{name}` can stand for; by default the notebook's variables.

    Raises:
        UsageError: The variable does not exist, or is not a text.
        UndefinedVariableError: A `{name}` is not defined.
    """
    if not is_reference(word):
        return fill_in(context, word, variables, f"{flag} " if flag else "")
    value = context.variable(word)
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise UsageError(f"{flag or 'This word'} takes a text, and {word} is of the type {type(value).__name__}")


def read_value(context: NotebookContext, word: str, flag: str) -> Any:
    """Return the value that a word stands for: a variable's, JSON, a Python literal, or else its text.

    Args:
        context: The notebook.
        word: `$name` or `{name}` for the variable itself; in other texts and in the strings of JSON, `{name}` is
            replaced by the variable's text.
        flag: The option that took it, for the error message.

    Raises:
        UsageError: `$name` does not exist.
        UndefinedVariableError: A `{name}` is not defined.
    """
    if is_reference(word):
        return context.variable(word)
    return fill_strings(context, parse_value(word), f"{flag} ")


def is_reference(word: str) -> bool:
    """Return whether a word is `$name`."""
    return word.startswith("$") and word[1:].isidentifier()


def fill_in(context: NotebookContext, text: str, variables: Mapping[str, Any] | None = None, place: str = "") -> str:
    """Return a text with its variables filled in, and print a line for what goes out otherwise than expected.

    Args:
        context: The notebook.
        text: The text.
        variables: What `{name}` can stand for; by default the notebook's variables.
        place: The option with a blank after it, for the line; "" for the prompt.

    Raises:
        UndefinedVariableError: A `{name}` is not defined.
        PromptError: `str()` of a value raised.
    """
    if "{" not in text:
        return text
    values = context.prompt_variables if variables is None else variables
    for sentence in describe_surprises(text, values):
        publishing.print_line(f"{place}{sentence}")
    try:
        return template.render(text, values)
    except UndefinedVariableError as error:
        if place:
            error.cause = f"{place}{one_line(text, 60)!r} uses {{{error.facts['param']}}}, which is not defined"
            error.args = (error.cause,)
        raise


def fill_strings(context: NotebookContext, value: Any, place: str) -> Any:
    """Return JSON data with the variables in its strings filled in; a string `{name}` becomes the variable itself."""
    if isinstance(value, str) and "{" in value:
        variables, name = context.prompt_variables, value[1:-1]
        is_variable = value == f"{{{name}}}" and name in variables and name.isidentifier()
        return variables[name] if is_variable else fill_in(context, value, variables, place)
    if isinstance(value, list):
        return [fill_strings(context, item, place) for item in value]
    if isinstance(value, dict):
        return {name: fill_strings(context, item, place) for name, item in value.items()}
    return value
