"""The messages of a cell: its body with variables or a template, attachments, and the conversation before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.conversations import Conversation
from azml_magics.core.errors import PromptError, UsageError
from azml_magics.core.messages import as_messages
from azml_magics.core.paths import path_of
from azml_magics.core.prompt.schema import Schema
from azml_magics.core.text import one_line

from . import args, option_values, prompt_templates

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
        from azml_magics.core.prompt import attachments

        given = [context.variable(image) if image.startswith("$") else image for image in options.image]
        messages = attachments.attach(messages, given)
    if options.conversation:
        conversation = context.session.conversations.get(options.conversation, Conversation())
        messages = conversation.with_prompt(messages, config)
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
        body = option_values.fill_in(context, text, values) if text else ""
        prompt = prompt_templates.render(context.variable(options.template), options.template, body, values)
    else:
        prompt = option_values.fill_in(context, text, values)
    if not prompt:
        raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
    return prompt


def load_schema(context: NotebookContext, options: CellOptions) -> Schema | None:
    """Return the schema of --schema, a variable, a JSON file, or JSON itself; None without --schema.

    Raises:
        UsageError: The file cannot be read, or the schema is not valid.
    """
    given = options.schema
    if not given:
        return None
    if given.startswith("$"):
        return Schema.from_source(context.variable(given))
    if given.lstrip().startswith("{"):
        return Schema.from_source(given)
    try:
        return Schema.from_source(path_of(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The schema {given} cannot be read: {one_line(str(error), 100)}",
            remedy=f"Give a JSON file, or ${given} for a variable.",
        ) from None
