"""What puts the JupyterLab extension into the wheel and the sdist: it is built here, where that can be done.

AZML_LABEXTENSION says what happens where it cannot: "auto", the default, leaves it out with a warning; "require" ends
the build, for CI and releases. "skip" never builds it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE = "share/jupyter/labextensions/azml-magics"
INPUTS = ("package.json", "yarn.lock", ".yarnrc.yml", "tsconfig.json", "src", "style", "schema")
MODES = ("auto", "require", "skip")


class NotBuilt(Exception):
    """The extension cannot be built here; the message says why, and what would help."""


class ReadmeHook(MetadataHookInterface):
    """Makes the README's links absolute: a package index shows it, and has neither its pictures nor its other pages."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the readme in the package's metadata."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        pictures = f"{source.replace('github.com', 'raw.githubusercontent.com')}/main/"
        text = re.sub(r'(src(?:set)?=")(?!https?:)', rf"\g<1>{pictures}", text)
        text = re.sub(r"(\]\()(?!https?:|#)", rf"\g<1>{source}/blob/main/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class LabExtensionHook(BuildHookInterface):
    """Builds labextension/ into azml_magics/labextension, and ships that as Jupyter's shared data."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Add the built extension to what is packed; NotBuilt where it is required and cannot be had."""
        mode = os.environ.get("AZML_LABEXTENSION") or "auto"
        if mode not in MODES:
            raise ValueError(f"AZML_LABEXTENSION is one of {', '.join(MODES)}, not {mode!r}")
        if mode == "skip":
            return
        source = Path(self.root, "labextension")
        built = Path(self.root, "azml_magics", "labextension")
        try:
            self._build(source, built)
        except NotBuilt as error:
            if mode == "require":
                raise
            self.app.display_warning(
                f"azml-magics is installed without its JupyterLab extension: {error} All else works; "
                "magics, LangChain classes and %azureml panel do not need it."
            )
            return
        if self.target_name == "wheel":  # the editable one, too
            build_data["shared_data"][str(built)] = SHARE
            build_data["shared_data"][str(source / "install.json")] = f"{SHARE}/install.json"
        else:
            build_data["artifacts"].append("/azml_magics/labextension")

    def _build(self, source: Path, built: Path) -> None:
        """Build, unless what is there was made of the same inputs: an sdist is built without Node.js."""
        stamp = built / "inputs.sha256"
        digest = _digest(source)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
            return
        if shutil.which("node") is None:
            raise NotBuilt("Node.js is not on the PATH. Install Node.js 20.19 or later and install again.")
        # jlpm and jupyter-builder are in this environment, activated or not
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")])
        jlpm = shutil.which("jlpm", path=path)
        if jlpm is None:
            raise NotBuilt("jlpm is not on the PATH. Run: pip install jupyter-builder.")
        self.app.display_info("Building the JupyterLab extension: a minute or two, the first time")
        shutil.rmtree(built, ignore_errors=True)
        environment = {**os.environ, **_registry(), "PATH": path}
        for arguments in (["install", "--immutable"], ["run", "build:prod"]):
            _run([jlpm, *arguments], source, environment)
        stamp.write_text(digest, encoding="utf-8")


def _registry() -> dict[str, str]:
    """The registry that npm is set up for, as yarn is told of it: a mirror is seldom set up for both."""
    npm = shutil.which("npm")
    if npm is None or "YARN_NPM_REGISTRY_SERVER" in os.environ:
        return {}
    asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)  # noqa: S603 - npm, as found
    address = asked.stdout.strip()
    return {"YARN_NPM_REGISTRY_SERVER": address} if asked.returncode == 0 and "://" in address else {}


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    try:
        subprocess.run(command, cwd=folder, env=environment, check=True)  # noqa: S603 - jlpm, as found
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotBuilt(f"jlpm {' '.join(command[1:])} failed; its output is above.") from error


def _digest(source: Path) -> str:
    """A digest of everything that the built extension is made of, the same on every system."""
    total = hashlib.sha256()
    for path in _inputs(source):
        total.update(path.relative_to(source).as_posix().encode() + b"\0")
        total.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()


def _inputs(source: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = source / name
        yield from sorted(inside for inside in path.rglob("*") if inside.is_file()) if path.is_dir() else [path]
