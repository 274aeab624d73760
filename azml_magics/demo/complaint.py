"""What the command line says when something is missing: one line, with what to do."""

from __future__ import annotations

import sys


def complain(line: str) -> int:
    """Print a line to standard error, and return the exit status of a failure."""
    print(line, file=sys.stderr)
    return 1
