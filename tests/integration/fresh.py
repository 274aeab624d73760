"""Notebooks in their own kernels, and the programs that run on notebooks: nbconvert, nbval, papermill."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

from .conftest import PATIENCE, Kernel, environment, manager_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    """A notebook of those cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["language_info"] = {"name": "python", "file_extension": ".py", "nbconvert_exporter": "python"}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def executed(folder: Path, *sources: str, allow_errors: bool = False, **variables: str) -> nbformat.NotebookNode:
    """The cells run in a fresh kernel that works in `folder`, with those environment variables more ("": less)."""
    notebook = notebook_of(*sources)
    with tempfile.TemporaryDirectory() as sockets:
        manager = manager_at(sockets)
        client = NotebookClient(notebook, km=manager, timeout=PATIENCE, allow_errors=allow_errors)
        try:
            with client.setup_kernel(env=variables_of(folder, **variables), cwd=str(folder), cleanup_kc=True):
                for number, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, number)
        finally:
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
    return notebook


@contextlib.contextmanager
def started(folder: Path, variables: dict[str, str]) -> Iterator[Kernel]:
    """A fresh kernel for one cell after the other."""
    with tempfile.TemporaryDirectory() as sockets:
        manager = manager_at(sockets)
        manager.start_kernel(env=variables, cwd=str(folder))
        try:
            kernel = Kernel(manager)
            yield kernel
            kernel.client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()


def variables_of(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of such a kernel."""
    return {name: value for name, value in {**environment(folder), **variables}.items() if value}


def program(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m …` in `folder`, as a user runs it there."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**variables_of(folder, **variables), "PYTHONWARNINGS": "ignore", "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


def results(notebook: nbformat.NotebookNode) -> list[list[dict]]:
    """The outputs of each cell without what differs from run to run by design: metadata and execution counts."""
    return [
        [
            {key: value for key, value in output.items() if key not in {"metadata", "execution_count"}}
            for output in cell.outputs
        ]
        for cell in notebook.cells
    ]
