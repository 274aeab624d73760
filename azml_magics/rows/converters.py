"""Frames of other libraries become pandas frames, by what they can do. A library is imported once it is needed.

Whole numbers beside missing ones stay whole: pandas's own reading of Arrow makes 1.0 of 1, which a prompt would show.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def converter_of(rows: Any) -> Callable[[Any], Any] | None:
    """Return what makes a local frame of `rows` and of the head of it, None if nothing does.

    Args:
        rows: polars' LazyFrame, or an object with `toPandas` (Spark), `to_table` (pyarrow's dataset), `to_pandas`
            (pyarrow, pandas on Spark, xarray, cuDF, Ibis), `__arrow_c_stream__` (DuckDB) or `__dataframe__` (Modin).
    """
    if hasattr(rows, "collect_schema") and hasattr(rows, "collect"):
        return _from_lazy
    if callable(getattr(rows, "toPandas", None)):
        return _from_spark
    if callable(getattr(rows, "to_table", None)) and callable(getattr(rows, "count_rows", None)):
        return _from_dataset
    if callable(getattr(rows, "to_pandas", None)):
        return _from_arrow if hasattr(rows, "__arrow_c_stream__") and hasattr(rows, "schema") else _by_method
    if hasattr(rows, "__arrow_c_stream__"):
        return _from_arrow
    return _from_interchange if hasattr(rows, "__dataframe__") else None


def _from_lazy(rows: Any) -> Any:
    return rows.collect()


def _by_method(rows: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas on Spark advises against collecting, which is what is wanted
        return rows.to_pandas()


def _from_dataset(rows: Any) -> Any:
    table = rows.to_table() if hasattr(rows, "to_table") else rows  # its head is a table
    return _to_pandas(table)


def _from_arrow(rows: Any) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional

    return _to_pandas(pa.table(rows))


def _to_pandas(table: Any) -> Any:
    return table.to_pandas(integer_object_nulls=True)


def _from_spark(rows: Any) -> Any:
    """Return the frame of Spark 4 through Arrow, which keeps whole numbers; an older one makes its own."""
    if callable(getattr(rows, "toArrow", None)):
        with contextlib.suppress(Exception):  # a type that Arrow lacks, such as a vector of Spark's ML library
            zone = rows.sparkSession.conf.get("spark.sql.session.timeZone")
            return _with_times_in(zone, _to_pandas(rows.toArrow()))
    return rows.toPandas()


def _with_times_in(zone: str, frame: Any) -> Any:
    """Return the frame with times as Spark shows them: those of the session's time zone, without its name."""
    for place, dtype in enumerate(frame.dtypes):
        if getattr(dtype, "tz", None) is not None:
            frame.isetitem(place, frame.iloc[:, place].dt.tz_convert(zone).dt.tz_localize(None))
    return frame


def _from_interchange(rows: Any) -> Any:
    from pandas.api.interchange import (  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional
        from_dataframe,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates the protocol, and such objects have no other
        return from_dataframe(rows)
