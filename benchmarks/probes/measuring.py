"""What the probes share: time_in_turn medians, memory, and the one JSON line that each prints."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def time_in_turn(clients: dict[str, Callable[[], Any]], rounds: int, *, warm: int = 3) -> dict[str, float]:
    """The median seconds of each client. Every round runs each once, so that all run under the same load."""
    times: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(warm + rounds):
        for name, work in clients.items():
            start = time.perf_counter()
            work()
            took = time.perf_counter() - start
            if number >= warm:
                times[name].append(took)
    return {name: statistics.median(taken) for name, taken in times.items()}


def rss() -> float:
    """The resident memory of this process, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def report(**measured: Any) -> None:
    """Print the figures as the last line on the process's real standard output."""
    print("\n" + json.dumps(measured), file=sys.__stdout__, flush=True)
