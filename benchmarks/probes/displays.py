"""How often a cell that streams fast updates its display.

python displays.py BASE_URL --chunks N      one chunk a millisecond
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from pathlib import Path

from cells import prepare
from measuring import report
from shell import start_shell


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--chunks", type=int, required=True)
    args = parser.parse_args()
    os.environ["OPENAI_API_KEY"] = "sk-benchmark"
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        shell = start_shell()
        shell.run_line_magic("load_ext", "azml_magics")
        name, line = prepare(shell, "azureml", f"{args.url}/chunks={args.chunks}/pace=1")
        shell.display_pub.outputs.clear()
        start = time.perf_counter()
        shell.run_cell_magic(name, line, "Count to a thousand.")
        seconds = time.perf_counter() - start
    published = len(shell.display_pub.outputs) - 2  # without the empty first and last one
    assert published > 0, "nothing was shown while it streamed"
    report(rate=(published - 1) / seconds, published=published, seconds=seconds)


if __name__ == "__main__":
    main()
