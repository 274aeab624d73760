"""Type hints as JSON schemas, and JSON values as what the hints promise: both by pydantic, which is loaded when needed.

Models write `"3"` for 3 and `3.0` for 3 now and then; pydantic converts such values and refuses everything else.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, NamedTuple

from ..prompt.schema import describe_validation_error
from ..text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class UnsupportedHintError(TypeError):
    """A type that no JSON value can become."""


class Hint(NamedTuple):
    """A type hint.

    Attributes:
        schema: Its JSON schema.
        convert: Returns a JSON value as the type; raises ValueError if it is not one.
    """

    schema: dict[str, Any]
    convert: Callable[[Any], Any]


def read_hint(hint: Any) -> Hint:
    """Return the schema and the conversion of a type hint.

    Raises:
        UnsupportedHintError: No JSON value can become it, such as a DataFrame.
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schema = _without_titles(adapter.json_schema())
    except PydanticUserError as error:
        reason = "typing_extensions" if "typing_extensions.TypedDict" in str(error) else ""
        kind = getattr(hint, "__name__", str(hint))
        raise UnsupportedHintError(f"{kind} (use {reason}.TypedDict)" if reason else kind) from None
    described = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, str)), "")
    return Hint(
        {**_without_titles(schema), **({"description": described} if described else {})}, adapter.validate_python
    )


def convert_arguments(given: Mapping[str, Any], hints: Mapping[str, Hint], required: set[str]) -> dict[str, Any]:
    """Return the arguments of a call as their hints promise.

    Raises:
        ValueError: One is missing, unknown, or of another type. The message names it, on one line.
    """
    if missing := [name for name in hints if name in required and name not in given]:
        raise ValueError(f"{missing[0]} is missing")
    if unknown := [name for name in given if name not in hints]:
        known = ", ".join(hints) or "its parameters: it has none"
        raise ValueError(f"{one_line(unknown[0], 60)} is not one of {known}")
    return {name: _convert(name, hints[name], value) for name, value in given.items()}


def _convert(name: str, hint: Hint, value: Any) -> Any:
    try:
        return hint.convert(value)
    except Exception as error:  # noqa: BLE001 - pydantic's errors, and those of the user's own validators
        raise ValueError(f"{name}: {describe_validation_error(error)}") from None


def type_hints(owner: Any) -> dict[str, Any]:
    """Return the type hints of a function; those that cannot be read are Any."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception:  # noqa: BLE001 - a hint in quotes may name anything
        given = getattr(owner, "__annotations__", {})
        return {name: Any if isinstance(hint, str) else hint for name, hint in given.items()}


def _without_titles(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names: they would be sent with every request."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: _without_titles(each) for key, each in value.items()}
        if name in {"properties", "$defs"} and isinstance(value, dict)
        else _without_titles(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
