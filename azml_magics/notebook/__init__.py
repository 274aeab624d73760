"""The notebook front end: magics, completion, display. IPython is imported only here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .magics import AzureMLMagics

_NAME = "AzureMLMagics"


def load(ipython: InteractiveShell) -> AzureMLMagics:
    """Register the magics in `ipython` and return them. Loading twice unloads first."""
    from . import completion, publishing, startup, trailing_question
    from .magics import AzureMLMagics

    unload(ipython)
    magics = AzureMLMagics(shell=ipython)
    ipython.register_magics(magics)
    publishing.install(ipython, magics.unshown.note_shown)
    magics.unshown.install(ipython)
    completion.install(magics.context)
    trailing_question.install(ipython)
    startup.load(magics.context, magics)
    return magics


def unload(ipython: InteractiveShell) -> None:
    """Remove everything that `load` and the magics since then have put into `ipython` and this process."""
    manager: Any = ipython.magics_manager
    magics = manager.registry.pop(_NAME, None)
    if magics is None:
        return
    from . import publishing, trailing_question

    for kind in ("line", "cell"):
        manager.magics[kind].pop("azureml", None)
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)
    magics.unshown.uninstall(ipython)
    publishing.uninstall(ipython)
    trailing_question.uninstall(ipython)
    magics.close()


def side_panel() -> None:
    """Load the extension if needed, and show the panel of this process: what JupyterLab's side panel runs.

    Raises:
        RuntimeError: This process is not a notebook's kernel.
    """
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    from .commands import panel

    ipython = get_ipython()
    if ipython is None:
        raise RuntimeError("side_panel() is for a notebook's kernel")
    if _NAME not in ipython.magics_manager.registry:
        load(ipython)
    magics = ipython.magics_manager.registry[_NAME]
    display(panel.open_panel(magics.context))  # type: ignore[no-untyped-call,unused-ignore]  # typed later
