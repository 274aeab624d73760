"""One response that is too large, in one fresh process: seconds, and the memory that it takes at its peak.

python bounds.py BASE_URL CASE
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

from clients import PROMPT, our_chat_config
from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = {
    "html": ("html=65536", "invoke"),
    "line": ("line=8", "stream"),
    "page": ("page=200", "invoke"),
    "bomb": ("bomb=1", "invoke"),
    "events": ("chunks=1000000", "stream"),
}


def caller(how: str) -> Callable[[str], str]:
    """Return a function that makes one call and returns its text, or the name of its error."""
    from azml_magics.core.client import invoke, stream
    from azml_magics.core.errors import AzmlError

    def call(url: str) -> str:
        config = our_chat_config(url).merged(max_retries=0)
        try:
            if how == "invoke":
                return str(invoke(config, PROMPT).text)
            with stream(config, PROMPT) as chunks:
                for _ in chunks:
                    pass
                return str(chunks.response.text)
        except AzmlError as error:
            return type(error).__name__

    return call


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("case", choices=CASES)
    args = parser.parse_args()
    path, how = CASES[args.case]
    call = caller(how)
    call(f"{args.url}/chunks=5")  # imports, the connection
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    outcome = call(f"{args.url}/{path}")
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    report(seconds=seconds, cpu=used, megabytes=grown, outcome=outcome[:40])


if __name__ == "__main__":
    main()
