"""What LangChain's cache knows a formatter or a client of the user's by: the same text only for what does the same."""

from __future__ import annotations

import hashlib
import json
import marshal
import uuid
from types import FunctionType
from typing import Any

from .formatter_adapter import to_wire_formatter

_CONSTANTS = (str, int, float, list, tuple, dict)  # what a method may read of its module


def identify_formatter(content_formatter: Any) -> str:
    """Return what tells a formatter from others: its name, or for a user's object a digest of its code and state.

    An object with a state shares its entries with no other one, which may go on to another state. A state or code that
    cannot be compared gives a new text each time, so that no cached response is found.
    """
    formatter = to_wire_formatter(content_formatter)
    if formatter is None:
        return ""
    own = formatter.content_formatter
    if own is None:
        return formatter.name
    state = getattr(own, "__dict__", None)
    return _identify(own, {"state": state, "of": id(own)} if state else state)


def identify_client(client: Any) -> str:
    """Return what tells an object with `call` from others: a digest of its code and of where it sends requests."""
    place = {name: getattr(client, name, None) for name in ("endpoint_url", "deployment_name")}
    return _identify(client, place if isinstance(place["endpoint_url"], str) else None)


def _identify(own: object, state: Any) -> str:
    kind = type(own)
    name = f"{kind.__module__}.{kind.__qualname__}"
    digest = hashlib.sha256()
    try:
        if state is None:
            raise TypeError("its state is not known")
        digest.update(json.dumps(state, sort_keys=True).encode())
        for base in kind.__mro__[:-1]:
            for attribute, value in vars(base).items():
                if attribute == "_abc_impl":  # abc's bookkeeping, which has an address
                    continue
                digest.update(attribute.encode() + _code_of(value))
    except (TypeError, ValueError, RecursionError):
        return f"{name}:{uuid.uuid4().hex}"
    return f"{name}:{digest.hexdigest()[:16]}"


def _code_of(attribute: Any) -> bytes:
    """Return the bytecode of a method, so that a class defined anew in a notebook is not taken for the former one.

    Raises:
        ValueError: What it does depends on more than its code.
    """
    function = getattr(attribute, "fget", None) or getattr(attribute, "__func__", attribute)
    if not isinstance(function, FunctionType):
        if callable(function) and not isinstance(function, type):
            raise ValueError("it is an object of its own")
        return repr(function).encode()
    code = function.__code__
    if any(name != "__class__" for name in code.co_freevars):
        raise ValueError("it has variables of the function that made it")
    constants = {name: function.__globals__.get(name) for name in code.co_names}
    constants = {name: value for name, value in constants.items() if isinstance(value, _CONSTANTS)}
    return marshal.dumps(code) + repr((function.__defaults__, constants)).encode()
