"""Versions of Python and of the packages around azml-magics; those that are too old are problems."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib import metadata

from azml_magics.core.browser import IS_BROWSER
from azml_magics.core.install_hint import package_command
from azml_magics.core.version import __version__

from .report import Fact, shorten_home

OLDEST = {
    "ipython": ("8.12", "the magics need it"),
    "ipykernel": ("6.29", "cells stream and stop reliably with it"),
    "ipywidgets": ("8.0.5", "the panel needs it"),
    "jupyterlab": ("4.2", "the JupyterLab extension needs it"),
    "notebook": ("7.2", "the JupyterLab extension needs it"),
    "jupyterlab-widgets": ("3.0.5", "JupyterLab draws the panel with it"),
    "langchain-core": ("0.3.30", "the LangChain classes need it"),
    "httpx": ("0.27", "requests are sent with it"),
}
"""Package -> the oldest version that works, and why. What is missing is not a problem: it may be elsewhere."""
_FURTHER = (
    "jupyter-server",
    "traitlets",
    "truststore",
    "pydantic",
    "azure-identity",
    "keyring",
    "pandas",
    "mlflow",
    "opentelemetry-sdk",
)
# What sets a variable of its own, and so tells where a kernel runs
_HOSTS = {
    "COLAB_RELEASE_TAG": "Google Colab",
    "DATABRICKS_RUNTIME_VERSION": "Databricks",
    "AZUREML_RUN_ID": "an Azure ML job",
    "CODESPACES": "GitHub Codespaces",
    "VSCODE_PID": "VS Code",
    "JPY_SESSION_NAME": "a Jupyter server",
}


def find_platform() -> list[Fact]:
    """Return the versions of this package and of Python, and where they run."""
    hosts = [name for variable, name in _HOSTS.items() if os.environ.get(variable)]
    where = "a Jupyter kernel" if "ipykernel" in sys.modules else "IPython" if "IPython" in sys.modules else "a program"
    return [
        Fact("azml-magics", __version__),
        Fact("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        Fact("interpreter", shorten_home(sys.executable)),
        Fact("system", platform.platform()),
        Fact("runs in", ", ".join([where, *hosts])),
    ]


def find_packages() -> list[Fact]:
    """Return the version of each package; a problem for one that is too old."""
    return [_package(name) for name in (*OLDEST, *_FURTHER)]


def installed_version(package: str) -> str:
    """Return the version of an installed package; "" if it is not installed."""
    try:
        return metadata.version(package) or ""
    except metadata.PackageNotFoundError:
        return ""


def is_older(version: str, bound: str) -> bool:
    """Return whether a version comes before another; suffixes such as rc1 do not count."""
    return _release(version) < _release(bound)


def _release(version: str) -> tuple[int, ...]:
    numbers = re.match(r"(?:\d+!)?(\d+(?:\.\d+)*)", version)
    parts = [int(part) for part in numbers[1].split(".")] if numbers else []
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _package(name: str) -> Fact:
    version = installed_version(name)
    if not version:
        return Fact(name, "not installed")
    is_stand_in = IS_BROWSER and name == "ipykernel"  # Pyodide's kernel, with a version of its own
    bound, reason = ("", "") if is_stand_in else OLDEST.get(name, ("", ""))
    if not bound or not is_older(version, bound):
        return Fact(name, version)
    return Fact(
        name,
        f"{version}, too old",
        f"{name} {version} is too old: {reason} in version {bound} or later.",
        package_command(f"{name}>={bound}"),
    )
