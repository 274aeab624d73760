"""`--thread ID`: the thread in which an agent goes on, or the session of a chain that keeps its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.runnables.recognition import bound_configurable, find_graph, keeps_threads

from . import option_values

if TYPE_CHECKING:
    from .context import NotebookContext
    from .parsed_options import CellOptions

_THREAD, _SESSION = "thread_id", "session_id"


def make_config(context: NotebookContext, options: CellOptions, runnable: Any) -> dict[str, Any] | None:
    """Return the config of a call that --thread makes; None without one.

    Args:
        context: The notebook.
        options: The line of the cell.
        runnable: An agent, or another Runnable that is no model.

    Raises:
        UsageError: The object keeps no threads; or it does, and there is no --thread.
    """
    name = str(options.config)
    key = _key_of(runnable)
    if key and options.conversation:
        raise UsageError(f"{name} keeps its messages by thread, and -c would send them twice", remedy="Leave out -c.")
    if options.thread is None:
        if key and key not in bound_configurable(runnable):
            raise UsageError(f"{name} keeps what was said by thread", remedy="Name one: --thread 1.")
        return None
    if key is None:
        raise UsageError(f"--thread is for what keeps threads, and {name} keeps none", remedy=_remedy(runnable))
    thread = option_values.read_text(context, options.thread, "--thread")
    return {"configurable": {key: thread}}


def _key_of(runnable: Any) -> str | None:
    """The name of the id under which an object keeps what was said; None if it keeps nothing."""
    if find_graph(runnable) is not None:
        return _THREAD if keeps_threads(runnable) else None
    keys = {getattr(spec, "id", None) for spec in getattr(runnable, "config_specs", ())}
    return next((key for key in (_THREAD, _SESSION) if key in keys), None)


def _remedy(runnable: Any) -> str:
    if find_graph(runnable) is not None:
        return "Make it with checkpointer=InMemorySaver(), or leave out --thread."
    return "Leave it out."
