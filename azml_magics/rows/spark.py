"""A DataFrame of Spark: its rows are sent by the executors, and come back in another DataFrame.

Spark is lazy, and computes a DataFrame again for every action (show, count, write). So nothing is sent before the first
one, and every further one sends the rows again, unless a journal has their responses or the DataFrame is cached.

`mapInArrow` leaves the frame's own columns as they are; `mapInPandas` would make 1.0 of 1 beside an empty cell.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, ConfigError, UsageError
from ..core.paths import path_of
from ..core.text import one_line
from ..core.tracing.opentelemetry_api import current_carrier
from .folder_journal import make_folder
from .spark_worker import SparkJob
from .table_rows import EMBEDDING_COLUMN, unique_names
from .targets import make_row_prompt
from .travel import check_travels, for_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..core.prompt.schema import Schema
    from .prompts import Prompt
    from .run_options import RunOptions
    from .table_rows import Column

_KINDS = {"text": "string", "integer": "long", "number": "double", "boolean": "boolean", "any": "string"}
NOTE = (
    "Spark sends the rows at the first action, such as show() or write, and at every further one again: "
    "give a journal (a folder that all executors reach), or cache() the DataFrame."
)
NOTE_WITH_JOURNAL = (
    "Spark sends the rows at the first action, such as show() or write; the journal answers the next ones."
)


class SparkRows:
    """A prompt and a DataFrame of Spark that fit each other.

    Attributes:
        row_prompt: The prompt of every row.
    """

    def __init__(
        self,
        config: Any,
        prompt: Prompt | None,
        rows: Any,
        *,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
        limit: int | None = None,
        sample: int | None = None,
    ) -> None:
        """Check the prompt and the columns; no job of Spark runs. The arguments are those of `map_rows`.

        Raises:
            ConfigError: The key cannot travel to the executors.
            UsageError: The prompt uses no column, or the config is a LangChain object.
            UndefinedVariableError: A variable of the prompt is not a column and has no value.
        """
        self.row_prompt = make_row_prompt(config, prompt, variables, schema)
        check_travels(self.row_prompt, "executors")
        self.row_prompt.check(tuple(rows.columns))
        self._rows = _select(rows, limit, sample)

    def note(self, options: RunOptions) -> str:
        """Return a sentence on when the rows are sent."""
        return NOTE if options.journal is None else NOTE_WITH_JOURNAL

    def map(self, options: RunOptions) -> Any:
        """Return the DataFrame with the columns of the responses. Nothing is sent yet.

        Args:
            options: The limits of all tasks together, and the journal's folder.

        Raises:
            JournalError: The journal cannot be a folder.
            UsageError: A limit cannot be shared, or the prompt cannot be sent to the executors.
        """
        rows = self._rows
        if options.max_tokens_total is not None:
            raise UsageError(
                "The tasks of Spark do not know what the others used, so that no limit of tokens can stop them",
                remedy="Leave out max_tokens_total, or set limit.",
                error_code="spark-max-tokens",
            )
        if options.journal is not None:
            folder = path_of(options.journal).absolute()  # executors have another working folder
            make_folder(folder, "executor")
            options = replace(options, journal=folder)
        tasks = _parallelism(rows, is_needed=bool(options.rpm or options.tpm))
        shared = replace(options.share_among(tasks), concurrency=math.ceil(options.concurrency / tasks))
        columns = self.row_prompt.columns
        names = unique_names(rows.columns, columns)
        zone = str(rows.sparkSession.conf.get("spark.sql.session.timeZone"))
        job = SparkJob(for_others(self.row_prompt), shared, tuple(rows.columns), names, zone, current_carrier())
        return rows.mapInArrow(_task(_pickled(job)), _schema(rows, names, columns))


def check_spark_options(*, client: Any = None, progress: Any = None, dask_client: Any = None) -> None:
    """Check that no option is given that only this process could follow.

    Raises:
        UsageError: One is.
    """
    given = {"client": client, "progress": progress, "dask_client": dask_client}
    for name in (name for name, value in given.items() if value is not None and value is not False):
        raise UsageError(
            f"The executors of Spark send the rows, and {name} is in this process",
            remedy=f"Leave out {name}, or pass rows.toPandas() to send them from here.",
            error_code="spark-option",
        )


def is_spark(rows: Any) -> bool:
    """Return whether `rows` is a DataFrame of Spark, also over Spark Connect; not one of pandas on Spark."""
    kinds = {kind.__module__ for kind in type(rows).__mro__}
    return any(name.startswith("pyspark.sql") for name in kinds) and callable(getattr(rows, "mapInArrow", None))


def _select(rows: Any, limit: int | None, sample: int | None) -> Any:
    """The first rows, or random ones that are the same every time."""
    if limit is not None:
        return rows.limit(limit)
    if sample is None:
        return rows
    from pyspark.sql import functions  # type: ignore[import-not-found,unused-ignore]  # the frame brought it along

    return rows.orderBy(functions.xxhash64(*[rows[name] for name in rows.columns])).limit(sample)


def _parallelism(rows: Any, *, is_needed: bool) -> int:
    """How many tasks run at a time."""
    session = rows.sparkSession
    try:
        return max(1, int(session.sparkContext.defaultParallelism))
    except Exception:  # noqa: BLE001 - Spark Connect has no context
        told = session.conf.get("spark.default.parallelism", None)
    if told is None and is_needed:
        raise UsageError(
            "Spark Connect does not say how many tasks run at a time, among which rpm and tpm are shared",
            remedy="Set spark.default.parallelism to it, or leave them out.",
            error_code="spark-parallelism",
        )
    return max(1, int(told)) if told else 1


def _schema(rows: Any, names: tuple[str, ...], columns: tuple[Column, ...]) -> Any:
    """The schema of the result: that of the frame, and the columns of the responses."""
    from pyspark.sql import types  # type: ignore[import-not-found,unused-ignore]  # the frame brought it along

    schema = types.StructType(list(rows.schema.fields))
    for name, column in zip(names, columns, strict=True):
        is_vector = column == EMBEDDING_COLUMN
        kind = types.ArrayType(types.DoubleType()) if is_vector else _KINDS[column.kind]
        schema = schema.add(name, kind, nullable=True)
    return schema


def _pickled(job: SparkJob) -> bytes:
    """The job as bytes.

    Raises:
        ConfigError, UsageError: Something in it cannot travel.
    """
    from pyspark import cloudpickle  # type: ignore[import-not-found,unused-ignore]  # the frame brought it along

    try:
        cloudpickle.dumps(job.row_prompt.config)
    except Exception as error:  # noqa: BLE001 - whatever an object of the user raises; its text may have a key
        raise ConfigError(
            f"This config cannot be sent to the executors: {one_line(str(error), 200)}",
            remedy="Name its keys with env:NAME or keyring:SERVICE/NAME, or use entra.",
            error_code="spark-config",
        ) from None
    try:
        pickled: bytes = cloudpickle.dumps(job)
    except AzmlError:
        raise
    except Exception as error:
        raise UsageError(
            f"The prompt cannot be sent to the executors: {one_line(str(error), 200)}",
            remedy="Use texts and numbers as variables, and a function that refers to nothing of this process.",
            error_code="spark-prompt",
        ) from error
    return pickled


def _task(job: bytes) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """The function of the tasks. Spark sends its code, so that it can say what is missing where it runs."""

    def send(batches: Iterator[Any]) -> Iterator[Any]:
        try:
            from azml_magics.rows.spark_worker import send_batches
        except ImportError as error:
            raise ImportError(
                f"Spark's executors cannot import azml_magics ({error}): install it on them, not on the driver alone."
            ) from None
        yield from send_batches(batches, job)

    return send
