"""Memory over many rows with a journal, in one fresh process: after a tenth of them, and after all.

python memory.py URL --rows N
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from clients import our_config
from measuring import report, rss


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, required=True)
    args = parser.parse_args()
    from azml_magics import map_rows

    source = ({"number": number} for number in range(args.rows))
    figures, done, start = {}, 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        journal = f"{folder}/run.jsonl"
        for row in map_rows(our_config(args.url), "Haiku {number}", source, concurrency=32, journal=journal):
            assert row["text"], row
            done += 1
            if done == args.rows // 10:
                figures["tenth"] = rss()
        figures["all"] = rss()
        with Path(journal).open("rb") as lines:
            assert sum(1 for _ in lines) == args.rows + 1
        figures["seconds"] = time.perf_counter() - start
        # once more: every row comes from the journal
        source = ({"number": number} for number in range(args.rows))
        start = time.perf_counter()
        for _ in map_rows(our_config(args.url), "Haiku {number}", source, journal=journal):
            pass
        figures |= {"again": rss(), "again_seconds": time.perf_counter() - start}
    report(**figures)


if __name__ == "__main__":
    main()
