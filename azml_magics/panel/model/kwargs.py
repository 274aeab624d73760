"""Model kwargs in controls: typed text to value and back, by the formatter's schema.

An empty text is not a value: the kwarg is not sent and the model's default applies.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azml_magics.core.wire import Kwarg


_OFTEN_CHANGED: Final = ("temperature", "top_p")
_TOKEN_LIMITS: Final = ("max_tokens", "max_new_tokens", "max_output_tokens", "max_completion_tokens")
_BOOLEANS: Final = ("true", "false")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class KwargValueError(ValueError):
    """A typed text that is not a value of the kwarg's type. Its message is one line for the user."""


def has_control(kwarg: Kwarg) -> bool:
    """Whether the kwarg has a control; objects are written as JSON instead."""
    return kwarg.type != "object"


def choose_few(names: Sequence[str], sent: Iterable[str]) -> set[str]:
    """The kwargs of a formatter that stay in sight: those that are sent, the temperature, and a limit on tokens."""
    few = set(sent) & set(names)
    limit = next((name for name in _TOKEN_LIMITS if name in few), next((n for n in _TOKEN_LIMITS if n in names), ""))
    return (few | {limit, *_OFTEN_CHANGED}) & set(names)


def parse_control(kwarg: Kwarg, typed: str | tuple[str, ...]) -> Any:
    """The value to send for what a control holds; None if it is empty.

    Raises:
        KwargValueError: if it is not a value of the kwarg's type.
    """
    if kwarg.type == "strings":
        tags = typed.split(",") if isinstance(typed, str) else typed
        return [unescape_tag(tag) for tag in tags if tag] or None
    text = typed if isinstance(typed, str) else ",".join(typed)
    if not text.strip():
        return None
    if kwarg.type == "string":
        return text
    text = text.strip()
    if kwarg.type == "boolean":
        if text.lower() not in _BOOLEANS:
            raise KwargValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    return _parse_number(kwarg, text)


def _parse_number(kwarg: Kwarg, text: str) -> float | int:
    try:
        if kwarg.type == "integer":
            return int(text)
        number = float(text)
    except ValueError:
        kind = "whole number" if kwarg.type == "integer" else "number"
        raise KwargValueError(f"{text!r} is not a {kind}") from None
    if not math.isfinite(number):
        raise KwargValueError(f"{text!r} cannot be sent")
    return int(text) if text.lstrip("+-").isdigit() else number


def control_value(kwarg: Kwarg, value: Any) -> str | tuple[str, ...] | None:
    """What the control holds for a value; None if the value is not of the control's type."""
    if value is None or not _is_of_type(kwarg, value):
        return None
    if kwarg.type == "strings":
        return tuple(escape_tag(tag) for tag in value)
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


def range_note(kwarg: Kwarg, value: Any) -> str:
    """A warning that a value is outside the documented range, else "". Such a value is sent."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if kwarg.minimum is not None and value < kwarg.minimum:
        return f"below the documented minimum of {kwarg.minimum:g}; it is sent"
    if kwarg.maximum is not None and value > kwarg.maximum:
        return f"above the documented maximum of {kwarg.maximum:g}; it is sent"
    return ""


def escape_tag(tag: str) -> str:
    """A stop sequence on one line: line breaks and tabs as \\n and \\t."""
    for letter, char in reversed(_ESCAPES.items()):
        tag = tag.replace(char, f"\\{letter}")
    return tag


def unescape_tag(tag: str) -> str:
    """The stop sequence that an escaped line stands for."""
    out, chars = [], iter(tag)
    for char in chars:
        if char != "\\":
            out.append(char)
            continue
        letter = next(chars, "")
        out.append(_ESCAPES.get(letter, f"\\{letter}"))
    return "".join(out)


def parse_other_kwargs(text: str, controlled: Iterable[str]) -> dict[str, Any]:
    """The kwargs in a JSON text; {} if it is empty.

    Args:
        text: a JSON object.
        controlled: the kwargs that have a control and must not be in the JSON.

    Raises:
        KwargValueError: if the text is not such an object; the message names the place of the error.
    """
    if not text.strip():
        return {}
    value = parse_json(text)
    if not isinstance(value, dict):
        raise KwargValueError('must be an object, such as {"seed": 1}')
    twice = [name for name in controlled if name in value]
    if twice:
        raise KwargValueError(f"{', '.join(twice)} has a field of its own above")
    return value


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        KwargValueError: if it is not JSON; the message names the place of the error.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise KwargValueError(f"not JSON at {place}: {error.msg}") from None
    except KwargValueError:
        raise
    except ValueError:  # Python refuses to read whole numbers of more than 4,300 digits
        raise KwargValueError("a number in it has too many digits") from None
    except RecursionError:
        raise KwargValueError("nested too deeply") from None


def _refuse_constant(word: str) -> Any:
    raise KwargValueError(f"{word} cannot be sent")
