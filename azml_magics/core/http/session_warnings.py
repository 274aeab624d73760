"""Warnings that are shown once in a session."""

from __future__ import annotations

import warnings
from functools import lru_cache


@lru_cache(maxsize=256)
def warn_once(message: str) -> None:
    """Show a warning, the first time in this process that it is given.

    Python's own "once" forgets whenever a library changes the warning filters. The place of the code is not shown: it
    is not what the warning is about.
    """
    warnings.warn_explicit(message, UserWarning, filename="azml_magics", lineno=1)
