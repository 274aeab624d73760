"""A real kernel, kept for all tests, and a running endpoint that it asks: cells go in over ZeroMQ as Jupyter sends them."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from azml_magics.pytest_plugin import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60  # seconds until a cell that hangs fails its test


@dataclass
class Cell:
    """What a cell gave, as the frontend receives it."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def _contents(self, kind: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    @property
    def result(self) -> dict[str, Any]:
        """The mime bundle of the one execute_result; {} without one."""
        results = self._contents("execute_result")
        assert len(results) <= 1
        return results[0]["data"] if results else {}

    @property
    def text(self) -> str:
        """The result as plain text."""
        return self.result.get("text/plain", "")

    @property
    def error(self) -> dict[str, Any] | None:
        """ename, evalue and traceback, or None."""
        errors = self._contents("error")
        return errors[0] if errors else None

    @property
    def begun(self) -> list[dict[str, Any]]:
        """The bundles that displays began with."""
        return [content["data"] for content in self._contents("display_data")]

    @property
    def updates(self) -> list[dict[str, Any]]:
        """The bundles that displays were updated with, in order."""
        return [content["data"] for content in self._contents("update_display_data")]

    def stream(self, name: str) -> str:
        """What was written to "stdout" or "stderr"."""
        return "".join(content["text"] for content in self._contents("stream") if content["name"] == name)


class Kernel:
    """A kernel and the client of a frontend."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.listeners: list[Callable[[dict[str, Any]], None]] = []  # each is given every message that arrives
        # not manager.client(): that one has the session, and so the address, of the client that nbclient makes
        self.client = BlockingKernelClient(parent=manager)  # asks the manager, not the heartbeat, whether it lives
        self.client.load_connection_info(manager.get_connection_info())
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, source, *, on_message=None, answer=None) -> Cell:
        """Everything that the cell gives. `on_message` sees each message as it comes; `answer` goes to an input()."""
        cell = Cell()
        number = self.client.execute(source, allow_stdin=answer is not None)
        limit = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < limit, f"the kernel does not come back from {source!r}"
            if answer is not None and self.client.stdin_channel.msg_ready():
                request = self.client.get_stdin_msg(timeout=1)
                assert request["content"]["password"]
                self.client.input(answer)
            message = self.receive()
            if message is None:
                if on_message:
                    on_message(None)
                continue
            if message["parent_header"].get("msg_id") != number:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                if self._status(number) != "aborted":
                    return cell
                # it came just behind a cell that failed, and was taken for one of the same "Run all"
                number = self.client.execute(source, allow_stdin=answer is not None)
                cell.messages.clear()
                continue
            cell.messages.append(message)
            if on_message:
                on_message(message)

    def receive(self) -> dict[str, Any] | None:
        """The next message of anybody's; None where none comes for a moment."""
        try:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=0.1)
        except Empty:
            return None
        for listener in self.listeners:
            listener(message)
        return message

    def _status(self, number: str) -> str:
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == number:
                return reply["content"]["status"]

    def ok(self, source, **further) -> Cell:
        """`run`, for a cell that must not fail."""
        cell = self.run(source, **further)
        assert cell.error is None, cell.error
        return cell

    def value(self, expression):
        """The value of an expression in the kernel, by way of its repr."""
        import ast

        return ast.literal_eval(self.ok(f"print(repr(({expression})))").stream("stdout"))

    def notebook(self, *sources, allow_errors=False):
        """The cells run by nbclient in this kernel: the notebook as it would be saved, and the error that stopped it."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata["language_info"] = {"name": "python"}
        client = NotebookClient(notebook, km=self.manager, timeout=PATIENCE, allow_errors=allow_errors)
        try:
            client.execute(cleanup_kc=False)  # the kernel is ours, and goes on
        except CellExecutionError as error:
            return notebook, error
        finally:
            client.kc.stop_channels()
        return notebook, None

    def refused(self, source, ename):
        """The one line that a failing cell shows. nbclient stops there, and the key is nowhere in the notebook."""
        notebook, error = self.notebook("went_on = False", source, "went_on = True")
        assert error is not None, notebook.cells[1].outputs
        assert error.ename == ename, error
        output = notebook.cells[1].outputs[-1]
        assert output.output_type == "error"
        assert (output.ename, len(output.traceback)) == (ename, 1)
        assert output.traceback[0] == f"{ename}: {output.evalue}"
        assert "\n" not in output.evalue
        assert notebook.cells[2].outputs == []
        assert self.value("went_on") is False
        assert KEY not in nbformat.writes(notebook)
        return output.traceback[0]


def environment(folder) -> dict[str, str]:
    """The environment of a user who has set nothing: no Azure variables and an empty home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZUREML_", "AZURE_", "AZML_", "MSI_", "XDG_")) and not name.lower().endswith("_proxy")
    }
    for name in ("HOME", "USERPROFILE", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        kept[name] = str(folder / name.lower())
        (folder / name.lower()).mkdir(exist_ok=True)
    return {**kept, "TEST_KEY": KEY, "PYTHONWARNINGS": "default"}


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder of everything that the kernels write."""
    return tmp_path_factory.mktemp("kernel")


def manager_at(sockets: str, python: str = sys.executable) -> KernelManager:
    """A kernel manager whose kernel listens on files in the folder `sockets`, which must have a short name.

    TCP ports are free when they are chosen, and may be another's by the time that the kernel wants them.
    python: the interpreter that the kernel runs in.
    """
    how = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{sockets}/k"}
    manager = KernelManager(kernel_name="python3", **how)
    manager.kernel_spec.argv[0] = python
    return manager


@pytest.fixture(scope="session")
def _kernel(home):
    with running_kernel(home) as kernel:
        yield kernel


@contextlib.contextmanager
def running_kernel(home: Path, python: str = sys.executable) -> Iterator[Kernel]:
    """A kernel that works in `home`/work, of that interpreter."""
    (home / "work").mkdir()
    with tempfile.TemporaryDirectory() as sockets:
        manager = manager_at(sockets, python)
        manager.start_kernel(env=environment(home), cwd=str(home / "work"))
        kernel = Kernel(manager)
        yield kernel
        kernel.client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture
def endpoint(azml_endpoint):
    """The running endpoint; its key is in the kernel's TEST_KEY."""
    return azml_endpoint


@pytest.fixture
def bare(_kernel):
    """The kernel with the extension loaded and nothing else."""
    _kernel.ok("%reset -f\nget_ipython().config.pop('AzureMLMagics', None)")
    _kernel.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    return _kernel


@pytest.fixture
def kernel(bare, endpoint):
    """The kernel with a config `main` that speaks to the endpoint's chat route."""
    bare.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    return bare
