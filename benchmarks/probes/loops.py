"""Event loops one after another, each with one call: the memory and time that they leave behind.

python loops.py BASE_URL --loops N
"""

from __future__ import annotations

import argparse
import asyncio
import time

from clients import PROMPT, our_config
from measuring import report, rss


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--loops", type=int, required=True)
    args = parser.parse_args()
    from azml_magics.core.client import ainvoke

    config = our_config(args.url)
    figures: dict[str, float] = {}
    start = time.perf_counter()
    for number in range(args.loops):
        asyncio.run(ainvoke(config, PROMPT))
        if number == args.loops // 10:
            figures["tenth"] = rss()
    report(all=rss(), seconds=time.perf_counter() - start, **figures)


if __name__ == "__main__":
    main()
