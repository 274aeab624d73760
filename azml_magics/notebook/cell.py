"""One %%azureml cell: what its options call, be it one config, several, one for every row, or a LangChain object."""

from __future__ import annotations

import keyword
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.core.tracing import trace_block
from azml_magics.display.text_output import TextOutput
from azml_magics.session import check_name

from . import cell_config, cell_messages, cell_output, help_text
from .cell_call import CellCall, should_stream

if TYPE_CHECKING:
    from azml_magics.core.tools import Toolset

    from .context import NotebookContext
    from .parsed_options import CellOptions

_ROWS_OPTIONS = (
    "journal",
    "retry_failed",
    "limit",
    "sample",
    "concurrency",
    "rpm",
    "tpm",
    "max_tokens_total",
    "dask_client",
)
_EVALUATION_OPTIONS = ("expect", "match", "score", "judge", "rubric", "baseline", "require")


def run(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """Run a cell and return its result.

    Args:
        context: The notebook.
        options: The line of the cell.
        body: The prompt.

    Returns:
        A Response; a Batch of side-by-side cells; Results or a DataFrame of --each; the request with --dry-run; None
        with --quiet.

    Raises:
        UsageError: Options do not go together.
        AzmlError: The call failed.
    """
    if options.help:
        return TextOutput(help_text.cell_help())
    _check_output(options)
    _check_combinations(options)
    if options.dry_run:
        return _dispatch(context, options, body)
    with trace_block(
        "cell", {"config": options.config}, mlflow=context.settings.mlflow, inputs={"prompt": body}
    ) as span:
        return span.record(_dispatch(context, options, body))


def _dispatch(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """Run what the options call."""
    from . import compare, runnables

    if options.each is not None:
        if compare.is_side_by_side(options) or any(getattr(options, name) for name in _EVALUATION_OPTIONS):
            from . import evaluate

            return evaluate.run(context, options, body)
        from . import rows

        return rows.run(context, options, body)
    if compare.is_side_by_side(options):
        return compare.run(context, options, body)
    found = cell_config.find_object(context, options)
    if runnables.is_runnable(found):
        return cell_output.store_response(context, options, runnables.run(context, options, body, found))
    return _run_one(context, options, body)


def _run_one(context: NotebookContext, options: CellOptions, body: str) -> Any:
    if options.thread:
        raise UsageError("--thread is for agents", remedy="Keep a conversation with -c NAME.")
    config = cell_config.resolve_config(context, options)
    messages = cell_messages.build_messages(context, options, body, config)
    schema = cell_messages.load_schema(context, options)
    toolset = _load_toolset(context, options)
    if options.dry_run:
        asked = schema.add_to(config, messages) if schema else (config, messages)
        sent = toolset.add_to(asked[0]) if toolset else asked[0]
        return cell_output.show_request(sent, asked[1], stream=should_stream(context, options))
    cell_config.warn_of_misspelled_kwargs(config)
    return CellCall(config, messages, schema, options, toolset).run(context)


def _load_toolset(context: NotebookContext, options: CellOptions) -> Toolset | None:
    if not options.tool:
        return None
    from . import tools

    return tools.load_toolset(context, replace(options, auto=True) if options.dry_run else options)


def _check_output(options: CellOptions) -> None:
    if options.output is not None and (not options.output.isidentifier() or keyword.iskeyword(options.output)):
        raise UsageError(f"-o takes the name of a variable, not {options.output!r}")
    if options.save is not None:
        check_name(options.save)
    if options.insert and options.format != "code":
        raise UsageError("--insert puts code into the next cell", remedy="Add -F code.")


def _check_combinations(options: CellOptions) -> None:
    of_rows = (*_ROWS_OPTIONS, *_EVALUATION_OPTIONS)
    rows = {f"--{name.replace('_', '-')}": getattr(options, name) for name in of_rows}
    for name in (name for name, given in rows.items() if given and options.each is None):
        raise UsageError(f"{name} goes with --each", remedy="Name the rows with --each $rows.")
    rules = {"--auto": options.auto, "--max-steps": options.max_steps, "--tool-timeout": options.tool_timeout}
    for name in (name for name, given in rules.items() if given is not None and given is not False):
        if not options.tool:
            raise UsageError(f"{name} goes with --tool", remedy="Name a function with --tool $fn.")
    several = {
        "--compare": options.compare,
        "--sweep": options.sweep,
        "-n": options.repeat,
        "--each": options.each,
    }
    single = {
        "--schema": options.schema,
        "-c": options.conversation,
        "--save": options.save,
        "--insert": options.insert,
        "--thread": options.thread,
    }
    if options.tool and options.each:
        raise UsageError(
            "--each sends rows at the same time and takes no --tool",
            remedy="Send the rows in a loop: azml_magics.invoke(config, prompt, tools=[fn]).",
        )
    for many in (name for name, given in several.items() if given):
        for one in (name for name, given in single.items() if given and (many, name) != ("--each", "--schema")):
            raise UsageError(f"{many} gives several responses, and {one} takes one", remedy=f"Leave out {one}.")
