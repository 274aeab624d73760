"""How many threads a model may use, so that the notebook beside it stays quick."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of processor time per period, or "max"


def choose_threads() -> int:
    """Return the number of threads for a model: every core but one, at least one."""
    return max(1, count_cores() - 1)


def count_cores() -> int:
    """Return the number of cores that this process may use, a container's limit included."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        limit = max(1, int(quota) // int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or no limit
        return allowed
    return min(allowed, limit)
