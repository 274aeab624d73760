"""Parquet and Arrow files through pyarrow, which is imported when the first one is read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.install_hint import package_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def open_arrow(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Open a Parquet, Arrow or Feather file.

    Args:
        path: The file.

    Yields:
        Its schema and an iterator over its record batches; both end with the block.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional
    except ImportError as error:
        raise UsageError(
            f"Reading {path.name!r} needs pyarrow", remedy=f"Run {package_command('pyarrow')}, or pass a DataFrame."
        ) from error
    if path.suffix.lower() in {".parquet", ".pq"}:
        import pyarrow.parquet as pq  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

        with pq.ParquetFile(path) as file:
            yield file.schema_arrow, map(_with_exact_floats, file.iter_batches())
        return
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        except pa.ArrowInvalid:  # the streaming format has no footer
            reader = batches = pa.ipc.open_stream(source)
        yield reader.schema, map(_with_exact_floats, batches)


def _with_exact_floats(batch: Any) -> Any:
    """Return the batch with single precision numbers as they are written: 0.1, and not 0.10000000149011612."""
    import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

    columns = [
        column.cast(pa.string()).cast(pa.float64()) if column.type == pa.float32() else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
