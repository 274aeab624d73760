"""A kernel of this interpreter, in folders that can be written: not another Python's, and not in the user's home."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KERNEL = "python3"  # that of the tutorials


def kernel_environment(folder: Path) -> dict[str, str]:
    """Return the variables that make Jupyter start this interpreter for the kernel `python3`.

    A kernel of that name in the user's home may be another, older Python, without this package.

    Args:
        folder: A temporary folder, where the kernel is described.
    """
    spec = folder / "kernels" / KERNEL / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    content = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
    spec.write_text(json.dumps({**content, "metadata": {"debugger": True}}), encoding="utf-8")
    paths = [str(folder), os.environ.get("JUPYTER_PATH", "")]
    return {"JUPYTER_PATH": os.pathsep.join(filter(None, paths))}


@contextmanager
def own_kernel(folder: Path) -> Iterator[None]:
    """Let kernels of this process run this interpreter, with their connection files in `folder`."""
    runtime = folder / "runtime"
    runtime.mkdir()
    # with IPython's own settings, not with what the user's profile runs at start-up
    own = {"JUPYTER_RUNTIME_DIR": str(runtime), "IPYTHONDIR": str(folder / "ipython")}
    changed = {**kernel_environment(folder), **own}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
