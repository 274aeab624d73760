"""What a tracer raises stays here: a trace is worth less than the call that it describes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import ParamSpec

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

_logger = logging.getLogger("azml_magics")


def quietly(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R | None:
    """Return what a function of a tracer returns; None if it fails, which the debug log says.

    The error's text is left out of the log: it may quote an attribute.
    """
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - a tracer of the user's: whatever it raises, the call goes on
        _logger.debug("a tracer failed: %s", type(error).__name__)
        return None
