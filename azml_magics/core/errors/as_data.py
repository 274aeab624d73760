"""An error as JSON data and back, for files that keep the outcome of a request."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from typing import Any

from ..text import one_line
from .base import AzmlError
from .endpoint import EndpointError

CONTEXT = ("config", "deployment", "request_id")
_STATUSES = ("status", "inner_status")


def error_to_dict(error: BaseException) -> dict[str, Any]:
    """Return an error as JSON data: its class, cause, remedy, place, and the facts that a remedy may name."""
    if not isinstance(error, AzmlError):
        return {"kind": type(error).__name__, "cause": one_line(str(error))}
    names = ("cause", "remedy", *CONTEXT, *(_STATUSES if isinstance(error, EndpointError) else ()))
    data = {name: getattr(error, name) for name in names}
    if error.error_code != type(error).error_code:
        data["error_code"] = error.error_code
    data["facts"] = {
        name: value
        for name, value in error.facts.items()
        if name not in (*CONTEXT, *_STATUSES) and isinstance(value, str | int | float)
    }
    return {"kind": type(error).__name__, **{name: value for name, value in data.items() if value}}


def error_from_dict(data: Mapping[str, Any]) -> AzmlError:
    """Return an error of the same class; an AzmlError if the class is not one of this package.

    Raises:
        KeyError, TypeError, AttributeError: The data is not what `error_to_dict` returns.
    """
    kind = _classes().get(data["kind"], AzmlError)
    facts = {name: data[name] for name in ("remedy", "error_code", "facts", *CONTEXT) if name in data}
    if issubclass(kind, EndpointError):
        facts |= {name: data[name] for name in _STATUSES if name in data}
    is_known = kind is not AzmlError or data["kind"] == AzmlError.__name__
    return kind(str(data["cause"]) if is_known else f"{data['kind']}: {data['cause']}", **facts)


def _classes() -> dict[str, type[AzmlError]]:
    """The exceptions of this package by name, without those that users derive."""
    found, pending = {}, [AzmlError]
    while pending:
        kind = pending.pop()
        if kind.__module__.startswith(__package__):
            found[kind.__name__] = kind
        pending.extend(kind.__subclasses__())
    return found
