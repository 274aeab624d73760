"""Evaluations: what a row costs with four settings beside map_rows, and the memory of many rows with a journal.

python evaluations.py URL overhead --rows N --rounds N
python evaluations.py URL memory --rows N
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients import our_chat_config
from measuring import report, rss

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEP = {"temperature": [0, 0.5, 1, 1.5]}
CONCURRENCY = 32


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("what", choices=["overhead", "memory"])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    report(**(overhead(args.url, args.rows, args.rounds) if args.what == "overhead" else memory(args.url, args.rows)))


def overhead(url: str, rows: int, rounds: int) -> dict[str, Any]:
    """The CPU seconds of as many requests through map_rows and through evaluate; each round runs both, in turns."""
    from azml_magics import evaluate, map_rows

    config = our_chat_config(url)
    table = [{"number": number, "label": "Bubbles rise in glass"} for number in range(rows)]
    many = [{"number": number, "label": ""} for number in range(rows * len(SWEEP["temperature"]))]
    ways = {
        "map_rows": lambda: map_rows(config, "Haiku {number}", many, concurrency=CONCURRENCY),
        "evaluate": lambda: evaluate(config, "Haiku {number}", table, sweep=SWEEP, concurrency=CONCURRENCY),
        "scored": lambda: evaluate(
            config, "Haiku {number}", table, sweep=SWEEP, concurrency=CONCURRENCY, expect="label"
        ),
    }
    taken = _take_turns(ways, rounds)
    least = {name: min(seconds) / len(many) for name, seconds in taken.items()}  # the rest is what else runs
    return {"map_rows": least["map_rows"], "evaluate": least["evaluate"], "scored": least["scored"]}


def _take_turns(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """The CPU seconds of each way in every round after the first; odd rounds go backwards."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            start = time.process_time()
            ways[name]()
            if number:
                taken[name].append(time.process_time() - start)
    return taken


def memory(url: str, rows: int) -> dict[str, Any]:
    """The memory after a tenth of the rows and after all, with four settings and a journal; and the summary's time."""
    from azml_magics import Client, Response, Usage, evaluate

    class Instant(Client):
        """Responds itself, because 400,000 requests would take many minutes and no memory of this process."""

        def invoke(self, _config: Any, prompt: Any) -> Response:
            text = f"Bubbles rise in glass. {prompt[-1]['content']}" * 4
            return Response(text, usage=Usage(9, 5, 14), latency=0.1, finish_reason="stop")

    figures: dict[str, Any] = {}

    def sample(progress: Any) -> None:
        if "tenth" not in figures and progress.done >= rows * 4 // 10:
            figures["tenth"] = rss()

    source = ({"number": number, "label": "Bubbles rise in glass"} for number in range(rows))
    with tempfile.TemporaryDirectory() as folder:
        journal = f"{folder}/run.jsonl"
        start = time.perf_counter()
        evaluation = evaluate(
            our_chat_config(url),
            "Haiku {number}",
            source,
            sweep=SWEEP,
            expect="label",
            match="contains",
            journal=journal,
            concurrency=CONCURRENCY,
            client=Instant(),
            progress=sample,
        )
        figures |= {"all": rss(), "seconds": time.perf_counter() - start}
        with Path(journal).open("rb") as lines:
            assert sum(1 for _ in lines) == rows * 4 + 1 + 4
    start = time.perf_counter()
    summaries = evaluation.summary()
    figures |= {"summary": time.perf_counter() - start, "outcomes": len(evaluation)}
    assert [summary.accuracy.mean for summary in summaries] == [1.0] * 4
    return figures


if __name__ == "__main__":
    main()
