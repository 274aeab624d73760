"""The values of a row as a prompt shows them: what has parts goes out as JSON, which models read better than Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .row_values import values_of
from .table_rows import is_missing


def as_prompt_value(value: Any) -> Any:
    """Return the JSON text of a cell that has parts; any other value unchanged.

    Args:
        value: A dict, list, tuple, array, or an object with fields, such as a dataclass, a pydantic model or a Row of
            Spark. Numbers, texts, dates and objects with a text of their own (a geometry: its WKT) have no parts.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    try:
        data = _as_data(value)
        return json.dumps(data, ensure_ascii=False) if isinstance(data, (dict, list)) else value
    except (TypeError, ValueError, RecursionError):  # such as a list that contains itself
        return value


def _as_data(value: Any) -> Any:
    """Return JSON data for what has parts, and the text of what JSON has no type for."""
    if isinstance(value, Mapping) or _has_fields(value):  # also a namedtuple and Spark's Row, which are tuples
        fields = values_of(value) or {}
        return {name: _as_json(part) for name, part in fields.items()}
    if isinstance(value, (list, tuple)):
        return _as_list(value)
    if _is_array(value):
        return _as_list(value.tolist())
    return value


def _as_list(values: Any) -> list[Any]:
    return [_as_json(part) for part in values]


def _as_json(value: Any) -> Any:
    if isinstance(value, (str, bool, int)):
        return value
    if is_missing(value):
        return None
    data = _as_data(value)
    if isinstance(data, (float, dict, list)):
        return data
    item = getattr(value, "item", None)  # a number of numpy
    number = item() if callable(item) and not hasattr(value, "__len__") else None
    return number if isinstance(number, (bool, int, float)) else str(value)


def _has_fields(value: Any) -> bool:
    """Return whether a value is a record, and no object that only happens to have names, as a Series has."""
    kinds = ("_asdict", "model_dump", "asDict", "__dataclass_fields__")
    return not isinstance(value, type) and any(hasattr(value, name) for name in kinds)


def _is_array(value: Any) -> bool:
    """Return whether a value is an array of numpy with at least one dimension."""
    return hasattr(value, "__array_interface__") and hasattr(value, "tolist") and bool(getattr(value, "shape", ()))
