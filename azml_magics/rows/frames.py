"""DataFrames and Series of pandas and polars as tables, and other libraries' frames that can become one.

A frame is known by what it can do, not by the name of its class: subclasses (GeoDataFrame) are frames, too. A library
is imported once an object of it came in.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.install_hint import package_command
from .table_rows import RESPONSE_COLUMNS, Record, cells_by_column, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .table_rows import Column, TableRow

_PANDAS = {"text": "object", "integer": "Int64", "number": "float64", "boolean": "boolean", "any": "object"}
_POLARS = {"text": "String", "integer": "Int64", "number": "Float64", "boolean": "Boolean"}


def _names(columns: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of the columns as texts. Raises UsageError if two are the same."""
    names = tuple(str(name) for name in columns)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The table has two columns named {name!r}", remedy="Rename one of them.")
    return names


def frame_table(rows: Any, default_column: str) -> PandasTable | PolarsTable | None:
    """Return the table of a frame or a Series; None if `rows` is neither.

    Args:
        rows: An object of pandas or polars or derived from one; or one with `to_pandas` (pyarrow, pyspark.pandas,
            cudf), `toPandas` (Spark), `__arrow_c_stream__` or `__dataframe__`, which comes back as a pandas frame.
        default_column: The column of a Series without a name.

    Raises:
        UsageError: Another object of pandas or polars, or a frame that cannot be converted.
    """
    libraries = {kind.__module__.partition(".")[0] for kind in type(rows).__mro__}
    if "pandas" in libraries and "pyspark" not in libraries:
        return PandasTable.from_object(rows, default_column)
    if "polars" in libraries:
        return PolarsTable.from_object(rows, default_column)
    convert = _converter_of(rows)
    if convert is None:
        return None
    try:
        return PandasTable.from_object(convert(), default_column)
    except ImportError as error:
        remedy = f"Run {package_command(error.name.partition('.')[0])}." if error.name else "Install it."
        raise UsageError(f"This {type(rows).__name__} needs {error.name} to be read", remedy=remedy) from error


def _converter_of(rows: Any) -> Callable[[], Any] | None:
    """Return what makes a pandas frame of `rows`, None if nothing does."""
    for name in ("to_pandas", "toPandas"):
        if callable(getattr(rows, name, None)):
            method: Callable[[], Any] = getattr(rows, name)
            return method
    if hasattr(rows, "__arrow_c_stream__"):
        return partial(_from_arrow, rows)
    return partial(_from_interchange, rows) if hasattr(rows, "__dataframe__") else None


def _from_arrow(rows: Any) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

    return pa.table(rows).to_pandas()


def _from_interchange(rows: Any) -> Any:
    from pandas.api.interchange import (  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional
        from_dataframe,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates the protocol, and such objects have no other
        return from_dataframe(rows)


class PandasTable:
    """A pandas DataFrame. Its index may have duplicates; named levels of it are columns for the prompt."""

    is_lazy = False
    hint = ""
    failed_rows = "{name}[{name}[{error}].notna()]"

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._own: tuple[str, ...] = _names(frame.columns)
        self._levels = {  # level -> its place in the index
            str(name): place
            for place, name in enumerate(frame.index.names)
            if name is not None and str(name) not in self._own
        }
        self.columns: tuple[str, ...] = (*self._own, *self._levels)
        self.length: int | None = len(frame)

    @classmethod
    def from_object(cls, rows: Any, default_column: str) -> PandasTable:
        """Return the table of a DataFrame or a Series; a Series without a name becomes the column `default_column`."""
        if hasattr(rows, "to_frame") and not hasattr(rows, "columns"):
            rows = rows.to_frame(default_column if rows.name is None else rows.name)
        if not hasattr(rows, "itertuples"):
            raise UsageError(f"A pandas {type(rows).__name__} is not a table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        names, levels = self._own, self._levels.items()
        is_multi = self._frame.index.nlevels > 1
        for position, (index, *cells) in enumerate(self._frame.itertuples(index=True, name=None)):
            values = dict(zip(names, cells, strict=True))
            values.update((name, index[place] if is_multi else index) for name, place in levels)
            yield Record(position, index, values)

    def peek(self, count: int) -> list[Record]:
        """Return the first rows, at most `count`."""
        return list(PandasTable(self._frame.iloc[:count]).records())

    def take(self, positions: Sequence[int]) -> PandasTable:
        """Return a table of the rows at `positions`."""
        return PandasTable(self._frame.iloc[list(positions)])

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Return a new DataFrame with the same index, its own columns and those of the responses."""
        import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

        def series(values: tuple[Any, ...], kind: str) -> Any:
            try:
                return pd.Series(list(values), index=frame.index, dtype=_PANDAS[kind])
            except (TypeError, ValueError, OverflowError):  # such as a whole number of 30 digits
                return pd.Series(list(values), index=frame.index, dtype="object")

        frame = self._frame.copy()
        names, cells = unique_names(self._own, columns), cells_by_column(rows, columns)
        for name, values, column in zip(names, cells, columns, strict=True):
            frame[name] = series(values, column.kind)
        return frame


class PolarsTable:
    """A polars DataFrame; a LazyFrame is collected."""

    is_lazy = False
    hint = ""
    failed_rows = "{name}.filter({name}[{error}].is_not_null())"

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[str, ...] = tuple(frame.columns)
        self.length: int | None = frame.height

    @classmethod
    def from_object(cls, rows: Any, default_column: str) -> PolarsTable:
        """Return the table of a DataFrame, a LazyFrame or a Series; one without a name becomes `default_column`."""
        if type(rows).__name__ == "Series":
            rows = rows.to_frame(rows.name or default_column)
        if type(rows).__name__ == "LazyFrame":
            rows = rows.collect()
        if not hasattr(rows, "iter_rows"):
            raise UsageError(f"A polars {type(rows).__name__} is not a table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        for position, values in enumerate(self._frame.iter_rows(named=True)):
            yield Record(position, position, values)

    def peek(self, count: int) -> list[Record]:
        """Return the first rows, at most `count`."""
        return list(PolarsTable(self._frame.head(count)).records())

    def take(self, positions: Sequence[int]) -> PolarsTable:
        """Return a table of the rows at `positions`."""
        return PolarsTable(self._frame[list(positions)])

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Return a new DataFrame with its own columns and those of the responses."""
        import polars as pl  # type: ignore[import-not-found,unused-ignore]  # optional

        def series(name: str, values: tuple[Any, ...], kind: str) -> Any:
            dtype = getattr(pl, _POLARS[kind]) if kind in _POLARS else None  # None: inferred from the values
            try:
                return pl.Series(name, list(values), dtype=dtype)
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):  # a whole number of 30 digits
                return pl.Series(name, list(values), dtype=pl.Object)

        names, cells = unique_names(self.columns, columns), cells_by_column(rows, columns)
        return self._frame.with_columns(
            [series(name, values, column.kind) for name, values, column in zip(names, cells, columns, strict=True)]
        )
