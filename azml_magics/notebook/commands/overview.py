"""%azureml help, version and doctor."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from azml_magics.display.text_output import TextOutput

from .. import help_text

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import HelpOptions

_PACKAGES = ("azml-magics", "ipython", "ipykernel", "ipywidgets", "langchain-core", "httpx", "traitlets")


def show_help(_context: NotebookContext, options: HelpOptions) -> TextOutput:
    """Return the overview, or the help of one verb, or the list of formatters."""
    return TextOutput(help_text.verb_help(options.topic or ""))


def version(_context: NotebookContext) -> TextOutput:
    """Return the versions of this package, of Python, and of the packages it uses."""
    installed = {d.name.lower(): d.version for d in metadata.distributions() if d.name}
    own, *others = [f"{package} {installed.get(package, 'is not installed')}" for package in _PACKAGES]
    lines = [own, f"Python {platform.python_version()}", *others]
    return TextOutput("\n".join(lines))


def show_report(context: NotebookContext) -> TextOutput:
    """Return what a bug report needs of the kernel's environment, with the session's configs and without keys."""
    from azml_magics.doctor import examine

    session = context.session
    return TextOutput(examine(map(session.get, session.names())).to_text())
