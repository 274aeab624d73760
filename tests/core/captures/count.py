"""`python -m tests.core.captures.count`: how many examples of 2026 the package reads correctly, per folder."""

from __future__ import annotations

import sys

from azml_magics.core import polling
from tests.core.server import Server

from .examples import EXAMPLES, Example
from .replay import Replayer, check_in_pieces, check_over_http, splits_of


def main() -> int:
    """Print the count per folder and the files that were read wrongly; return 1 if there are any."""
    polling.FIRST_DELAY = 1e-6  # seconds: a response that is queued here is ready at once
    server, replayer = Server(), Replayer()
    wrong = {example.file: found for example in EXAMPLES if (found := _problem(example, server, replayer))}
    server.stop()
    folders = {name: [e.file for e in EXAMPLES if name in (e.folder, "all")] for name in [*_folders(), "all"]}
    for name, files in folders.items():
        right = sum(file not in wrong for file in files)
        sys.stdout.write(f"{name:<10} read correctly {right:>2} of {len(files):>2}\n")
    sys.stdout.writelines(f"  {file}: {problem}\n" for file, problem in wrong.items())
    return int(bool(wrong))


def _folders() -> list[str]:
    return list(dict.fromkeys(example.folder for example in EXAMPLES))


def _problem(example: Example, server: Server, replayer: Replayer) -> str:
    """Return what went wrong with an example, whole or in pieces, in one line; "" if it is read correctly."""
    try:
        check_over_http(example, server)
        check = check_in_pieces if example.is_stream else replayer.check
        for pieces in splits_of(example.body):
            check(example, pieces)
    except Exception as error:  # whatever it is, the example was not read
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
