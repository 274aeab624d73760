"""DataFrames and Series of pandas and polars as tables, and other libraries' frames that can become one.

A frame is known by what it can do, not by the name of its class: subclasses (GeoDataFrame) are frames, too. A library
is imported once an object of it came in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, UsageError
from ..core.install_hint import package_command
from ..core.text import one_line
from . import converters
from .deferred import DeferredTable, deferred_of
from .table_rows import RESPONSE_COLUMNS, Record, cells_by_column, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .table import Table
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


def frame_table(rows: Any, default_column: str) -> Table | None:
    """Return the table of a frame or a Series; None if `rows` is neither.

    Args:
        rows: An object of pandas or polars or derived from one; one of narwhals, which comes back as what it wraps; or
            a frame of another library (converters.py), which comes back as a pandas frame.
        default_column: The column of a Series without a name.

    Raises:
        UsageError: Another object of pandas or polars, or a frame that cannot be converted.
    """
    if callable(getattr(rows, "to_native", None)):
        return frame_table(rows.to_native(), default_column)
    if _is_local(rows):
        return _local_table(rows, default_column)
    convert = converters.converter_of(rows)
    if convert is None:
        return None

    def collect(frame: Any) -> Table:
        try:
            return _local_table(convert(frame), default_column)
        except AzmlError:
            raise
        except ImportError as error:
            remedy = f"Run {package_command(error.name.partition('.')[0])}." if error.name else "Install it."
            raise UsageError(f"This {type(rows).__name__} needs {error.name} to be read", remedy=remedy) from error
        except Exception as error:
            raise UsageError(
                f"This {type(rows).__name__} cannot become a table: {one_line(str(error), 200)}",
                remedy="Make a DataFrame of it, and pass that.",
            ) from error

    deferred = deferred_of(rows)
    return collect(rows) if deferred is None else DeferredTable(rows, deferred, collect)


def _is_local(rows: Any) -> bool:
    """Return whether `rows` is an object of pandas or polars whose values are in this process."""
    libraries = _libraries_of(rows)
    return ("pandas" in libraries and "pyspark" not in libraries) or (
        "polars" in libraries and not hasattr(rows, "collect")
    )


def _local_table(rows: Any, default_column: str) -> PandasTable | PolarsTable:
    table = PolarsTable if "polars" in _libraries_of(rows) else PandasTable
    return table.from_object(rows, default_column)


def _libraries_of(rows: Any) -> set[str]:
    """Return the libraries that the class of an object and its base classes come from."""
    return {kind.__module__.partition(".")[0] for kind in type(rows).__mro__}


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
        if hasattr(rows, "levels"):  # a MultiIndex, whose levels have names of their own
            rows = rows.to_frame()
        elif hasattr(rows, "to_frame") and not hasattr(rows, "columns"):
            rows = rows.to_frame(name=default_column if rows.name is None else rows.name)
        if not hasattr(rows, "itertuples"):
            raise UsageError(f"A pandas {type(rows).__name__} is not a table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        names, levels = self._own, self._levels.items()
        is_multi = self._frame.index.nlevels > 1
        for position, (index, *cells) in enumerate(_with_exact_floats(self._frame).itertuples(index=True, name=None)):
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


def _with_exact_floats(frame: Any) -> Any:
    """Return the frame with single precision numbers as they are written: 0.1, and not 0.10000000149011612."""
    short = [place for place, dtype in enumerate(frame.dtypes) if str(dtype) in {"float16", "float32"}]
    if short:
        frame = frame.copy(deep=False)
    for place in short:
        frame.isetitem(place, [float(str(number)) for number in frame.iloc[:, place].to_numpy()])
    return frame


class PolarsTable:
    """A polars DataFrame."""

    is_lazy = False
    hint = ""
    failed_rows = "{name}.filter({name}[{error}].is_not_null())"

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[str, ...] = tuple(frame.columns)
        self.length: int | None = frame.height

    @classmethod
    def from_object(cls, rows: Any, default_column: str) -> PolarsTable:
        """Return the table of a DataFrame or a Series; one without a name becomes `default_column`."""
        if type(rows).__name__ == "Series":
            rows = rows.to_frame(rows.name or default_column)
        if not hasattr(rows, "iter_rows"):
            raise UsageError(f"A polars {type(rows).__name__} is not a table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        import polars as pl  # type: ignore[import-not-found,unused-ignore]  # optional

        exact = pl.col(pl.Float32).cast(pl.String).cast(pl.Float64)  # 0.1, and not 0.10000000149011612
        for position, values in enumerate(self._frame.with_columns(exact).iter_rows(named=True)):
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
