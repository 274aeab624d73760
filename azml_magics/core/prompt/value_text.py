"""The text of a value in a prompt: whole, where `str()` would shorten it.

Tables and arrays are recognised by what they can do. Their libraries are never imported here.
"""

from __future__ import annotations

import sys
from typing import Any

_MOST_TABLE_COLUMNS = 50  # a wider table goes out as CSV, which has no padding


def text_of_value(value: object) -> str:
    """Return the text of a value: a table or an array with all of its rows, anything else as `str()` gives it.

    Args:
        value: Any object of the notebook.

    Raises:
        Exception: Any error of the object's own methods.
    """
    if isinstance(value, str) or value is None or type(value) in (int, float, bool):
        return str(value)
    return _text_of_table(value) or _text_of_array(value) or str(value)


def _text_of_table(value: Any) -> str | None:
    """Return the text of a DataFrame or Series of pandas or polars; None for other objects."""
    if callable(getattr(value, "write_csv", None)) and hasattr(value, "iter_rows"):  # polars
        return _polars_text(value)
    if _is_polars_series(value):
        return _polars_text(value.to_frame())
    if callable(getattr(value, "to_string", None)) and callable(getattr(value, "to_csv", None)):  # pandas
        if not hasattr(value, "columns"):
            return _pandas_text(value.to_frame(), header=False)
        return _pandas_text(value, header=True)
    return None


def _is_polars_series(value: Any) -> bool:
    return callable(getattr(value, "to_frame", None)) and type(value).__module__.partition(".")[0] == "polars"


def _polars_text(frame: Any) -> str:
    text: str = frame.write_csv()
    return text.rstrip("\n")


def _pandas_text(frame: Any, *, header: bool) -> str:
    text: str
    if len(frame.columns) > _MOST_TABLE_COLUMNS:
        text = frame.to_csv(header=header)
        return text.rstrip("\n")
    text = frame.to_string(header=header)
    return text


def _text_of_array(value: Any) -> str | None:
    """Return the text of a numpy array with all of its numbers; None for other objects."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray):
        return None
    text: str = numpy.array2string(value, threshold=sys.maxsize, max_line_width=120)
    return text


def describe_missing(value: object) -> str:
    """Return what `str()` of a large object may leave out, such as "a Tensor of 4,000 values"; "" for other objects.

    Objects that say their size and whose text has an ellipsis are shortened by their own `str()`.
    """
    if isinstance(value, (str, bytes, list, tuple, dict, set, int, float)) or _knows_whole_text(value):
        return ""
    size = getattr(value, "size", None)
    size = size if isinstance(size, int) and not isinstance(size, bool) else _length(value)
    text = str(value)
    if size is None or not ("..." in text or "…" in text) or size <= len(text.split()):
        return ""
    return f"a {type(value).__name__} of {size:,} values"


def _knows_whole_text(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    is_array = numpy is not None and isinstance(value, numpy.ndarray)
    return is_array or callable(getattr(value, "to_string", None)) or hasattr(value, "write_csv")


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except Exception:  # noqa: BLE001 - an object without a length, or one whose length raises
        return None
