"""Jupyter: the extension of JupyterLab, the widgets' one, and the kernels, in the folders that Jupyter reads."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from azml_magics.core.install_hint import install_command
from azml_magics.core.version import __version__

from .report import Fact, shorten_home
from .versions import installed_version

EXTENSION = "azml-magics"
WIDGETS = "@jupyter-widgets/jupyterlab-manager"
_INSTALL_WIDGETS = "jupyterlab_widgets>=3.0.5"


def examine_jupyter() -> list[Fact]:
    """Return what Jupyter finds of this package: two extensions, and the kernels."""
    return [examine_extension(), _widgets_extension(), *_kernels()]


def examine_extension() -> Fact:
    """Return whether JupyterLab finds this package's extension, enabled and in this version."""
    found = _find_extension(EXTENSION)
    name = "JupyterLab extension"
    if found is None:
        if not installed_version("jupyterlab"):
            return Fact(name, "not in this environment, and neither is JupyterLab")
        return Fact(
            name,
            "not installed",
            "JupyterLab shows no side panel and no response viewer: azml-magics was built without its extension, "
            "because Node.js was missing or its packages could not be fetched.",
            f"Install Node.js 20.19 or later, then run {install_command('lab')} -v",
        )
    folder, version = found
    place = f"{version or 'of an unknown version'} in {shorten_home(folder)}"
    if disabled := _disabled_names(EXTENSION):
        return Fact(
            name,
            f"{place}, disabled: {', '.join(disabled)}",
            "The JupyterLab extension is disabled.",
            f"jupyter labextension enable {' '.join(disabled)}",
        )
    if version != __version__:
        return Fact(
            name,
            place,
            f"The JupyterLab extension has version {version or 'unknown'}, and azml-magics {__version__}.",
            install_command("lab"),
        )
    return Fact(name, f"{place}, enabled")


def _widgets_extension() -> Fact:
    name = "widgets extension"
    found = _find_extension(WIDGETS)
    if found is None:
        return Fact(name, "not found here; JupyterLab needs it to draw the panel")
    folder, version = found
    place = f"{version} in {shorten_home(folder)}"
    if disabled := _disabled_names(WIDGETS):
        return Fact(
            name,
            f"{place}, disabled",
            "The extension that draws widgets is disabled: the panel stays empty.",
            f"jupyter labextension enable {' '.join(disabled)}",
        )
    return Fact(name, f"{place}, enabled")


def _find_extension(name: str) -> tuple[Path, str] | None:
    """The folder and version of the extension that JupyterLab loads; None if there is none."""
    for folder in _data_folders():
        package = folder / "labextensions" / name / "package.json"
        if package.is_file():
            return package.parent, str(_read_json(package).get("version", ""))
    return None


def _disabled_names(extension: str) -> list[str]:
    """What is disabled of an extension: itself, or some of its plugins."""
    disabled: dict[str, bool] = {}
    for path in _page_configs():
        named = _read_json(path).get("disabledExtensions", {})
        disabled |= dict.fromkeys(named, True) if isinstance(named, list) else named if isinstance(named, dict) else {}
    return [
        name for name, is_off in disabled.items() if is_off and (name == extension or name.startswith(f"{extension}:"))
    ]


def _page_configs() -> list[Path]:
    """The files in which extensions are disabled, those that win last."""
    application = Path(sys.prefix, "share", "jupyter", "lab", "settings", "page_config.json")
    return [application, *(folder / "labconfig" / "page_config.json" for folder in reversed(_config_folders()))]


def _kernels() -> list[Fact]:
    """The installed kernels and the Python of each: azml-magics has to be installed there."""
    seen: dict[str, Fact] = {}
    for folder in _data_folders():
        for spec in _specs_in(folder / "kernels"):
            seen.setdefault(spec.parent.name, _kernel(spec))
    if seen:
        return list(seen.values())
    if installed_version("ipykernel"):
        return [Fact("kernel python3", "this Python; JupyterLab of this environment offers it by itself")]
    return [Fact("kernels", "none: notebooks cannot use this Python without ipykernel")]


def _specs_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*/kernel.json"))
    except OSError:
        return []


def _kernel(spec: Path) -> Fact:
    name = f"kernel {spec.parent.name}"
    command = _read_json(spec).get("argv")
    program = str(command[0]) if isinstance(command, list) and command else ""
    if not program:
        return Fact(name, f"{shorten_home(spec)} cannot be read")
    if not Path(program).is_absolute():
        return Fact(name, f"{program}, from the PATH of the Jupyter server")
    if not Path(program).exists():
        return Fact(
            name,
            f"{shorten_home(program)}, which does not exist",
            f"The {name} starts {shorten_home(program)}, which does not exist.",
            f"jupyter kernelspec remove {spec.parent.name}",
        )
    return Fact(name, f"{shorten_home(program)}{', this Python' if _is_this_python(program) else ''}")


def _is_this_python(program: str) -> bool:
    """Whether it is an interpreter of this environment: python and python3 are the same one."""
    return Path(program).parent == Path(sys.executable).parent


def _data_folders() -> list[Path]:
    """The folders of Jupyter's data, the first of which wins: those of jupyter_core, or the environment's own."""
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:  # the base installation does not have it
        return [Path(sys.prefix, "share", "jupyter")]
    return _readable(jupyter_path())


def _config_folders() -> list[Path]:
    try:
        from jupyter_core.paths import jupyter_config_path
    except ImportError:
        return [Path(sys.prefix, "etc", "jupyter")]
    return _readable(jupyter_config_path())


def _readable(folders: list[str]) -> list[Path]:
    return [Path(folder) for folder in folders if os.access(folder, os.R_OK)]


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty if there is none, or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
