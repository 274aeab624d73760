"""Errors without the arguments of what raised them: a traceback with locals must not show a key that was passed."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - get_type_hints() needs it
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")


def hide_arguments(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make errors of `function` leave it without the frames that hold its arguments.

    IPython's `%xmode Verbose`, rich and error trackers show the variables of every frame.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> _R:
        failure: Exception
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - raised again below, in a frame without the arguments
            failure = error
        args, kwargs = (), {}
        failure.__context__ = None  # what it was made from may hold them as well
        raise failure.with_traceback(None)

    return call


def hide_constructor_arguments(kind: type[_T]) -> type[_T]:
    """Make errors of a class's constructor leave it without the frames that hold its arguments."""
    kind.__init__ = hide_arguments(kind.__init__)  # type: ignore[method-assign] # a class decorator may
    return kind
