"""--each with --expect, --score, --judge, --compare, --sweep or -n: rows by settings, which end in a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import EvaluationFailed, Interrupted, RowsError, UsageError
from azml_magics.core.paths import path_of
from azml_magics.evaluation.announcement import announce
from azml_magics.evaluation.dry_run import dry_run
from azml_magics.evaluation.engine import Engine
from azml_magics.evaluation.evaluation import Evaluation
from azml_magics.evaluation.preparation import Prepared, prepare
from azml_magics.runnables.recognition import is_model

from . import cell_config, cell_messages, compare, option_values, publishing, rows_line, runnables
from .evaluate_progress import SettingsProgress
from .remedies import with_notebook_remedies

if TYPE_CHECKING:
    from azml_magics.core.messages import Message
    from azml_magics.rows.run_options import RunOptions

    from .context import NotebookContext
    from .parsed_options import CellOptions

_TEXT_SUFFIXES = (".md", ".txt")


def run(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """Send every row with every setting and return the Evaluation of the responses.

    A line says first how many requests are sent. After an error or an interrupt, the variable of -o and %azureml last
    have what had arrived.

    Args:
        context: The notebook.
        options: The line of the cell; `each` names the rows.
        body: The prompt, with {column} for a row's value.

    Returns:
        The Evaluation; the first requests with --dry-run; None with --quiet.

    Raises:
        UsageError: Options do not go together, or name something that there is not.
        EvaluationFailed: A requirement is not met. The evaluation is shown and stored before.
        RowsError: The run was given up.
        Interrupted: The user interrupted the kernel.
    """
    _check(options)
    prepared, run_options = _prepare(context, options, body), rows_line.read_run_options(context, options)
    if options.dry_run:
        return rows_line.show_dry_run(dry_run(prepared.plan))
    for config in {setting.config.name: setting.config for setting in prepared.plan.settings}.values():
        cell_config.warn_of_misspelled_kwargs(config)
    try:
        evaluation = _send(context, prepared, run_options, quiet=options.quiet)
    except (Interrupted, RowsError) as error:
        if isinstance(error.batch, Evaluation):
            _store(context, options, error.batch)
        raise
    _store(context, options, evaluation)
    prepared.compare(evaluation)
    try:
        prepared.check(evaluation)
    except EvaluationFailed:
        if not options.quiet:
            publishing.show(evaluation)  # an error takes the place of the cell's result
        raise
    return None if options.quiet else evaluation


def _send(context: NotebookContext, prepared: Prepared, run_options: RunOptions, *, quiet: bool) -> Evaluation:
    plan = prepared.plan

    def say(summary: Any) -> None:
        if not quiet:
            publishing.print_line(announce(plan, run_options, summary))

    with SettingsProgress(context.shell, quiet=quiet) as progress:
        return Engine(plan, run_options, on_progress=progress, on_begin=say).run()


def _store(context: NotebookContext, options: CellOptions, evaluation: Evaluation) -> None:
    with_notebook_remedies(evaluation)
    if options.output:
        context.store(options.output, evaluation)
    context.session.record_batch(evaluation)
    for outcome in evaluation:
        if not outcome.reused:
            context.session.usage.add(outcome.config, outcome.response, outcome.error)
    for judge in evaluation.judge_usage:
        context.session.usage.add_tally(judge.sent)


# ---- the line --------------------------------------------------------------------------------------------------


def _check(options: CellOptions) -> None:
    """UsageError for options that do not go together."""
    rows_line.check_options(replace(options, compare=None, sweep=(), repeat=None))
    if options.dask_client:
        raise UsageError(
            "An evaluation runs in this process, and --dask-client sends rows from others",
            remedy="Leave out --dask-client.",
        )
    needs = (
        ("--match", options.match, "--expect", options.expect, "compares responses with what is expected"),
        ("--baseline", options.baseline, "--expect", options.expect, "finds rows that became right or wrong"),
        ("--rubric", options.rubric, "--judge", options.judge, "tells a judge what a good response is"),
        ("--judge", options.judge, "--rubric", options.rubric, "rates responses by a rubric"),
    )
    for name, given, other, there, does in needs:
        if given and not there:
            raise UsageError(f"{name} {does}: it goes with {other}", remedy=f"Add {other}, or leave out {name}.")


def _prepare(context: NotebookContext, options: CellOptions, body: str) -> Prepared:
    targets = _find_targets(context, options)
    sweep = compare.parse_sweeps(context, options.sweep)
    for config in (target for _, target in targets if isinstance(target, LLMConfig)):
        compare.check_sweep(config, sweep)
    prompt, variables = _read_prompt(context, options, body, [target for _, target in targets])
    return prepare(
        [target for _, target in targets],
        prompt,
        rows_line.find_rows(context, options),
        expect=options.expect or None,
        match=_object_or_text(context, options.match or "normalized"),
        score=[_function(context, word) for word in options.score],
        judge=_judges(context, options),
        rubric=_rubric(context, options.rubric),
        sweep=sweep or None,
        n=options.repeat if options.repeat is not None else 1,
        baseline=_object_or_text(context, options.baseline) if options.baseline else None,
        require=options.require,
        schema=cell_messages.load_schema(context, options),
        variables=variables,
        limit=options.limit,
        sample=options.sample,
        names=[name for name, _ in targets],
    )


def _find_targets(context: NotebookContext, options: CellOptions) -> list[tuple[str, Any]]:
    """Return the configs and LangChain objects of --compare, or that of the cell, each with its name."""
    if not options.compare or options.config:
        words = [options.config or ""]
    else:
        words = [word.strip() for word in options.compare.split(",") if word.strip()]
    if options.compare and (options.config or not words):
        compare.named_configs(context, options)  # says what is wrong with --compare
    found = []
    for word in words:
        alone = replace(options, config=word or None, compare=None, system=None)
        if runnables.is_runnable(cell_config.find_object(context, alone)):
            found.append((word.removeprefix("$"), rows_line.find_target(context, alone)))
        else:
            as_list = replace(alone, config=None, compare=word) if options.compare else alone
            ((name, config),) = compare.named_configs(context, as_list)
            found.append(("" if config.name else (name or word).removeprefix("$"), config))
    return found


def _read_prompt(
    context: NotebookContext, options: CellOptions, body: str, targets: list[Any]
) -> tuple[str | list[Message] | None, dict[str, Any]]:
    """The prompt, None for chains without a body, which get the rows themselves; and the notebook's variables."""
    are_chains = all(runnables.is_runnable(target) and not is_model(target) for target in targets)
    if are_chains and not cell_messages.prompt_text(body):
        return None, cell_messages.prompt_variables(context, options)
    return rows_line.read_prompt(context, options, body)


def _object_or_text(context: NotebookContext, word: str) -> Any:
    """What a word stands for: the variable itself for `$name`, else its text."""
    if option_values.is_reference(word):
        return context.variable(word)
    return option_values.fill_in(context, word)


def _function(context: NotebookContext, word: str) -> Any:
    if not option_values.is_reference(word):
        raise UsageError(f"--score takes a function, not {word!r}", remedy=f"Write --score ${word}.")
    return context.variable(word)


def _judges(context: NotebookContext, options: CellOptions) -> list[LLMConfig] | None:
    names = [name.strip() for name in (options.judge or "").split(",") if name.strip()]
    return [cell_config.resolve_config(context, type(options)(config=name)) for name in names] or None


def _rubric(context: NotebookContext, word: str | None) -> str:
    """The text of a rubric: a variable's, a file's, or the word itself."""
    if not word or option_values.is_reference(word):
        return option_values.read_text(context, word, "--rubric") if word else ""
    if Path(word).suffix in _TEXT_SUFFIXES:
        path = path_of(word)
        try:
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise UsageError(f"The rubric {path} cannot be read: {reason}", remedy="Check the path.") from None
    return word  # its variables may be columns
