"""LangChain's prompt templates, for -t and the panel: the messages that one makes of variables and a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import PromptError, UsageError
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.core.messages import Message


def render(template: Any, name: str, body: str, values: Mapping[str, Any]) -> list[Message]:
    """Return the messages of a template; the body is its only variable that is not defined.

    Args:
        template: An object with LangChain's `input_variables` and `format_prompt`.
        name: How the user refers to it, such as "$template", for error messages.
        body: The prompt below the line, its own variables filled in; "" for none.
        values: The variables.

    Raises:
        UsageError: It is not a prompt template.
        PromptError: A variable is missing, there is no single variable for the body, or the template fails.
    """
    required = getattr(template, "input_variables", None)
    if required is None or not callable(getattr(template, "format_prompt", None)):
        raise UsageError(f"{name} is not a LangChain prompt template: it is of the type {type(template).__name__}")
    optional = set(getattr(template, "optional_variables", ()))
    given = {key: values[key] for key in (*required, *optional) if key in values}
    missing = [key for key in required if key not in given]
    if body:
        if len(missing) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "all of its variables are defined"
            raise PromptError(
                f"The cell has a body, and {name} has no single variable for it: {why}",
                remedy="Leave one variable of the template to the body, or leave the body empty.",
            )
        given[missing.pop()] = body
    if missing:
        raise PromptError(f"{name} needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    return _format_prompt(template, given, name)


def _format_prompt(template: Any, given: dict[str, Any], name: str) -> list[Message]:
    from azml_magics.langchain import message_conversion

    try:
        turns = template.format_prompt(**given).to_messages()
    except Exception as error:
        raise PromptError(
            f"{name} raised {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Look at its variables' values.",
        ) from error
    return message_conversion.messages_to_wire(turns)
