"""What a cell gives to a LangChain object: messages for a model, variables or a text for a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError
from azml_magics.core.messages import as_messages
from azml_magics.runnables.input_variables import input_variables
from azml_magics.runnables.recognition import is_model

from . import args, cell_config, cell_messages, option_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.messages import Message

    from .context import NotebookContext
    from .parsed_options import CellOptions


class RunnableInput(NamedTuple):
    """A LangChain object and what it is called with.

    Attributes:
        runnable: The object, with the line's model kwargs bound.
        value: Its input.
        messages: The input as the history keeps it.
    """

    runnable: Any
    value: Any
    messages: Sequence[Message]


def prepare_input(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> RunnableInput:
    """Make the input of a LangChain object from a cell.

    Raises:
        PromptError: There is no prompt, or the variables of a chain are not all defined.
        UsageError: A chain does not say what it takes.
    """
    if not is_model(runnable):
        value = _chain_input(context, options, body, runnable)
        text = value if isinstance(value, str) else cell_messages.prompt_text(body)
        return RunnableInput(runnable, value, as_messages(text, None))
    system = option_values.read_text(context, options.system, "-s") if options.system else None
    config = LLMConfig(name=options.config or "", system=system)
    messages = cell_messages.build_messages(context, options, body, config)
    kwargs = cell_config.model_kwargs(context, options)
    return RunnableInput(runnable.bind(**kwargs) if kwargs else runnable, model_input(messages), messages)


def model_input(messages: Sequence[Message]) -> Any:
    """Return what a model takes: the text of a single prompt, or LangChain's messages."""
    if len(messages) == 1 and messages[0].get("role") == "user" and isinstance(messages[0].get("content"), str):
        return messages[0]["content"]
    from azml_magics.langchain.message_conversion import messages_from_wire

    return messages_from_wire(messages)


def _chain_input(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> Any:
    """What a chain takes: its variables, or the body if it takes a text."""
    values = cell_messages.prompt_variables(context, options)
    text = cell_messages.prompt_text(body)
    prompt = text if options.template == "none" else option_values.fill_in(context, text, values)
    required, optional, *_ = input_variables(runnable, str(options.config))
    if required is None:
        if not prompt:
            raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
        return prompt
    given = {key: values[key] for key in (*required, *optional) if key in values}
    on_the_line = {args.split_pair(given, "--var")[0] for given in options.var}
    only = [key for key in required if len(required) == 1 and key not in on_the_line]
    return _fill_variables(str(options.config), required, given, prompt, only)


def _fill_variables(
    name: str, required: Sequence[str], given: dict[str, Any], prompt: str, only: Sequence[str]
) -> dict[str, Any]:
    """The variables of the chain `name`: those that are `given`, and the prompt as the one that is not.

    A chain's `only` variable is the prompt, even if the notebook has one of that name.
    """
    missing = [key for key in required if key not in given]
    if prompt:
        open_variable = missing or only
        if len(open_variable) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "all of its variables are defined in the notebook"
            raise PromptError(
                f"The cell has a body, and {name} has no single variable for it: {why}",
                remedy=f"Leave one of its variables to the body, or call it without a body: %azureml {name}.",
            )
        given[open_variable[0]] = prompt
    elif missing:
        raise PromptError(f"{name} needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    return given
