"""The options of a cell with --each: its rows, its prompt, and the limits of its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, PromptError, UsageError
from azml_magics.core.prompt import template
from azml_magics.display.text_output import TextOutput
from azml_magics.rows.run_options import DEFAULT_CONCURRENCY, RunOptions
from azml_magics.runnables import event_loop
from azml_magics.runnables.recognition import is_model, is_runnable

from . import cell_config, cell_messages, option_values, runnables
from .context import Settings
from .remedies import with_notebook_remedy

if TYPE_CHECKING:
    from azml_magics.core.messages import Message
    from azml_magics.rows.dry_run import DryRun

    from .context import NotebookContext
    from .parsed_options import CellOptions


def check_options(options: CellOptions) -> None:
    """Check that the options go together.

    Raises:
        UsageError: One does not go with rows.
    """
    others = {
        "--compare": options.compare,
        "--sweep": options.sweep,
        "-n": options.repeat is not None,
        "-t": options.template,
        "-i": options.image,
        "-F": options.format,
    }
    for name in (name for name, given in others.items() if given):
        raise UsageError(f"--each and {name} do not go together", remedy=f"Leave out {name}.")


def find_target(context: NotebookContext, options: CellOptions) -> Any:
    """Return the config, or the LangChain object with the line's model kwargs bound.

    Raises:
        UsageError: An option does not apply to the object.
    """
    found = cell_config.find_object(context, options)
    if not is_runnable(found):
        return cell_config.resolve_config(context, replace(options, system=None))
    runnables.check_options(options, is_model=is_model(found), with_rows=True)
    context.on_exit(event_loop.close)
    kwargs = cell_config.model_kwargs(context, options) if is_model(found) else {}
    return found.bind(**kwargs) if kwargs else found


def find_rows(context: NotebookContext, options: CellOptions) -> Any:
    """Return the value of the variable that --each names, or the path of a file.

    Raises:
        UsageError: There is no such variable, or its `$` is missing.
    """
    given = options.each or ""
    if given.startswith("$"):
        return context.variable(given)
    if given in context.variables and not Path(given).suffix:
        raise UsageError(f"--each takes $NAME or a file, not {given!r}", remedy=f"Write --each ${given}.")
    return given


def find_dask_client(context: NotebookContext, options: CellOptions) -> Any:
    """Return the dask client that --dask-client names; None without one, or if the variable is None.

    A notebook that also runs without dask sets the variable to None; its rows are sent from this process.

    Raises:
        UsageError: It is not a dask client.
    """
    given = options.dask_client
    if given is None:
        return None
    if not given.startswith("$"):
        raise UsageError(f"--dask-client takes a variable, not {given!r}", remedy=f"Write ${given}.")
    client = context.variable(given)
    if client is not None and not callable(getattr(client, "submit", None)):
        raise UsageError(f"{given} is not a dask client: it is a {type(client).__name__}")
    return client


def read_run_options(context: NotebookContext, options: CellOptions) -> RunOptions:
    """Return the limits and the journal of a run.

    Raises:
        UsageError: A number is out of range, or --retry-failed is given without a journal.
    """
    usual = context.settings.concurrency
    usual = DEFAULT_CONCURRENCY if usual == Settings.concurrency else usual
    concurrency = options.concurrency if options.concurrency is not None else usual
    limits = (concurrency, options.rpm, options.tpm, options.max_tokens_total)
    return RunOptions(*limits, options.journal, options.retry_failed)


def read_prompt_for(
    target: Any, context: NotebookContext, options: CellOptions, body: str
) -> tuple[str | list[Message] | None, dict[str, Any]]:
    """Return what `read_prompt` does; without a body None for a chain, which gets the rows themselves.

    Args:
        target: What `find_target` returned.
        context: The notebook.
        options: The line of the cell.
        body: The prompt.

    Raises:
        PromptError: There is no prompt.
    """
    if is_runnable(target) and not is_model(target) and not cell_messages.prompt_text(body):
        return None, cell_messages.prompt_variables(context, options)
    return read_prompt(context, options, body)


def read_prompt(
    context: NotebookContext, options: CellOptions, body: str
) -> tuple[str | list[Message], dict[str, Any]]:
    """Return the body after the system message of -s, and the notebook's variables; columns have precedence in both.

    Raises:
        PromptError: There is no prompt.
    """
    text = cell_messages.prompt_text(body)
    if not text:
        raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
    variables = cell_messages.prompt_variables(context, options)
    if not options.system:
        return text, variables
    system = options.system
    if option_values.is_reference(system):  # a whole text, in which nothing is filled in
        system = template.escape(option_values.read_text(context, system, "-s"))
    return [{"role": "system", "content": system}, {"role": "user", "content": text}], variables


def show_dry_run(shown: DryRun) -> TextOutput:
    """Return the first requests and how many there are, with the notebook's remedies; nothing is sent."""
    for problem in shown.requests:
        if isinstance(problem, AzmlError):
            with_notebook_remedy(problem)
    return TextOutput(str(shown))
