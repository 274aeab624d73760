"""The messages of a cell: its body with variables or a template, images, and the conversation before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import PromptError, UsageError
from azml_magics.core.messages import as_messages
from azml_magics.core.paths import path_of
from azml_magics.core.prompt import template
from azml_magics.core.prompt.schema import Schema
from azml_magics.core.text import one_line

from . import args, conversation_turns

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from .context import NotebookContext
    from .parsed_options import CellOptions


def prompt_values(context: NotebookContext, options: CellOptions) -> dict[str, Any]:
    """The prompt variables: the notebook's, and over them the line's."""
    return {**context.prompt_variables, **dict(args.split_pair(given, "--var") for given in options.var)}


def prompt_text(body: str) -> str:
    """The body without the blank lines around it."""
    return body.strip("\n").rstrip()


def build_messages(context: NotebookContext, options: CellOptions, body: str, config: LLMConfig) -> list[Message]:
    """The messages to send: the body with its variables, or the template's; pictures; the conversation before them."""
    values = prompt_values(context, options)
    prompt: str | list[Message]
    text = prompt_text(body)
    if options.template == "none":
        prompt = text
    elif options.template:
        prompt = _from_template(context.variable(_dollar(options.template)), text, values, options.template)
    else:
        prompt = template.render(text, values)
    if not prompt:
        raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
    messages = as_messages(prompt, config.system)
    if options.image:
        from . import images

        given = [context.variable(image) if image.startswith("$") else image for image in options.image]
        messages = images.with_images(messages, given)
    if options.conversation:
        messages = conversation_turns.with_earlier_turns(context, options.conversation, messages)
    return messages


def read_schema(context: NotebookContext, options: CellOptions) -> Schema | None:
    """What --schema names: a variable's value, or the text of a JSON file; None where it is left out."""
    given = options.schema
    if not given:
        return None
    if given.startswith("$"):
        return Schema.of(context.variable(given))
    try:
        return Schema.of(path_of(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The schema {given} cannot be read: {one_line(str(error), 100)}",
            remedy=f"Give a JSON file, or ${given} for a variable.",
        ) from None


def _dollar(text: str) -> str:
    if not text.startswith("$"):
        raise UsageError(f"-t takes none or a variable, not {text!r}", remedy=f"Write -t ${text} for the variable.")
    return text


def _from_template(prompt_template: Any, body: str, values: dict[str, Any], name: str) -> str | list[Message]:
    """A LangChain prompt template, rendered with the notebook's variables; the body fills the one it finds nowhere."""
    wanted = getattr(prompt_template, "input_variables", None)
    if wanted is None or not callable(getattr(prompt_template, "format_prompt", None)):
        raise UsageError(f"{name} is {type(prompt_template).__name__}, which is no LangChain prompt template")
    optional = set(getattr(prompt_template, "optional_variables", ()))
    given = {key: values[key] for key in (*wanted, *optional) if key in values}
    missing = [key for key in wanted if key not in given]
    if body:
        if len(missing) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "it lacks no variable"
            raise PromptError(
                f"The cell has a body, and {name} has no single variable for it: {why}",
                remedy="Leave one variable of the template to the body, or leave the body empty.",
            )
        given[missing.pop()] = template.render(body, values)
    if missing:
        raise PromptError(f"{name} needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    from azml_magics.langchain.message_conversion import messages_to_wire

    try:
        turns = prompt_template.format_prompt(**given).to_messages()
    except Exception as error:
        raise PromptError(
            f"{name} raised {type(error).__name__}: {one_line(str(error), 200)}",
            remedy="Look at its variables' values.",
        ) from error
    return messages_to_wire(turns)
