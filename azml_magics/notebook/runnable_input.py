"""What a cell gives to a LangChain object: messages for a model, variables or a text for a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError
from azml_magics.core.messages import as_messages
from azml_magics.core.text import one_line
from azml_magics.runnables.input_variables import input_variables
from azml_magics.runnables.recognition import find_graph, is_model

from . import args, cell_config, cell_messages, option_values, runnable_thread

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from azml_magics.core.messages import Message

    from .context import NotebookContext
    from .parsed_options import CellOptions


class RunnableInput(NamedTuple):
    """A LangChain object and what it is called with.

    Attributes:
        runnable: The object, with the line's model kwargs bound.
        value: Its input.
        messages: The input as the history keeps it.
        config: The config of the call: the thread of an agent.
    """

    runnable: Any
    value: Any
    messages: Sequence[Message]
    config: dict[str, Any] | None = None


def prepare_input(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> RunnableInput:
    """Make the input of a LangChain object from a cell.

    Raises:
        PromptError: There is no prompt, or the variables of a chain are not all defined.
        UsageError: A chain does not say what it takes.
    """
    if not is_model(runnable):
        thread = runnable_thread.make_config(context, options, runnable)
        if takes_messages(runnable, options) and cell_messages.prompt_text(body):
            return _agent_input(context, options, body, runnable)._replace(config=thread)
        value = _chain_input(context, options, body, runnable)
        text = value if isinstance(value, str) else cell_messages.prompt_text(body)
        return RunnableInput(runnable, value, as_messages(text, None), thread)
    system = option_values.read_text(context, options.system, "-s") if options.system else None
    config = LLMConfig(name=options.config or "", system=system)
    messages = cell_messages.build_messages(context, options, body, config)
    kwargs = cell_config.model_kwargs(context, options)
    return RunnableInput(runnable.bind(**kwargs) if kwargs else runnable, model_input(messages), messages)


def takes_messages(runnable: Any, options: CellOptions) -> bool:
    """Whether it is an agent: a graph whose input is a conversation."""
    return find_graph(runnable) is not None and input_variables(runnable, str(options.config)).takes_messages


def _agent_input(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> RunnableInput:
    from azml_magics.langchain.message_conversion import messages_from_wire

    system = option_values.read_text(context, options.system, "-s") if options.system else None
    config = LLMConfig(name=options.config or "", system=system)
    messages = cell_messages.build_messages(context, options, body, config)
    return RunnableInput(runnable, {"messages": messages_from_wire(messages)}, messages)


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
    on_the_line = {args.split_pair(given, "--var")[0] for given in options.var}
    if find_graph(runnable) is not None and required is not None:
        return _state_input(str(options.config), required, values, prompt, on_the_line)
    if required is None:
        if not prompt:
            raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
        return prompt
    given = {key: values[key] for key in (*required, *optional) if key in values}
    only = [key for key in required if len(required) == 1 and key not in on_the_line]
    return _fill_variables(str(options.config), required, given, prompt, only)


def _state_input(
    name: str, keys: Sequence[str], values: dict[str, Any], prompt: str, on_the_line: Collection[str]
) -> dict[str, Any]:
    """The state that a graph without messages begins with: what --var gives, and the prompt as the only other key.

    All keys of a graph's state are optional, and a variable of the notebook may be called as one by chance.
    """
    given = {key: values[key] for key in keys if key in on_the_line}
    rest = [key for key in keys if key not in given]
    if prompt and len(rest) == 1:
        return {**given, rest[0]: prompt}
    if prompt or not given:
        known = one_line(", ".join(keys), 200)
        remedy = f"Give what it starts with as --var {keys[0]}=TEXT or --var {keys[0]}=$name, without a body."
        raise PromptError(f"{name} is a graph without messages: its state has {known}", remedy=remedy)
    return given


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
