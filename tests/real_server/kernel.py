"""A real IPython kernel in which a test runs cells one by one, as a user does."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Ran:
    """What a cell left in the notebook."""

    def __init__(self, cell: Any) -> None:
        self.outputs = cell.outputs

    @property
    def result(self) -> str:
        """The plain text of its result; "" where it has none."""
        return next((out.data["text/plain"] for out in self.outputs if out.output_type == "execute_result"), "")

    @property
    def printed(self) -> str:
        """What it printed."""
        return "".join(out.text for out in self.outputs if out.output_type == "stream")

    @property
    def error(self) -> Any:
        """Its error output (ename, evalue, traceback), or None."""
        return next((out for out in self.outputs if out.output_type == "error"), None)


class Kernel:
    """A running kernel. `run(source)` executes a cell and says what came of it, errors included."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def run(self, source: str) -> Ran:
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return Ran(cell)

    def answer(self, source: str) -> str:
        """The result of a cell that must not fail."""
        ran = self.run(source)
        assert ran.error is None, f"{ran.error.ename}: {ran.error.evalue}"
        return ran.result


@contextlib.contextmanager
def started(home: Path, variables: Mapping[str, str]) -> Iterator[Kernel]:
    """A fresh kernel with `home` as its home and working folder and those environment variables; ended on leaving."""
    own = {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "JUPYTER_DATA_DIR": str(home / "jupyter")}
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=120)
    with client.setup_kernel(cwd=str(home), env={**os.environ, **own, **variables}):
        yield Kernel(client)
