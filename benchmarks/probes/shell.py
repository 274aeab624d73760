"""A started InteractiveShell that believes itself in a notebook: displays are published, and counted, not printed."""

from __future__ import annotations

from typing import Any


def shell_up() -> Any:
    """The shell. asyncio is imported, as in every kernel; nothing goes into the person's history."""
    import asyncio  # noqa: F401 - so that no contender pays for it

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
