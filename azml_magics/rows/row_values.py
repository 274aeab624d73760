"""The values of one row, whatever it is: a dict, a record of a database, an object with fields, or a plain value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

_CONTAINERS = (list, tuple, set, frozenset, bytes, bytearray)
_AS_MAPPING = ("_asdict", "model_dump", "asDict", "to_dict")  # namedtuples, pydantic, Spark, a Series of pandas


def values_of(row: Any) -> Mapping[str, Any] | None:
    """Return the values of a row by name; None for a plain value and for a container without names.

    Args:
        row: A mapping, namedtuple, dataclass, pydantic model, sqlite3.Row, Spark Row, a Series of a frame, or a row of
            a numpy array with fields.
    """
    if isinstance(row, Mapping):
        return _with_text_names(row)
    if isinstance(row, type) or row is None or isinstance(row, (str, int, float)):
        return None
    if dataclasses.is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    for name in _AS_MAPPING:
        method = getattr(row, name, None)
        if name == "to_dict" and is_frame(row):
            return None
        if callable(method) and isinstance(values := method(), Mapping):
            return _with_text_names(values)
    fields = getattr(getattr(row, "dtype", None), "names", None)
    if fields and not getattr(row, "shape", True):  # a row of a numpy array with fields
        return {name: row[name] for name in fields}
    keys = getattr(row, "keys", None)  # sqlite3.Row, SQLAlchemy's mappings
    return {str(key): row[key] for key in keys()} if callable(keys) else None


def is_frame(row: Any) -> bool:
    """Return whether a row is a table itself, such as a chunk of `pandas.read_csv(..., chunksize=)`."""
    return hasattr(row, "columns") and any(hasattr(row, name) for name in ("to_dict", "to_pydict"))  # pandas, pyarrow


def is_plain(row: Any) -> bool:
    """Return whether a row is a plain value, which becomes the table's only column: a text, a number, a date, None.

    An object that has no text of its own, only Python's `<Thing object at 0x...>`, is not one.
    """
    if row is None or isinstance(row, (str, int, float)):
        return True
    if isinstance(row, (*_CONTAINERS, type)) or callable(row) or hasattr(row, "__iter__") or values_of(row) is not None:
        return False
    if is_frame(row):
        return False
    return any("__str__" in vars(kind) or "__repr__" in vars(kind) for kind in type(row).__mro__[:-1])


def _with_text_names(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in values.items()}
