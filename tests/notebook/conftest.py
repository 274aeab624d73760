"""A real IPython shell and a running endpoint: cells go in, and what the user sees comes out."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from azml_magics.pytest_plugin import KEY


@dataclass
class Ran:
    """What a cell gave: its result with its mime bundle, its error, and what it wrote and displayed."""

    result: Any
    error: BaseException | None
    data: dict[str, Any]
    metadata: dict[str, Any]
    stdout: str
    stderr: str
    shown: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The result as plain text."""
        return self.data.get("text/plain", "")

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """What the displays showed, first to last."""
        return [output.data for output in self.shown]


class Notebook:
    """Runs cells in a shell. In a notebook's kernel the shell has a `kernel`; at a terminal it has none."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.vars = shell.user_ns

    def run(self, source: str) -> Ran:
        """Everything that the cell gives; an error is given, not raised."""
        with capture_output() as captured:
            done = self.shell.run_cell(source, store_history=True)
            data, metadata = ({}, {}) if done.result is None else self.shell.display_formatter.format(done.result)
        error = done.error_before_exec or done.error_in_exec
        return Ran(done.result, error, data, metadata, captured.stdout, captured.stderr, captured.outputs)

    def ok(self, source: str) -> Ran:
        """`run`, for a cell that must not fail."""
        ran = self.run(source)
        assert ran.error is None, ran.error
        return ran

    def refused(self, source: str) -> str:
        """The one line that a failing cell shows instead of a traceback."""
        ran = self.run(source)
        assert ran.error is not None, ran.result
        lines = ran.error._render_traceback_()
        assert len(lines) == 1
        assert "\n" not in lines[0]
        assert lines[0] in ran.stdout  # IPython has shown it, and nothing of a traceback with it
        assert "Traceback" not in ran.stdout
        return lines[0]


@pytest.fixture(scope="session")
def _shell(tmp_path_factory):
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor" if _newer_than(8) else "NoColor"
    config.InteractiveShell.ipython_dir = str(tmp_path_factory.mktemp("ipython"))
    InteractiveShell.clear_instance()
    displayhook, main = sys.displayhook, sys.modules["__main__"]
    shell = InteractiveShell.instance(config=config)
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    sys.displayhook, sys.modules["__main__"] = displayhook, main


def _newer_than(major: int) -> bool:
    import IPython

    return IPython.version_info[0] > major


@pytest.fixture
def shell(_shell, tmp_path, monkeypatch):
    """The shell in a folder of its own; what a test puts into it goes with the test."""
    monkeypatch.chdir(tmp_path)
    before = dict(_shell.user_ns), dict(_shell.user_ns_hidden)
    yield _shell
    _shell.run_line_magic("unload_ext", "azml_magics")
    _shell.config.pop("AzureMLMagics", None)  # %config writes its settings into the shell's, too
    # what shell.reset() does, without its collecting of garbage, which would take longer than most tests
    for namespace, names in zip((_shell.user_ns, _shell.user_ns_hidden), before, strict=True):
        namespace.clear()
        namespace.update(names)
    _shell.user_ns["_oh"].clear()
    hook = _shell.displayhook
    hook._ = hook.__ = hook.___ = ""


@pytest.fixture
def terminal(shell):
    """A terminal with the extension loaded."""
    shell.run_line_magic("load_ext", "azml_magics")
    return Notebook(shell)


@pytest.fixture
def notebook(shell):
    """A notebook with the extension loaded."""
    shell.kernel = object()
    shell.run_line_magic("load_ext", "azml_magics")
    yield Notebook(shell)
    del shell.kernel


@pytest.fixture
def endpoint(azml_endpoint, monkeypatch):
    """The running endpoint; its key is in TEST_KEY."""
    monkeypatch.setenv("TEST_KEY", KEY)
    return azml_endpoint


@pytest.fixture
def asking(notebook, endpoint):
    """A notebook whose config `main` speaks to the endpoint's chat route."""
    notebook.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY")
    return notebook


@pytest.fixture
def magics(notebook):
    """The magics object behind the notebook."""
    return notebook.shell.magics_manager.registry["AzureMLMagics"]


@pytest.fixture
def last_body(endpoint):
    """The JSON that the endpoint received last."""
    return lambda: endpoint.requests[-1].json()
