"""The messages of a cell: its body with variables or a template, attachments, and the conversation before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import PromptError, UsageError
from azml_magics.core.messages import as_messages
from azml_magics.core.paths import path_of
from azml_magics.core.prompt.schema import Schema
from azml_magics.core.text import one_line

from . import args, conversation_turns, option_values

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from .context import NotebookContext
    from .parsed_options import CellOptions


def prompt_variables(context: NotebookContext, options: CellOptions) -> dict[str, Any]:
    """Return the variables of the prompt: the notebook's, and over them those of --var.

    A value of --var is the text as it was typed, or the variable itself for `$name`.

    Raises:
        UsageError: A --var is not NAME=VALUE, or its variable does not exist.
        UndefinedVariableError: A --var has a `{name}` that is not defined.
    """
    values = dict(context.prompt_variables)
    for name, word in (args.split_pair(given, "--var") for given in options.var):
        is_name = option_values.is_reference(word)
        values[name] = context.variable(word) if is_name else option_values.fill_in(context, word, place="--var ")
    return values


def prompt_text(body: str) -> str:
    """Return the body without the blank lines around it."""
    return body.strip("\n").rstrip()


def build_messages(context: NotebookContext, options: CellOptions, body: str, config: LLMConfig) -> list[Message]:
    """Return the messages to send: the prompt with its attachments, after the turns of its conversation.

    Args:
        context: The notebook.
        options: The line of the cell.
        body: The text below it.
        config: The config with the line's changes; its system message comes first.

    Raises:
        PromptError: There is no prompt, or a template cannot be filled.
        UndefinedVariableError: {name} in the body is not defined.
        UsageError: A variable or an attachment does not exist.
    """
    messages = as_messages(_find_prompt(context, options, body), config.system)
    if options.image:
        from . import attachments

        given = [context.variable(image) if image.startswith("$") else image for image in options.image]
        messages = attachments.attach(messages, given)
    if options.conversation:
        messages = conversation_turns.with_earlier_turns(context, options.conversation, messages, config)
    return messages


def _find_prompt(context: NotebookContext, options: CellOptions, body: str) -> str | list[Message]:
    text, values = prompt_text(body), prompt_variables(context, options)
    prompt: str | list[Message]
    if options.template == "none":
        prompt = text
    elif options.template:
        if not options.template.startswith("$"):
            raise UsageError(
                f"-t takes none or a variable, not {options.template!r}",
                remedy=f"Write -t ${options.template} for the variable.",
            )
        prompt = _render_template(context, text, values, options.template)
    else:
        prompt = option_values.fill_in(context, text, values)
    if not prompt:
        raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
    return prompt


def load_schema(context: NotebookContext, options: CellOptions) -> Schema | None:
    """Return the schema that --schema names, a variable or a JSON file; None without --schema.

    Raises:
        UsageError: The file cannot be read, or the schema is not valid.
    """
    given = options.schema
    if not given:
        return None
    if given.startswith("$"):
        return Schema.from_source(context.variable(given))
    try:
        return Schema.from_source(path_of(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The schema {given} cannot be read: {one_line(str(error), 100)}",
            remedy=f"Give a JSON file, or ${given} for a variable.",
        ) from None


def _render_template(context: NotebookContext, body: str, values: dict[str, Any], name: str) -> str | list[Message]:
    """A LangChain prompt template rendered with the variables; the body is the one that is not defined."""
    prompt_template = context.variable(name)
    required = getattr(prompt_template, "input_variables", None)
    if required is None or not callable(getattr(prompt_template, "format_prompt", None)):
        kind = type(prompt_template).__name__
        raise UsageError(f"{name} is not a LangChain prompt template: it is of the type {kind}")
    optional = set(getattr(prompt_template, "optional_variables", ()))
    given = {key: values[key] for key in (*required, *optional) if key in values}
    missing = [key for key in required if key not in given]
    if body:
        if len(missing) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "all of its variables are defined"
            raise PromptError(
                f"The cell has a body, and {name} has no single variable for it: {why}",
                remedy="Leave one variable of the template to the body, or leave the body empty.",
            )
        given[missing.pop()] = option_values.fill_in(context, body, values)
    if missing:
        raise PromptError(f"{name} needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    return _format_prompt(prompt_template, given, name)


def _format_prompt(prompt_template: Any, given: dict[str, Any], name: str) -> list[Message]:
    from azml_magics.langchain import message_conversion

    try:
        turns = prompt_template.format_prompt(**given).to_messages()
    except Exception as error:
        raise PromptError(
            f"{name} raised {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Look at its variables' values.",
        ) from error
    return message_conversion.messages_to_wire(turns)
