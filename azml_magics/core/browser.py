"""Python in a browser (Pyodide, in JupyterLite and elsewhere): no sockets, no threads, no programs."""

from __future__ import annotations

import sys
from typing import Final

from .errors import UsageError

IS_BROWSER: Final[bool] = sys.platform == "emscripten"


def check_threads(what: str) -> None:
    """Refuse, before anything is sent, what sends requests from threads.

    Args:
        what: What needs them, in the plural: the beginning of a sentence.

    Raises:
        UsageError: This is Python in a browser.
    """
    if IS_BROWSER:
        raise UsageError(
            f"{what} need threads, which Python in a browser does not have",
            remedy="Send one request at a time, in a loop, or use Python on a computer.",
            error_code="no-threads",
        )
