"""Model kwargs as a person types them: text to value and back, by the formatter's schema. Pure.

Blank text is no value: the kwarg is not sent and the provider's default holds.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azml_magics.core.wire import Kwarg


_TRUE: Final = ("true", "false")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class NotReadable(ValueError):
    """What was typed is no value of the kwarg's type; its text says why, in one line."""


def has_control(kwarg: Kwarg) -> bool:
    """Whether the kwarg has a control of its own; objects are written as JSON."""
    return kwarg.type != "object"


def value_of(kwarg: Kwarg, typed: str | tuple[str, ...]) -> Any:
    """The value to send for what was typed, None for a blank; NotReadable where it is no such value."""
    if kwarg.type == "strings":
        tags = typed.split(",") if isinstance(typed, str) else typed
        return [unescaped(tag) for tag in tags if tag] or None
    text = typed if isinstance(typed, str) else ",".join(typed)
    if not text.strip():
        return None
    if kwarg.type == "string":
        return text
    text = text.strip()
    if kwarg.type == "boolean":
        if text.lower() not in _TRUE:
            raise NotReadable(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    return _number(kwarg, text)


def _number(kwarg: Kwarg, text: str) -> float | int:
    try:
        if kwarg.type == "integer":
            return int(text)
        number = float(text)
    except ValueError:
        raise NotReadable(f"{text!r} is no {'whole ' if kwarg.type == 'integer' else ''}number") from None
    if not math.isfinite(number):
        raise NotReadable(f"{text!r} cannot be sent")
    return int(text) if text.lstrip("+-").isdigit() else number


def typed_of(kwarg: Kwarg, value: Any) -> str | tuple[str, ...] | None:
    """What the control holds for a value; None where its type is another than the control's."""
    if value is None or not _is_of_type(kwarg, value):
        return None
    if kwarg.type == "strings":
        return tuple(escaped(tag) for tag in value)
    if kwarg.type == "string":
        return str(value)
    return json.dumps(value)


def _is_of_type(kwarg: Kwarg, value: Any) -> bool:
    if kwarg.type == "strings":
        return isinstance(value, list) and bool(value) and all(isinstance(tag, str) and tag for tag in value)
    if kwarg.type == "string":
        return isinstance(value, str) and bool(value.strip())
    if kwarg.type == "boolean":
        return isinstance(value, bool)
    kinds = int if kwarg.type == "integer" else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool)


def note_on(kwarg: Kwarg, value: Any) -> str:
    """A line where the value lies outside the documented range, else "". It is sent all the same."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if kwarg.minimum is not None and value < kwarg.minimum:
        return f"below the documented {kwarg.minimum:g}; sent all the same"
    if kwarg.maximum is not None and value > kwarg.maximum:
        return f"above the documented {kwarg.maximum:g}; sent all the same"
    return ""


def escaped(tag: str) -> str:
    """A stop sequence as one line: line breaks and tabs as \\n and \\t."""
    for letter, char in reversed(_ESCAPES.items()):
        tag = tag.replace(char, f"\\{letter}")
    return tag


def unescaped(tag: str) -> str:
    """The stop sequence that such a line stands for."""
    out, chars = [], iter(tag)
    for char in chars:
        if char != "\\":
            out.append(char)
            continue
        letter = next(chars, "")
        out.append(_ESCAPES.get(letter, f"\\{letter}"))
    return "".join(out)


def object_of(text: str, controlled: Iterable[str]) -> dict[str, Any]:
    """The kwargs that a JSON text holds, {} for a blank; NotReadable says where it is wrong.

    `controlled`: the kwargs that have a control, which alone may set them.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise NotReadable(f"no JSON at {where}: {error.msg}") from None
    except NotReadable:
        raise
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise NotReadable("a number in it has too many digits") from None
    except RecursionError:
        raise NotReadable("nested too deeply") from None
    if not isinstance(value, dict):
        raise NotReadable('must be an object, such as {"seed": 1}')
    twice = [name for name in controlled if name in value]
    if twice:
        raise NotReadable(f"{', '.join(twice)} has a field of its own above")
    return value


def _refuse(word: str) -> Any:
    raise NotReadable(f"{word} cannot be sent")
