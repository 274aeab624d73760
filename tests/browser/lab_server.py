"""A Jupyter server on 127.0.0.1 that is isolated from the user's own configuration and leaves no files behind."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 90  # seconds until a server that does not come up fails its tests


class LabServer:
    """JupyterLab ("lab") or Notebook 7 ("notebook"), running until `stop`; it serves the folder `root`.

    without: the extensions of JupyterLab that are switched off.
    python: the interpreter that has Jupyter, and runs the kernels.
    """

    def __init__(
        self, app: str, folder: Path, *, without: Sequence[str] = (), python: str | Path = sys.executable
    ) -> None:
        self.app, self.folder, self._python = app, folder, str(python)
        self.root = folder / "root"
        self.root.mkdir(parents=True)
        self._log = folder / "server.log"
        self._switch_off(*without, "@jupyterlab/apputils-extension:announcements")  # its dialog lies over everything
        self._token = secrets.token_hex(16)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.root,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._base = self._address()

    def _switch_off(self, *extensions: str) -> None:
        page_config = self.folder / "config" / "labconfig" / "page_config.json"
        page_config.parent.mkdir(parents=True)
        page_config.write_text(json.dumps({"disabledExtensions": dict.fromkeys(extensions, True)}))

    def _command(self) -> list[str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]  # the server takes a near one where another process is quicker
        return [
            # not `jupyter lab`, which is the first jupyter-lab on the PATH
            *(self._python, "-m", {"lab": "jupyterlab"}.get(self.app, self.app), "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=50"),
            *(f"--ServerApp.root_dir={self.root}", f"--IdentityProvider.token={self._token}"),
            *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
            "--LabApp.extension_manager=readonly",  # the other one asks PyPI
        ]

    def _address(self) -> str:
        """Wait for the runtime file, which the server writes when it listens, and return the server's URL."""
        limit = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < limit:
            for runtime in (self.folder / "runtime").glob("jpserver-*.json"):
                try:
                    url: str = json.loads(runtime.read_text())["url"]
                except ValueError:  # half written
                    continue
                return url.rstrip("/")
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"jupyter {self.app} does not come up:\n{self.log}")

    @property
    def log(self) -> str:
        """The server's log so far."""
        return self._log.read_text(errors="replace")

    def url(self, path: str) -> str:
        """The URL of a page of this server, with the token."""
        return f"{self._base}/{path}{'&' if '?' in path else '?'}token={self._token}"

    def write(self, name: str, *cells: str | nbformat.NotebookNode, kernel: str = "python3") -> Path:
        """Write a notebook into `root`; texts become code cells. Without a `kernel` JupyterLab asks for one."""
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        notebook = nbformat.v4.new_notebook(cells=made)
        if kernel:  # with language_info, else opening it makes it dirty
            notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
            notebook.metadata["language_info"] = {"name": "python"}
        path = self.root / name
        nbformat.write(notebook, path)
        return path

    def add_kernel(self, name: str, program: str, language: str = "python") -> None:
        """Add a kernel, a Python program that gets `-f CONNECTION_FILE` as its arguments."""
        spec = self.folder / "data" / "kernels" / name
        spec.mkdir(parents=True, exist_ok=True)
        (spec / "start.py").write_text(program)
        argv = [sys.executable, str(spec / "start.py"), "-f", "{connection_file}"]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": language}))

    def set_setting(self, plugin: str, **values: object) -> None:
        """Set the settings of "package:plugin" for the next page load; without values, remove them."""
        package, _, short = plugin.partition(":")
        path = self.folder / "settings" / package / f"{short}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def stop(self) -> None:
        """End the server and, through it, its kernels."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)  # it may hang behind JupyterLab's language servers; kernels end with their parent
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def environment(folder: Path) -> dict[str, str]:
    """An environment without the user's settings, whose home and Jupyter folders are in `folder`."""
    ours = ("AZUREML_", "AZURE_", "AZML_", "MSI_", "XDG_", "JUPYTER", "IPYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.lower().endswith("_proxy")
    }
    folders = {
        "HOME": "home",
        "USERPROFILE": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    for sub in set(folders.values()):
        (folder / sub).mkdir(exist_ok=True)
    return {**kept, **{name: str(folder / sub) for name, sub in folders.items()}}
