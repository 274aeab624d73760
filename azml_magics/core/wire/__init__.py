"""Wire formats: all that knows the bytes of a request and its response, one module for each format."""

from __future__ import annotations

from .base import Call, Kwarg, Payload, Wire
from .custom import CustomWire
from .event_reader import EventReader
from .formatter import Formatter
from .registry import (
    ALIASES,
    as_formatter,
    default_for_url,
    formatter_for,
    get,
    names,
    notices_for,
    register,
    unregister,
    wire_for,
)

__all__ = [
    "ALIASES",
    "Call",
    "CustomWire",
    "EventReader",
    "Formatter",
    "Kwarg",
    "Payload",
    "Wire",
    "as_formatter",
    "default_for_url",
    "formatter_for",
    "get",
    "names",
    "notices_for",
    "register",
    "unregister",
    "wire_for",
]
