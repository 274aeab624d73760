"""%azureml code: the last call, or one with a named config, as a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import ConfigError
from azml_magics.core.messages import as_messages
from azml_magics.core.tools.toolset import names_of
from azml_magics.display.text_output import CodeOutput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from ..context import NotebookContext
    from ..parsed_options import CodeOptions


def show_code(context: NotebookContext, options: CodeOptions) -> CodeOutput:
    """Return the last call, or a call with the named config, as a program. It refers to its key and never holds it."""
    from azml_magics import codegen

    if options.name == "last" and "last" not in context.session.names():
        config, messages = _last_call(context)
        functions = _functions_of_last(context)
    else:
        config = context.session.get(options.name)
        messages = as_messages("Hello", config.system)
        functions = []
    shown = "bash" if options.language == "curl" else "python"
    return CodeOutput(codegen.write_program(config, messages, options.language, functions), shown)


def _last_call(context: NotebookContext) -> tuple[LLMConfig, Sequence[Message]]:
    exchange = context.session.last
    if exchange is None:
        raise ConfigError("No prompt has been sent yet", remedy="Name a config: %azureml code NAME.")
    if exchange.config.name.startswith("$"):
        raise ConfigError(
            f"{exchange.config.name} is a LangChain object, and its code is in your notebook",
            remedy="Name a config for the code of a call with it: %azureml code NAME.",
        )
    return exchange.config, exchange.messages


def _functions_of_last(context: NotebookContext) -> list[str]:
    """Return the names of the notebook's functions that the last call offered, if it called one."""
    exchange = context.session.last
    if exchange is None or exchange.response is None or not exchange.response.tool_runs:
        return []
    known = context.variables
    return [name for name in names_of(exchange.config.model_kwargs.get("tools") or ()) if name in known]
