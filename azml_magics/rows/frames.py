"""Frames of pandas and polars, and pandas' Series, as tables. Neither is imported before one of its frames came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from .records import ANSWER_COLUMNS, Record, answer_columns, answer_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .records import Column, TableRow

_PANDAS = {"text": "object", "integer": "Int64", "number": "float64", "boolean": "boolean", "any": "object"}
_POLARS = {"text": "String", "integer": "Int64", "number": "Float64", "boolean": "Boolean"}


def _names(columns: Iterable[Any]) -> tuple[str, ...]:
    """The columns' names as texts; UsageError where two are the same."""
    names = tuple(str(name) for name in columns)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The table has two columns named {name!r}", remedy="Rename one of them.")
    return names


class PandasTable:
    """A pandas DataFrame; its index may have doubles."""

    is_lazy = False

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[str, ...] = _names(frame.columns)
        self.length: int | None = len(frame)

    @classmethod
    def of(cls, rows: Any, alone: str) -> PandasTable:
        """The table of a DataFrame, or of a Series, whose only column has its name or `alone`."""
        if hasattr(rows, "to_frame") and not hasattr(rows, "columns"):
            rows = rows.to_frame(alone if rows.name is None else rows.name)
        if not hasattr(rows, "itertuples"):
            raise UsageError(f"A {type(rows).__name__} of pandas is no table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """The rows, first to last."""
        names = self.columns
        for position, (index, *cells) in enumerate(self._frame.itertuples(index=True, name=None)):
            yield Record(position, index, dict(zip(names, cells, strict=True)))

    def taken(self, positions: Sequence[int]) -> PandasTable:
        """Those rows alone."""
        return PandasTable(self._frame.iloc[list(positions)])

    def given_back(self, rows: Iterable[TableRow], columns: Sequence[Column] = ANSWER_COLUMNS) -> Any:
        """A new DataFrame with the same index and the answer's columns behind its own."""
        import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

        def series(values: tuple[Any, ...], kind: str) -> Any:
            try:
                return pd.Series(list(values), index=frame.index, dtype=_PANDAS[kind])
            except (TypeError, ValueError, OverflowError):  # a whole number of 30 digits, for one
                return pd.Series(list(values), index=frame.index, dtype="object")

        frame = self._frame.copy()
        names, came = answer_names(self.columns, columns), answer_columns(rows, columns)
        for name, values, column in zip(names, came, columns, strict=True):
            frame[name] = series(values, column.kind)
        return frame


class PolarsTable:
    """A polars DataFrame; a LazyFrame is collected."""

    is_lazy = False

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.columns: tuple[str, ...] = tuple(frame.columns)
        self.length: int | None = frame.height

    @classmethod
    def of(cls, rows: Any, alone: str) -> PolarsTable:
        """The table of a DataFrame, a LazyFrame, or a Series, whose only column has its name or `alone`."""
        if type(rows).__name__ == "Series":
            rows = rows.to_frame(rows.name or alone)
        if type(rows).__name__ == "LazyFrame":
            rows = rows.collect()
        if not hasattr(rows, "iter_rows"):
            raise UsageError(f"A {type(rows).__name__} of polars is no table", remedy="Pass a DataFrame or a Series.")
        return cls(rows)

    def records(self) -> Iterator[Record]:
        """The rows, first to last."""
        for position, values in enumerate(self._frame.iter_rows(named=True)):
            yield Record(position, position, values)

    def taken(self, positions: Sequence[int]) -> PolarsTable:
        """Those rows alone."""
        return PolarsTable(self._frame[list(positions)])

    def given_back(self, rows: Iterable[TableRow], columns: Sequence[Column] = ANSWER_COLUMNS) -> Any:
        """A new DataFrame with the answer's columns behind its own."""
        import polars as pl  # type: ignore[import-not-found,unused-ignore]  # optional

        def series(name: str, values: tuple[Any, ...], kind: str) -> Any:
            wanted = getattr(pl, _POLARS[kind]) if kind in _POLARS else None  # None: as the values are
            try:
                return pl.Series(name, list(values), dtype=wanted)
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):  # a whole number of 30 digits
                return pl.Series(name, list(values), dtype=pl.Object)

        names, came = answer_names(self.columns, columns), answer_columns(rows, columns)
        return self._frame.with_columns(
            [series(name, values, column.kind) for name, values, column in zip(names, came, columns, strict=True)]
        )
