"""How the work grows with its size: CPU seconds of this process for prompts, responses, rows, configs and history.

python growth.py BASE_URL [--quick]

Each series is a list of [size, CPU seconds]. Its exponent is the slope of its upper half on logarithmic scales: 1 is
linear.
"""

from __future__ import annotations

import argparse
import gc
import math
import time
from typing import TYPE_CHECKING, Any

from clients import our_chat_config
from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_SECONDS = 0.02  # shorter work is repeated until it takes this long


def cpu_seconds(work: Callable[[], Any]) -> float:
    """The CPU seconds of one call of `work`."""
    gc.collect()
    times, took, start = 0, 0.0, time.process_time()
    while took < _LEAST_SECONDS:
        work()
        times, took = times + 1, time.process_time() - start
    return took / times


def grow_prompt(url: str, sizes: list[int]) -> list[list[float]]:
    """A prompt of so many bytes, prepared and encoded: the network is not ours."""
    from azml_magics.core.client import prepare

    config = our_chat_config(url)
    return [[size, cpu_seconds(lambda size=size: prepare(config, "word " * (size // 5)))] for size in sizes]


def grow_response(url: str, sizes: list[int]) -> list[list[float]]:
    """A streamed response of so many tokens."""
    from azml_magics.core.client import stream

    points = []
    for size in sizes:
        config = our_chat_config(f"{url}/chunks={size}/pace=0")
        points.append([size, cpu_seconds(lambda config=config: [chunk.text for chunk in stream(config, "Hi")])])
    return points


def grow_rows(url: str, sizes: list[int]) -> list[list[float]]:
    """So many rows, each a request to the local server."""
    from azml_magics import map_rows

    config = our_chat_config(url)
    points = []
    for size in sizes:
        rows = [{"n": number} for number in range(size)]
        points.append([size, cpu_seconds(lambda rows=rows: map_rows(config, "Row {n}", rows, concurrency=32))])
    return points


def grow_session(url: str, sizes: list[int]) -> list[list[float]]:
    """A session with so many configs and exchanges: saved, found again and listed."""
    from azml_magics.core.response import Response
    from azml_magics.session import Session

    config = our_chat_config(url)

    def fill(size: int) -> None:
        session = Session()
        session.resize_history(size)
        for number in range(size):
            session.save(f"c{number}", config)
            session.record(config, [{"role": "user", "content": "Hi"}], Response("Hello"))
        assert len(session.names()) == len(session.history) == size
        session.get(f"c{size - 1}")

    return [[size, cpu_seconds(lambda size=size: fill(size))] for size in sizes]


def exponent(points: list[list[float]]) -> float:
    """The slope of the upper half of a series on logarithmic scales."""
    upper = points[len(points) // 2 :] if len(points) > 3 else points[-2:]
    (first, start), (last, end) = upper[0], upper[-1]
    return math.log(end / start) / math.log(last / first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    most_rows = 10_000 if args.quick else 100_000
    series = {
        "prompt bytes": grow_prompt(args.url, [10**power for power in range(3, 8)]),
        "response tokens": grow_response(args.url, [10, 100, 1_000, 10_000, 50_000]),
        "rows": grow_rows(args.url, [size for size in (10, 100, 1_000, 10_000, 100_000) if size <= most_rows]),
        "configs and history": grow_session(args.url, [1, 10, 100, 1_000, 10_000]),
    }
    report(series=series, exponents={name: exponent(points) for name, points in series.items()})


if __name__ == "__main__":
    main()
