"""The tools of a cell: the functions of --tool, its limits, and the question before each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import UsageError
from azml_magics.core.tools.toolset import MAX_STEPS, TIMEOUT, Toolset
from azml_magics.display.tool_runs import format_call

from . import publishing

if TYPE_CHECKING:
    from azml_magics.core.response import ToolRun

    from .context import NotebookContext
    from .parsed_options import CellOptions

_LONGEST_CALL = 1_000  # characters of a call that are shown with the question
_YES, _ALL, _NO = ("y", "yes"), ("a", "all"), ("n", "no", "")


def load_toolset(context: NotebookContext, options: CellOptions) -> Toolset | None:
    """Return the tools of --tool with the rules of the line; None without --tool.

    Raises:
        UsageError: A variable does not exist or is not a tool, or calls cannot be approved here.
    """
    if not options.tool:
        return None
    toolset = Toolset(
        [_find_tool(context, word) for word in options.tool],
        max_steps=MAX_STEPS if options.max_steps is None else options.max_steps,
        timeout=TIMEOUT if options.tool_timeout is None else options.tool_timeout,
        approve=None if options.auto else Approval(context),
    )
    for tool in toolset.known.values():
        if tool.untyped:
            publishing.print_line(
                f"{tool.name} has no type hints for {', '.join(tool.untyped)}: the model is told the names alone."
            )
    return toolset


def _find_tool(context: NotebookContext, word: str) -> object:
    if not word.startswith("$"):
        raise UsageError(f"--tool takes a variable, not {word!r}", remedy=f"Write --tool ${word}.")
    return context.variable(word)


class Approval:
    """Asks before a function runs. "all" allows the other calls of the cell, too.

    Args:
        context: The notebook.

    Raises:
        UsageError: Nothing can be typed here.
    """

    def __init__(self, context: NotebookContext) -> None:
        if getattr(getattr(context.shell, "kernel", None), "_allow_stdin", True) is False:
            raise _cannot_ask()
        self._allows_all = False

    def __call__(self, call: ToolRun) -> bool:
        """Return whether the call may run."""
        while not self._allows_all:
            answer = _ask(f"Run {format_call(call, _LONGEST_CALL)}? [y]es, [n]o, [a]ll: ")
            if answer in _YES:
                return True
            if answer in _NO:
                return False
            self._allows_all = answer in _ALL
        return True


def _ask(question: str) -> str:
    try:
        return input(question).strip().lower()
    except Exception:  # noqa: BLE001 - EOFError in a script, ipykernel's StdinNotImplementedError under "Run all"
        raise _cannot_ask() from None


def _cannot_ask() -> UsageError:
    return UsageError(
        "This notebook takes no input, so the functions of --tool cannot be approved",
        remedy="Add --auto to run them without asking.",
    )
