"""A JupyterLite site with Pyodide's kernel and this package, made of packages of PyPI and npm; and its server.

Pyodide's own distribution of packages is on another host, so the kernel's dependencies come from PyPI as well.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
# What the kernel starts with, and what azml-magics needs in a cell; LangChain's classes need more than PyPI has for it.
PACKAGES = ("comm", "httpx", "ipython", "ipywidgets", "jedi", "micropip", "traitlets", "truststore", "pydantic")
INSTALL = """\
import piplite
await piplite.install(["httpx", "ipywidgets", "truststore", "traitlets"])
await piplite.install("azml-magics", deps=False)"""
_VERSIONS = "import jupyterlite_pyodide_kernel.constants as c; print(c.PYODIDE_VERSION, c.PYODIDE_PYTHON_VERSION)"


def build_site(folder: Path, cells: list[str]) -> Path:
    """Make a site with one notebook, try.ipynb, and return its folder.

    Args:
        folder: Where everything is made.
        cells: The cells of the notebook.
    """
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    _run(python, "-m", "pip", "install", "-q", "jupyterlite-core", "jupyterlite-pyodide-kernel", "jupyter-server")
    pyodide, python_version = _run(python, "-c", _VERSIONS).split()
    lite = folder / "lite"
    abi = _add_pyodide(folder, lite / "static" / "pyodide", pyodide)
    wheels = _download_wheels(python, folder / "wheels", f"pyemscripten_{abi}_wasm32", python_version)
    _keep_micropip(lite / "static" / "pyodide", wheels)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    (lite / "files").mkdir()
    nbformat.write(notebook, lite / "files" / "try.ipynb")
    settings = {"exposeAppInBrowser": True}
    (lite / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": settings})
    )
    local = [option for wheel in sorted(wheels.glob("*.whl")) for option in ("--piplite-wheels", str(wheel))]
    _run(python, "-m", "jupyter", "lite", "build", "--contents", "files", "--output-dir", "site", *local, cwd=lite)
    return lite / "site"


def _add_pyodide(folder: Path, target: Path, version: str) -> str:
    """Unpack Pyodide and return the version of its binary interface."""
    packed = _run("npm", "pack", "--silent", f"pyodide@{version}", cwd=folder).strip().splitlines()[-1]
    with tarfile.open(folder / packed) as archive:
        archive.extractall(folder / "npm", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    shutil.copytree(folder / "npm" / "package", target)
    return json.loads((target / "pyodide-lock.json").read_text())["info"]["abi_version"]


def _download_wheels(python: Path, folder: Path, platform: str, version: str) -> Path:
    folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, env={**os.environ, "AZML_LABEXTENSION": "skip"}, check=True, capture_output=True)
    target = ("--only-binary=:all:", "--implementation", "cp", "--python-version", version, "--platform", platform)
    _run(python, "-m", "pip", "download", "-q", "-d", str(folder), *target, *PACKAGES)
    return folder


def _keep_micropip(pyodide: Path, wheels: Path) -> None:
    """Let Pyodide's list of its packages hold micropip alone, from this folder; it loads it before it installs others."""
    (wheel,) = wheels.glob("micropip-*.whl")
    shutil.move(wheel, pyodide)
    content = (pyodide / wheel.name).read_bytes()
    path = pyodide / "pyodide-lock.json"
    lock = json.loads(path.read_text())
    micropip = {**lock["packages"]["micropip"], "file_name": wheel.name, "version": wheel.name.split("-")[1]}
    lock["packages"] = {"micropip": {**micropip, "sha256": hashlib.sha256(content).hexdigest(), "depends": []}}
    path.write_text(json.dumps(lock))


def _run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012 - as in the base class
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class SiteServer:
    """Serves a folder on 127.0.0.1 until `stop`."""

    def __init__(self, folder: Path) -> None:
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder))
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class AllowPages:
    """An ASGI application that lets web pages use another one: the headers of CORS."""

    def __init__(self, app: object) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_allowed(message):
            if message["type"] == "http.response.start":
                allowed = [
                    (b"access-control-allow-origin", b"*"),
                    (b"access-control-allow-headers", b"*, authorization"),
                ]
                message = {**message, "headers": [*message["headers"], *allowed]}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await send_allowed({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await self._app(scope, receive, send_allowed)
