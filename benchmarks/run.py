"""Prints how this package compares with its peers, measured side by side against one local server.

python benchmarks/run.py            about ten minutes; the first time, longer: it installs the peers
python benchmarks/run.py --quick    about three
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time

import venvs
from measures import MEASURES
from running import running
from table import Row, markdown

SHOWN = (
    "jupyter-ai-magics",
    "jupyter-ai-magic-commands",
    "langchain-community",
    "langchain-core",
    "openai",
    "azure-ai-inference",
    "httpx",
    "httpcore",
    "aiohttp",
    "ipython",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; the slowest peers run a tenth and scale")
    parser.add_argument("--only", help=f"some of {','.join(MEASURES)}")
    asked = parser.parse_args()
    chosen = asked.only.split(",") if asked.only else list(MEASURES)
    unknown = [name for name in chosen if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    for name in venvs.REQUIREMENTS:
        venvs.ready(name)
    rows: list[Row] = []
    with running() as bench:
        for name in chosen:
            start = time.perf_counter()
            rows += MEASURES[name](bench, asked.quick)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(markdown(rows))
    marked = [row for row in rows if row.limit is not None]
    print(f"\n{sum(row.is_met for row in marked)} of {len(marked)} marks met.")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}. {versions()}")
    return 0 if all(row.is_met for row in marked) else 1


def versions() -> str:
    """The versions of the contenders, as installed."""
    found: dict[str, str] = {}
    for name in venvs.REQUIREMENTS:
        command = [str(venvs.python(name)), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            package, _, version = line.partition("==")
            if package.lower() in SHOWN:
                found.setdefault(package.lower(), version)
    return ", ".join(f"{package} {found[package]}" for package in SHOWN if package in found) + "."


if __name__ == "__main__":
    sys.exit(main())
