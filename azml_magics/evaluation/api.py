"""evaluate: a prompt over a table with one setting or several, and how good the responses are; sync and async."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ..core.client import Client
from ..core.errors import Interrupted
from ..core.pricing import PriceSource
from ..core.prompt.schema import Schema
from ..rows.argument_types import SchemaSource
from ..rows.dry_run import DryRun
from ..rows.progress import Bar
from ..rows.prompts import Prompt
from ..rows.run_options import DEFAULT_CONCURRENCY, RunOptions
from .argument_types import EvaluateOptions, Expect, MatchSource
from .dry_run import dry_run as show_requests
from .engine import Engine
from .evaluation import Evaluation
from .preparation import Configs, Prepared, prepare
from .progress import EvaluationProgress

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["aevaluate", "evaluate"]


@overload
def evaluate(
    config: Configs, prompt: Prompt | None, rows: Any, *, dry_run: Literal[True], **options: Unpack[EvaluateOptions]
) -> DryRun: ...
@overload
def evaluate(
    config: Configs,
    prompt: Prompt | None,
    rows: Any,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[EvaluateOptions],
) -> Evaluation: ...
def evaluate(
    config: Configs,
    prompt: Prompt | None,
    rows: Any,
    *,
    expect: Expect = None,
    match: MatchSource = "normalized",
    score: Any = None,
    judge: Any = None,
    rubric: str | Path = "",
    pairwise: bool | None = None,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    n: int = 1,
    price: PriceSource | Mapping[str, PriceSource] = None,
    baseline: Evaluation | str | Path | None = None,
    require: str | Sequence[str] = (),
    schema: SchemaSource | None = None,
    variables: Mapping[str, Any] | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    journal: str | Path | None = None,
    retry_failed: bool = False,
    limit: int | None = None,
    sample: int | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    max_tokens_total: int | None = None,
    client: Client | None = None,
    progress: bool | Callable[[EvaluationProgress], Any] = False,
    dry_run: bool = False,
) -> Any:
    """Send one prompt for every row of a table with every setting, and measure the responses.

    Args:
        config: The config; or several to compare, as a list or as a dict by name. A LangChain Runnable is taken, too.
        prompt: A text or messages whose `{column}`s take the row's values, or a function of a dict of them. None for a
            chain that takes rows.
        rows: What `map_rows` takes, without dask.
        expect: The column of the right answers, "FIELD=COLUMN" for a field of the schema, or several of these.
        match: How they are compared: "normalized", "exact", "contains", "number", "regex", or a function of an answer
            and an expectation.
        score: A function of a row and its response that returns a number, a bool or a dict of them, sync or async; or a
            list of such functions. Scorers of autoevals and deepeval work, too.
        judge: A config, or several, that scores each response by the `rubric`. With two settings it is asked which of
            their responses is better, in both orders.
        rubric: What makes a response good: a text, in which `{column}` takes the row's value, or the path of one.
        pairwise: Whether the judge compares the responses of two settings; False scores each of them by the rubric.
        sweep: Values to try for model kwargs, such as `{"temperature": [0, 1]}`.
        n: How often each request is sent.
        price: What a million tokens cost: "INPUT,OUTPUT", or such prices by config name. Without it a config's own.
        baseline: An earlier Evaluation, or the path of its journal: `flips` are the rows that differ.
        require: Requirements such as "accuracy>=0.9", checked after all rows are done.
        schema: A pydantic model class, or a JSON schema as a dict or text.
        variables: Values of names in the prompt that are not columns.
        concurrency: The most requests at a time for each endpoint.
        journal: A file that keeps every response. The same call again sends only what it lacks; settings may be added.
        retry_failed: Send the rows again that have an error in the journal.
        limit: Only the first N rows.
        sample: Only N random rows, the same ones every time.
        rpm: The most requests per minute for each endpoint.
        tpm: The most tokens per minute for each endpoint.
        max_tokens_total: Stop starting rows after N tokens.
        client: A Client to send with; by default the one of `invoke`.
        progress: True writes a bar to standard error; a function is called with an EvaluationProgress.
        dry_run: Send nothing and return the first requests as a `DryRun`.

    Returns:
        The outcomes of all rows with all settings, and their figures. A setting whose endpoint fails ends alone, as the
        evaluation's `note` says.

    Raises:
        EvaluationFailed: A requirement is not met; `batch` has the evaluation.
        RowsError: All settings ended early, or a scorer cannot work; `batch` has the evaluation so far.
        Interrupted: The kernel was interrupted; `batch` has the evaluation so far.
        JournalError: The journal or the baseline cannot be used.
        UsageError: An argument is wrong, or they do not fit each other.
        UndefinedVariableError: A variable of the prompt is not a column and has no value.

    Examples:
        >>> evaluation = evaluate([small, large], "Glad or cross? {letter}", letters, expect="label")
        >>> print(evaluation)  # doctest: +SKIP
    """
    options = RunOptions(concurrency, rpm, tpm, max_tokens_total, journal, retry_failed)
    prepared = prepare(
        config,
        prompt,
        rows,
        expect=expect,
        match=match,
        score=score,
        judge=judge,
        rubric=rubric,
        pairwise=pairwise,
        sweep=sweep,
        n=n,
        price=price,
        baseline=baseline,
        require=require,
        schema=_schema(schema),
        variables=variables,
        limit=limit,
        sample=sample,
        client=client,
    )
    if dry_run:
        return show_requests(prepared.plan)
    _warn(prepared.plan.notes)
    on_progress = Bar() if progress is True else progress or None
    with on_progress if isinstance(on_progress, Bar) else contextlib.nullcontext():
        evaluation = Engine(prepared.plan, options, on_progress=on_progress).run()
    return _finish(prepared, evaluation)


@overload
async def aevaluate(
    config: Configs, prompt: Prompt | None, rows: Any, *, dry_run: Literal[True], **options: Unpack[EvaluateOptions]
) -> DryRun: ...
@overload
async def aevaluate(
    config: Configs,
    prompt: Prompt | None,
    rows: Any,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[EvaluateOptions],
) -> Evaluation: ...
async def aevaluate(
    config: Configs,
    prompt: Prompt | None,
    rows: Any,
    *,
    expect: Expect = None,
    match: MatchSource = "normalized",
    score: Any = None,
    judge: Any = None,
    rubric: str | Path = "",
    pairwise: bool | None = None,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    n: int = 1,
    price: PriceSource | Mapping[str, PriceSource] = None,
    baseline: Evaluation | str | Path | None = None,
    require: str | Sequence[str] = (),
    schema: SchemaSource | None = None,
    variables: Mapping[str, Any] | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    journal: str | Path | None = None,
    retry_failed: bool = False,
    limit: int | None = None,
    sample: int | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    max_tokens_total: int | None = None,
    client: Client | None = None,
    progress: bool | Callable[[EvaluationProgress], Any] = False,
    dry_run: bool = False,
) -> Any:
    """Do what `evaluate` does without blocking the running event loop; async scorers run on it.

    Args, result and errors are those of `evaluate`. If it is cancelled, the requests end at once.
    """
    options = RunOptions(concurrency, rpm, tpm, max_tokens_total, journal, retry_failed)
    prepared = prepare(
        config,
        prompt,
        rows,
        expect=expect,
        match=match,
        score=score,
        judge=judge,
        rubric=rubric,
        pairwise=pairwise,
        sweep=sweep,
        n=n,
        price=price,
        baseline=baseline,
        require=require,
        schema=_schema(schema),
        variables=variables,
        limit=limit,
        sample=sample,
        client=client,
    )
    if dry_run:
        return show_requests(prepared.plan)
    _warn(prepared.plan.notes)
    loop = asyncio.get_running_loop()
    on_progress = Bar() if progress is True else progress or None
    with on_progress if isinstance(on_progress, Bar) else contextlib.nullcontext():
        engine = Engine(prepared.plan, options, on_progress=on_progress, loop=loop)
        evaluation = await _run_in_thread(engine)
    return _finish(prepared, evaluation)


async def _run_in_thread(engine: Engine) -> Evaluation:
    """Return the engine's evaluation. If this is cancelled, the engine is stopped first."""

    def run() -> Evaluation | None:
        try:
            return engine.run()
        except Interrupted:  # it was stopped; in a task it would end the event loop
            return None

    running = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        evaluation = await asyncio.shield(running)
    except asyncio.CancelledError:
        engine.stop()
        with contextlib.suppress(Exception):  # the caller wants none of it
            await running
        raise
    assert evaluation is not None  # nothing else stops the engine
    return evaluation


def _schema(schema: SchemaSource | None) -> Schema | None:
    return Schema.from_source(schema) if schema is not None else None


def _finish(prepared: Prepared, evaluation: Evaluation) -> Evaluation:
    """Compare the evaluation with the baseline and the requirements."""
    _warn([evaluation.note] if evaluation.note else [])
    prepared.compare(evaluation)
    prepared.check(evaluation)
    return evaluation


def _warn(sentences: Sequence[str]) -> None:
    """Warn at the line of the user's call."""
    for sentence in sentences:
        warnings.warn(sentence, UserWarning, stacklevel=3)
