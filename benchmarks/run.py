"""Measures azml-magics and its peers side by side against one local server, and prints a table.

python benchmarks/run.py            about ten minutes; the first run also installs the peers
python benchmarks/run.py --quick    about three
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time

import venvs
from bench import start_bench
from measures import MEASURES
from table import Row, to_markdown

PACKAGES = (
    "jupyter-ai-magics",
    "jupyter-ai-magic-commands",
    "langchain-community",
    "langchain-core",
    "openai",
    "azure-ai-inference",
    "httpx",
    "aiohttp",
    "ipython",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; the slowest peers get fewer prompts")
    parser.add_argument("--only", help=f"the measures to run, separated by commas: {','.join(MEASURES)}")
    args = parser.parse_args()
    chosen = args.only.split(",") if args.only else list(MEASURES)
    unknown = [name for name in chosen if name not in MEASURES]
    if unknown:
        parser.error(f"unknown measure: {', '.join(unknown)}; known: {', '.join(MEASURES)}")
    for name in venvs.REQUIREMENTS:
        venvs.ensure(name)
    rows: list[Row] = []
    with start_bench() as bench:
        for name in chosen:
            start = time.perf_counter()
            rows += MEASURES[name](bench, args.quick)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(to_markdown(rows))
    marked = [row for row in rows if row.limit is not None]
    print(f"\n{sum(row.is_met for row in marked)} of {len(marked)} marks met.")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}. {versions()}")
    return 0 if all(row.is_met for row in marked) else 1


def versions() -> str:
    """The installed versions of the clients."""
    found: dict[str, str] = {}
    for name in venvs.REQUIREMENTS:
        command = [str(venvs.python(name)), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            package, _, version = line.partition("==")
            if package.lower() in PACKAGES:
                found.setdefault(package.lower(), version)
    return ", ".join(f"{package} {found[package]}" for package in PACKAGES if package in found) + "."


if __name__ == "__main__":
    sys.exit(main())
