"""Type hints as JSON schemas, and JSON values as what the hints promise.

Models write `"3"` for 3 and `3.0` for 3 now and then: such values are converted; everything else is refused.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import types
import typing
import uuid
from typing import Any, NamedTuple

from ..text import one_line

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEEPEST = 6
"""Classes in classes; what is deeper is not described."""

_SEQUENCES = (
    *(list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.MutableSequence),
    *(collections.abc.Iterable, collections.abc.Collection, collections.abc.Set),
)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


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


def read_hint(hint: Any, depth: int = 0) -> Hint:
    """Return the schema and the conversion of a type hint.

    Raises:
        UnsupportedHintError: No JSON value can become it, such as a DataFrame.
    """
    if hint in (Any, object) or isinstance(hint, typing.TypeVar) or depth > _DEEPEST:
        return Hint({}, _keep)
    if hasattr(hint, "__metadata__"):
        return _annotated(hint, depth)
    if hasattr(hint, "__supertype__"):  # NewType
        return read_hint(hint.__supertype__, depth)
    if hint in _SIMPLE:
        schema, convert = _SIMPLE[hint]
        return Hint(dict(schema), convert)
    return _generic(hint, depth)


def _generic(hint: Any, depth: int) -> Hint:
    """Return the hint of a type with arguments, such as list[int], or of a class."""
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is typing.Literal:
        return _one_of({value: value for value in arguments})
    if origin in (typing.Union, types.UnionType):
        return _union([read_hint(each, depth) for each in arguments])
    if origin in _SEQUENCES:
        return _sequence(origin, arguments, depth)
    if origin in _MAPPINGS:
        return _mapping(arguments, depth)
    return _class(hint, depth)


def _annotated(hint: Any, depth: int) -> Hint:
    inner = read_hint(hint.__origin__, depth)
    texts = [each if isinstance(each, str) else getattr(each, "description", None) for each in hint.__metadata__]
    described = next((text for text in texts if isinstance(text, str) and text), "")
    return Hint({**inner.schema, **({"description": described} if described else {})}, inner.convert)


# ---- plain values -------------------------------------------------------------------------------------------------


def _keep(value: Any) -> Any:
    return value


def _refusal(expected: str, value: Any) -> ValueError:
    return ValueError(f"must be {expected}, not {one_line(json.dumps(value, ensure_ascii=False, default=str), 60)}")


def _to_none(value: Any) -> None:
    if value is not None:
        raise _refusal("null", value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise _refusal("true or false", value)


def _to_int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            pass
    raise _refusal("an integer", value)


def _to_float(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value.strip())
        except ValueError:
            pass
    raise _refusal("a number", value)


def _to_str(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _refusal("a text", value)


def _parser(parse: Callable[[str], Any], expected: str) -> Callable[[Any], Any]:
    """Return a conversion of texts by a function that raises ValueError, or an error of its own."""

    def convert(value: Any) -> Any:
        try:
            return parse(_to_str(value))
        except (ValueError, ArithmeticError):
            raise _refusal(expected, value) from None

    return convert


def _read_datetime(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 does not read the Z


_SIMPLE: Mapping[Any, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    None: ({"type": "null"}, _to_none),
    type(None): ({"type": "null"}, _to_none),
    str: ({"type": "string"}, _to_str),
    bool: ({"type": "boolean"}, _to_bool),
    int: ({"type": "integer"}, _to_int),
    float: ({"type": "number"}, _to_float),
    dt.date: ({"type": "string", "format": "date"}, _parser(dt.date.fromisoformat, "a date as YYYY-MM-DD")),
    dt.datetime: ({"type": "string", "format": "date-time"}, _parser(_read_datetime, "an ISO date and time")),
    dt.time: ({"type": "string", "format": "time"}, _parser(dt.time.fromisoformat, "an ISO time")),
    decimal.Decimal: ({"type": "number"}, _parser(decimal.Decimal, "a number")),
    uuid.UUID: ({"type": "string", "format": "uuid"}, _parser(uuid.UUID, "a UUID")),
    pathlib.Path: ({"type": "string"}, _parser(pathlib.Path, "a path")),
}


def _one_of(choices: Mapping[Any, Any]) -> Hint:
    """Return the hint of a few values; `choices` says what each JSON value becomes."""
    kinds = {_JSON_TYPES.get(type(value)) for value in choices}
    kind = kinds.pop() if len(kinds) == 1 else None
    schema: dict[str, Any] = {"type": kind, "enum": list(choices)} if kind else {"enum": list(choices)}

    def convert(value: Any) -> Any:
        for choice, meant in choices.items():
            if type(choice) is type(value) and choice == value:
                return meant
        raise _refusal(f"one of {', '.join(json.dumps(each, ensure_ascii=False) for each in choices)}", value)

    return Hint(schema, convert)


def _union(hints: list[Hint]) -> Hint:
    def convert(value: Any) -> Any:
        kind = "null" if value is None else _JSON_TYPES.get(type(value))
        first = [hint for hint in hints if hint.schema.get("type") == kind]  # "3" stays a text if it may be one
        for hint in [*first, *hints[:-1]]:
            with contextlib.suppress(ValueError):
                return hint.convert(value)
        return hints[-1].convert(value)

    return Hint({"anyOf": [hint.schema for hint in hints]}, convert)


# ---- values that hold values --------------------------------------------------------------------------------------


def _sequence(origin: Any, arguments: tuple[Any, ...], depth: int) -> Hint:
    is_fixed = origin is tuple and bool(arguments) and arguments[-1] is not Ellipsis
    hints = [read_hint(each, depth + 1) for each in arguments if each is not Ellipsis] or [Hint({}, _keep)]
    schema: dict[str, Any] = {"type": "array", "items": hints[0].schema}
    if is_fixed:
        schema["items"] = hints[0].schema if len(hints) == 1 else {"anyOf": [hint.schema for hint in hints]}
        schema |= {"minItems": len(hints), "maxItems": len(hints)}
    make = origin if origin in (tuple, set, frozenset) else list

    def convert(value: Any) -> Any:
        if not isinstance(value, list) or (is_fixed and len(value) != len(hints)):
            raise _refusal(f"a list of {len(hints)} values" if is_fixed else "a list", value)
        each = hints if is_fixed else hints * len(value)
        return make([hint.convert(item) for hint, item in zip(each, value, strict=False)])

    return Hint(schema, convert)


def _mapping(arguments: tuple[Any, ...], depth: int) -> Hint:
    inner = read_hint(arguments[1], depth + 1) if len(arguments) == 2 else Hint({}, _keep)  # noqa: PLR2004 - key, value

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _refusal("an object", value)
        return {name: inner.convert(item) for name, item in value.items()}

    return Hint({"type": "object", **({"additionalProperties": inner.schema} if inner.schema else {})}, convert)


def _class(hint: Any, depth: int) -> Hint:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _one_of({_enum_value(each): each for each in hint})
    if callable(getattr(hint, "model_json_schema", None)):
        return Hint(hint.model_json_schema(), _pydantic_parser(hint))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        required = {
            each.name
            for each in dataclasses.fields(hint)
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        }
        return _fields(hint, required, depth)
    if typing.is_typeddict(hint):
        return _fields(hint, set(hint.__required_keys__), depth)
    raise UnsupportedHintError(getattr(hint, "__name__", str(hint)))


def _enum_value(member: enum.Enum) -> Any:
    return member.value if isinstance(member.value, (str, int, float)) else member.name


def _pydantic_parser(model: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        try:
            return model.model_validate(value)
        except Exception as error:  # noqa: BLE001 - pydantic's, which this package does not import, or the user's own
            raise ValueError(one_line(str(error), 300)) from None

    return convert


def _fields(kind: Any, required: set[str], depth: int) -> Hint:
    """Return the hint of a dataclass or a TypedDict."""
    hints = {name: read_hint(hint, depth + 1) for name, hint in type_hints(kind).items()}
    schema: dict[str, Any] = {"type": "object", "properties": {name: hint.schema for name, hint in hints.items()}}
    if required:
        schema["required"] = [name for name in hints if name in required]

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _refusal("an object", value)
        return kind(**convert_fields(value, hints, required))

    return Hint(schema, convert)


def convert_fields(given: Mapping[str, Any], hints: Mapping[str, Hint], required: set[str]) -> dict[str, Any]:
    """Return the values of an object as their hints promise.

    Raises:
        ValueError: One is missing, unknown, or of another type. The message names it.
    """
    if missing := [name for name in hints if name in required and name not in given]:
        raise ValueError(f"{missing[0]} is missing")
    converted = {}
    for name, value in given.items():
        if name not in hints:
            raise ValueError(f"{name} is not one of {', '.join(hints) or 'its parameters, as it has none'}")
        try:
            converted[name] = hints[name].convert(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return converted


def type_hints(owner: Any) -> dict[str, Any]:
    """Return the type hints of a function or class; those that cannot be read are Any."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception:  # noqa: BLE001 - a hint in quotes may name anything
        given = getattr(owner, "__annotations__", {})
        return {name: Any if isinstance(hint, str) else hint for name, hint in given.items()}
