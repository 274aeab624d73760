"""A kernel whose IPython or ipykernel is older than what the magics need: one line with the command that helps."""

from __future__ import annotations

import re
import sys
from importlib import metadata

from azml_magics.core.errors import ConfigError
from azml_magics.core.install_hint import package_command

# The bounds of pyproject.toml. A kernel may be older: it was started before the upgrade, as on Colab.
_OLDEST = {"IPython": (8, 12), "ipykernel": (6, 29)}
_REFUSED = {"IPython"}  # without its interface the magics cannot be registered; an old ipykernel only streams worse


def check_kernel() -> str:
    """Return a warning in one line, or "" if this kernel is new enough.

    Raises:
        ConfigError: IPython is too old to load the magics.
    """
    for name, oldest in _OLDEST.items():
        running = str(getattr(sys.modules.get(name), "__version__", ""))
        if not running or _numbers(running) >= oldest:
            continue
        needed = ".".join(map(str, oldest))
        problem = f"This kernel runs {name} {running}, and azml-magics needs {needed} or later"
        remedy = _remedy(name, oldest)
        if name in _REFUSED:
            raise ConfigError(problem, remedy=remedy)
        return f"{problem}. {remedy}"
    return ""


def _remedy(name: str, oldest: tuple[int, int]) -> str:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        installed = ""
    if _numbers(installed) >= oldest:
        return f"Restart the kernel: {name} {installed} is installed."
    needed = (f"{package.lower()}>={version[0]}.{version[1]}" for package, version in _OLDEST.items())
    return f"Run {package_command('--upgrade', *needed)}, then restart the kernel."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
