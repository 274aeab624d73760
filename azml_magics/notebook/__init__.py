"""The notebook front end: magics, completion, display. IPython is imported only here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

    from .context import NotebookState
    from .magics import AzureMLMagics

_NAME = "AzureMLMagics"


def load(ipython: InteractiveShell) -> AzureMLMagics:
    """Register the magics in `ipython` and return them. Loading twice reloads: the session stays.

    Raises:
        ConfigError: The kernel's IPython is too old.
    """
    from .old_kernel import check_kernel

    if warning := check_kernel():
        print(warning, file=sys.stderr)  # noqa: T201 - as IPython's own warnings
    from . import completion, publishing, startup, trailing_question
    from .magics import AzureMLMagics

    state = unload(ipython, is_reload=True) or _left_by_reload.pop("state", None)
    startup.drop_invalid_settings(ipython.config, AzureMLMagics)
    magics = AzureMLMagics(shell=ipython, state=state)
    ipython.register_magics(magics)
    publishing.install(ipython, magics.unshown.note_shown, lambda: magics.context.settings.save_details)
    magics.unshown.install(ipython)
    completion.install(magics.context)
    trailing_question.install(ipython)
    startup.load(magics.context, magics)
    return magics


_left_by_reload: dict[str, NotebookState] = {}  # between the two halves of %reload_ext


def unload(ipython: InteractiveShell, *, is_reload: bool | None = None) -> NotebookState | None:
    """Remove everything that `load` and the magics since then have put into `ipython` and this process.

    Args:
        ipython: The shell.
        is_reload: Whether the extension is loaded again at once, so that the session stays; by default, whether
            %reload_ext is what calls.

    Returns:
        The state of the magics for the ones after them; None if there are no magics.
    """
    manager: Any = ipython.magics_manager
    magics = manager.registry.pop(_NAME, None)
    if magics is None:
        return None
    from . import publishing, trailing_question

    if is_reload is None and _is_reload_ext():
        is_reload = True
        _left_by_reload["state"] = magics.context.state
    for kind in ("line", "cell"):
        manager.magics[kind].pop("azureml", None)
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)
    magics.unshown.uninstall(ipython)
    publishing.uninstall(ipython)
    trailing_question.uninstall(ipython)
    magics.close(is_reload=bool(is_reload))
    state: NotebookState = magics.context.state
    return state


def _is_reload_ext() -> bool:
    """Whether IPython is reloading an extension: it unloads it and loads it again, and says so to neither."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, for lack of another way
    while frame is not None:
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) == ("IPython.core.extensions", "reload_extension"):
            return True
        frame = frame.f_back
    return False


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
