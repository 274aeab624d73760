"""The command that installs an extra of this package, or another package, the way this package was installed.

PEP 610's direct_url.json says where an installed package came from; the file INSTALLER beside it says which tool
installed it. A package on no index cannot be installed by its name alone.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "azml-magics"
_ROOT = Path(__file__).parents[2]  # the folder of pyproject.toml, if this is a source tree
_PLAIN = re.compile(r"[\w./:@+-]+")  # what no shell changes


def install_command(extra: str) -> str:
    """Return the command that installs an extra, such as `pip install -e "/home/ada/azml-magics[azure]"`.

    Args:
        extra: A name under [project.optional-dependencies], such as "azure".
    """
    found = _distribution()
    if found is None:
        source_tree = f"-e {_quote(f'{_ROOT}[{extra}]')}" if (_ROOT / "pyproject.toml").is_file() else ""
        return f"pip install {source_tree or _quote(f'{NAME}[{extra}]')}"
    needed = _requirements(found, extra)
    if _installer(found) == "conda":  # it knows no extras, and %conda loses the quotes that a version needs
        return package_command(*(re.split(r"[^\w.-]", requirement)[0] for requirement in needed))
    source = _source(found, extra)
    return f"{_install(found)} {source}" if source else package_command(*needed)


def package_command(*requirements: str) -> str:
    """Return the command that installs other packages beside this one, such as `pip install pandas`.

    Args:
        *requirements: Names of packages, or names with a version or an extra.
    """
    return " ".join((_install(_distribution()), *map(_quote, requirements)))


def pip_command(*arguments: str) -> str:
    """Return the command of pip, or uv, that installs packages which are on PyPI only; a conda environment has pip too.

    Args:
        *arguments: Names of packages, and options such as --no-deps.
    """
    found = _distribution()
    tool = _install(found) if _installer_of(found) != "conda" else "pip install"
    return " ".join((tool, *map(_quote, arguments)))


def upgrade_advice() -> str:
    """Return the sentence that says how to get a later version of this package."""
    found = _distribution()
    origin = _origin(found) if found else {}
    if found is None or (origin and "vcs_info" not in origin):
        return f"Upgrade {NAME}."  # a folder or a file: only its owner knows where the later one is
    if _installer(found) == "conda":
        return f"Upgrade with conda update {NAME}."
    url = _source(found, "", pinned=False) if origin else NAME
    return f"Upgrade with {_install(found)} -U {url}."


def _distribution() -> Distribution | None:
    from importlib import metadata

    try:
        return metadata.distribution(NAME)
    except metadata.PackageNotFoundError:  # a source tree on the path
        return None


def _installer(found: Distribution) -> str:
    """The tool that installed the package: "conda", "uv" or "pip", which stands for every other."""
    written = (found.read_text("INSTALLER") or "").strip().lower()
    return next((tool for tool in ("conda", "uv") if written.startswith(tool)), "pip")


def _installer_of(found: Distribution | None) -> str:
    return _installer(found) if found else "pip"


def _install(found: Distribution | None) -> str:
    tool = _installer_of(found)
    if tool == "uv":  # it would take the nearest .venv instead of this interpreter's environment
        return f"uv pip install --python {_quote(sys.executable)}"
    return "conda install -c conda-forge" if tool == "conda" else "pip install"


def _origin(found: Distribution) -> dict[str, Any]:
    """The content of direct_url.json; empty for a package from an index, or if the file is damaged."""
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) and isinstance(origin.get("url"), str) else {}


def _source(found: Distribution, extra: str, *, pinned: bool = True) -> str:
    """Where the package came from, with an extra, as an argument of `pip install`; "" if it is not there any more."""
    origin = _origin(found)
    url = str(origin.get("url", ""))
    extras = f"[{extra}]" if extra else ""
    if url.startswith("file:") and "vcs_info" not in origin:
        path = _path(url)
        if not path or not path.exists():
            return ""
        editable = "-e " if _table(origin, "dir_info").get("editable") else ""
        return f"{editable}{_quote(f'{path}{extras}')}"
    url = _public_url(url)
    if not url:
        return ""
    version_control = _table(origin, "vcs_info")
    if version_control:
        revision = version_control.get("commit_id" if pinned else "requested_revision", "")
        url = f"{version_control.get('vcs', 'git')}+{url}{f'@{revision}' if revision else ''}"
    subdirectory = origin.get("subdirectory", "")
    return _quote(f"{NAME}{extras} @ {url}{f'#subdirectory={subdirectory}' if subdirectory else ''}")


def _table(origin: dict[str, Any], name: str) -> dict[str, Any]:
    value = origin.get(name)
    return value if isinstance(value, dict) else {}


def _path(url: str) -> Path | None:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return Path(url2pathname(f"//{parts.netloc}{parts.path}" if parts.netloc else parts.path))


def _public_url(url: str) -> str:
    """The URL without a user and password; "" for one with a query, which may be a signature."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    user, _, host = parts.netloc.rpartition("@")
    return "" if parts.query else parts._replace(netloc=f"git@{host}" if user == "git" else host, fragment="").geturl()


def _requirements(found: Distribution, extra: str) -> list[str]:
    """What the package's metadata requires for an extra, without markers."""
    marked = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    split = [requirement.partition(";") for requirement in found.requires or ()]
    return [needed.strip() for needed, _, marker in split if marked.search(marker)] or [f"{NAME}[{extra}]"]


def _quote(argument: str) -> str:
    """An argument in double quotes, which every shell reads; as POSIX shells need it if it has their characters."""
    if _PLAIN.fullmatch(argument):
        return argument
    return shlex.quote(argument) if os.name != "nt" and re.search(r'["$`\\!]', argument) else f'"{argument}"'
