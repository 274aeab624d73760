"""An InteractiveShell set up as in a notebook: displays are published, and counted, not printed."""

from __future__ import annotations

from typing import Any


def start_shell() -> Any:
    """Start the shell. asyncio is imported, as in every kernel; nothing is written to the user's history."""
    import asyncio  # noqa: F401 - so that its import is not measured

    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    quiet = Config()
    quiet.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=quiet)
    shell.kernel = None
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    shell.run_cell("1")
    return shell
