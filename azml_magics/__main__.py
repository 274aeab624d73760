"""The command line: `azml-magics demo` runs the quickstart in a real kernel, with --lab it opens all tutorials;
`azml-magics doctor` prints what a bug report needs.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .core.install_hint import install_command

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICKSTART = "01_quickstart.ipynb"
COPY = Path("azml-magics-notebooks")  # of the tutorials, in the folder where --lab is run
_WIDTH = 100
_CELL_TIMEOUT = 120


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
    demo.add_argument("--lab", action="store_true", help="open the tutorials in JupyterLab; further options go to it")
    doctor = commands.add_parser("doctor", help="print versions, settings and problems for a bug report, without keys")
    doctor.add_argument("--json", action="store_true", help="as a JSON document")
    options, further = parser.parse_known_args(argv)
    if further and not getattr(options, "lab", False):
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    if options.command == "doctor":
        return print_report(as_json=options.json)
    return open_lab(further) if options.lab else run_quickstart()


def find_tutorials() -> Path:
    """Return the folder of the tutorials: in the installed package, or beside it in a checkout."""
    installed = Path(__file__).parent / "notebooks"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "notebooks"


def run_quickstart() -> int:
    """Run the quickstart cell by cell and print each cell with its output."""
    try:
        import nbformat
        import uvicorn  # noqa: F401 - the endpoint needs it; check before a kernel starts
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        return _complain(f"azml-magics demo needs {error.name}.", f"Run {install_command('demo')}.")
    notebook: Any = nbformat.read(find_tutorials() / QUICKSTART, as_version=4)  # type: ignore[no-untyped-call]  # untyped
    client = NotebookClient(notebook, timeout=_CELL_TIMEOUT, kernel_name="python3")
    client.extra_arguments = ["--log-level=40"]  # ipykernel warns of its unencrypted loopback; errors still show
    with _make_folder() as folder, client.setup_kernel(cwd=str(folder)):
        for index, cell in enumerate(notebook.cells):
            print(_source(cell), flush=True)
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                return _complain(f"Cell {index + 1} failed: {error.ename}: {error.evalue}")
            for output in cell.get("outputs", ()):
                print(textwrap.indent(_text(output), "    "), flush=True)
            print()
    print("This was notebooks/01_quickstart.ipynb, run in its own kernel against the embedded endpoint.")
    print(f"To run it yourself:  {install_command('lab')}  and  azml-magics demo --lab")
    return 0


def _make_folder() -> Any:
    """Return a temporary folder for the files that the notebook writes."""
    import tempfile

    return tempfile.TemporaryDirectory(prefix="azml-magics-")


def _source(cell: Any) -> str:
    if cell.cell_type != "code":
        paragraphs = cell.source.split("\n\n")
        return "\n\n".join(textwrap.fill(paragraph, _WIDTH, break_on_hyphens=False) for paragraph in paragraphs)
    first, *rest = cell.source.split("\n")
    return "\n".join([f">>> {first}", *(f"... {line}" for line in rest)])


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text).rstrip("\n")
    return str(output.get("data", {}).get("text/plain", "")).rstrip("\n")


def open_lab(further: Sequence[str]) -> int:
    """Open a copy of the tutorials in JupyterLab; the embedded endpoint runs beside it.

    Args:
        further: Options for JupyterLab.

    Returns:
        JupyterLab's exit status, or 1 if something is missing.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        return _complain("azml-magics demo --lab needs JupyterLab.", f"Run {install_command('lab')}.")
    from .notebook.commands.demo import DEMO_KEY_VARIABLE, DEMO_URL_VARIABLE, make_endpoint

    try:
        endpoint = make_endpoint()
        _copy_tutorials()
    except ImportError as error:
        return _complain(f"azml-magics demo --lab needs {error.name}.", f"Run {install_command('lab')}.")
    except OSError as error:
        return _complain(
            f"The tutorials cannot be copied to {COPY}: {error.strerror or error}.",
            "Run it in another folder.",
        )
    print(
        f"The tutorials are in {COPY}; you can change them. The demo endpoint is running: %azureml demo finds it.",
        flush=True,
    )
    command = [sys.executable, "-m", "jupyterlab", str(COPY / QUICKSTART), *further]
    with endpoint:
        shared = {DEMO_URL_VARIABLE: endpoint.url, DEMO_KEY_VARIABLE: endpoint.key}
        try:
            return subprocess.run(command, env={**os.environ, **shared}, check=False).returncode  # noqa: S603 - our own interpreter, no shell
        except KeyboardInterrupt:
            return 0


def _copy_tutorials() -> None:
    """Copy the notebooks and cassettes; existing files are kept, because the user may have changed them."""
    source = find_tutorials()
    for path in sorted([*source.glob("*.ipynb"), *source.glob("cassettes/*")]):
        copy = COPY / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)  # without its mode: an installed file may be read-only


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


def _complain(*lines: str) -> int:
    print("\n".join(lines), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
