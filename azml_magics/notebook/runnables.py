"""%%azureml $object for any LangChain object: a chain, a chat model or an LLM of any provider.

Nothing here imports LangChain: the object brings it along and is recognized by its methods.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.conversations import after_response
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, Interrupted, UsageError
from azml_magics.core.http.waiting import observe_waiting
from azml_magics.runnables import event_loop
from azml_magics.runnables.recognition import is_model, is_runnable

from . import cell_output, publishing, runnable_stream, runnable_tools
from .cell_call import should_stream
from .runnable_input import prepare_input, takes_messages

__all__ = ["check_options", "is_runnable", "run"]

if TYPE_CHECKING:
    from azml_magics.core.response import Response

    from .context import NotebookContext
    from .parsed_options import CellOptions

_FOR_CONFIGS = {
    "-u": "url",
    "--type": "type",
    "--deployment": "deployment",
    "-f": "formatter",
    "--key": "key",
    "--timeout": "timeout",
    "--retries": "retries",
    "--model": "model",
    "--api-version": "api_version",
    "--schema": "schema",
    "--dry-run": "dry_run",
    "--save": "save",
}
_ALSO_FOR_ROWS = {"--schema", "--dry-run"}
_FOR_MESSAGES = {"-s": "system", "-c": "conversation", "-i": "image"}
_FOR_MODELS = {"-p": "set", "-k": "kwargs", "--tool": "tool"}


def run(context: NotebookContext, options: CellOptions, body: str, runnable: Any) -> Response:
    """Send a cell to a chain or to another provider's model, show the response as it arrives, and record it.

    Args:
        context: The notebook.
        options: The line of the cell; its `config` is what the cell calls the object.
        body: The prompt.
        runnable: The object.

    Raises:
        UsageError: An option does not apply to the object.
        PromptError: The object's variables are not all defined.
        RunnableError: The object raised. What had arrived is in the error's `response`.
        Interrupted: The user interrupted the kernel. What had arrived is kept likewise.
    """
    name = options.config or ""
    is_agent = not is_model(runnable) and takes_messages(runnable, options)
    check_options(options, is_model=is_model(runnable), is_agent=is_agent)
    bound, toolset = runnable_tools.bind_tools(context, options, runnable)
    prepared = prepare_input(context, options, body, bound)
    context.on_exit(event_loop.close)
    shows_text = should_stream(context, options) and not options.quiet
    shows = cell_output.reasoning_mode(context, options)
    live = publishing.live_text(context.shell, shows) if shows_text else None
    exchange = (LLMConfig(name=name), prepared.messages)
    try:
        with observe_waiting(live.wait) if live else contextlib.nullcontext():
            if toolset:
                response = runnable_tools.receive(prepared.runnable, toolset, prepared.messages, name, live)
            else:
                stream = runnable_stream.RunnableStream(prepared.runnable, prepared.value, name, prepared.config)
                response = stream.receive(live)
    except (AzmlError, Interrupted) as error:
        if live:
            live.keep()
        context.session.record(*exchange, error.response, error)
        raise
    response = _parse_format(response, options.format or context.settings.format)
    response = replace(response, show_reasoning=shows)
    if live:
        live.finish(response)
    context.session.record(*exchange, response)
    if options.conversation:
        kept = after_response(prepared.messages, response, exchange[0])
        context.session.conversations[options.conversation] = kept
    return response


def check_options(options: CellOptions, *, is_model: bool, is_agent: bool = False, with_rows: bool = False) -> None:
    """UsageError for options that do not apply to the object.

    Args:
        options: The line of the cell.
        is_model: Whether the object is a model, which takes messages and model kwargs.
        is_agent: Whether it is an agent, which takes messages.
        with_rows: Whether it is called for rows, whose outputs a schema can check.
    """
    for flag, field in _FOR_CONFIGS.items():
        if getattr(options, field) and not (with_rows and flag in _ALSO_FOR_ROWS):
            raise UsageError(
                f"{flag} is for configs, and {options.config} is a LangChain object with settings of its own",
                remedy=f"Leave out {flag}.",
            )
    templated = {} if options.template in (None, "none") else {"-t": "template"}
    messages = {} if is_model or is_agent else _FOR_MESSAGES | templated
    kwargs = {} if is_model else _FOR_MODELS
    for flag, field in (messages | kwargs).items():
        if getattr(options, field):
            kind = "an agent" if is_agent else "a chain"
            raise UsageError(f"{flag} does not apply to {kind}", remedy=f"Put it into {options.config} itself.")
    if is_model and options.thread:
        raise UsageError("--thread is for agents", remedy="Keep a conversation with -c NAME.")


def _parse_format(response: Response, format: str) -> Response:  # noqa: A002 - the option's own name
    """The response in a format; an object that a parser made is shown as JSON if it can be."""
    if response.parsed is None:
        return cell_output.parse_format(response, format)
    try:
        json.loads(response.text)
    except ValueError:
        return replace(response, format="text")
    return replace(response, format="text" if format == "text" else "json")
