"""The text of a response while it arrives: in a notebook's output, or on a terminal.

Before the text come what the request waits for ("429: waiting 12 s, try 2 of 3"), the model's thoughts, and the tools
that it calls.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from ..core.text import one_line, printable
from .live import LiveDisplay
from .markdown import make_inert
from .reasoning import fold_reasoning, growing_reasoning, inert_html
from .tool_runs import fold_run, format_call, format_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.http.waiting import Waiting
    from ..core.response import Response, ToolRun
    from .live import OutputArea

_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"


class LiveText(Protocol):
    """The text of a response while it arrives."""

    def add(self, text: str) -> None:
        """Show more text."""

    def replace(self, text: str) -> None:
        """Show `text` in place of the text so far: an object that grows."""

    def add_reasoning(self, text: str) -> None:
        """Show more of the model's thoughts."""

    def retract(self) -> None:
        """Take the text so far for thoughts: their end came without a beginning."""

    def show_tool_run(self, run: ToolRun) -> None:
        """Show that a tool begins to run or, if `run` has a result, that it has ended; the text goes on below."""

    def wait(self, waiting: Waiting | None) -> None:
        """Show what the request waits for; None: it does not wait any more."""

    def finish(self, response: Response) -> None:
        """Give way to the whole response, which becomes the cell's result."""

    def keep(self) -> None:
        """Leave the text so far on the screen: the response ended early."""


class NotebookText:
    """A LiveText as Markdown in a LiveDisplay.

    Args:
        area: Where the output appears.
        show_reasoning: How the thoughts are shown: "folded" once the text begins, "open" or "hidden".
    """

    def __init__(self, area: OutputArea, show_reasoning: str = "folded") -> None:
        self._display = LiveDisplay(area)
        self._show_reasoning = show_reasoning
        self._reasoning = self._text = ""
        self._steps: list[str | ToolRun] = []  # texts and calls of tools above the text

    def add(self, text: str) -> None:
        """Show more text, now or with the next update."""
        self.replace(self._text + text)

    def replace(self, text: str) -> None:
        """Show `text` in place of the text so far."""
        self._text = text
        if text:
            self._display.update(self._bundle)

    def add_reasoning(self, text: str) -> None:
        """Show more of the thoughts, now or with the next update."""
        self._reasoning += text
        if self._show_reasoning != "hidden" and self._reasoning.strip():
            self._display.update(self._bundle)

    def retract(self) -> None:
        """Move the text so far to the thoughts, with the next update."""
        self._reasoning, self._text = self._reasoning + self._text, ""

    def show_tool_run(self, run: ToolRun) -> None:
        """Show a call above the text, now; a call that has ended takes the place of the same one that began."""
        if self._text:
            self._steps.append(self._text)
            self._text = ""
        if self._reasoning and not self._reasoning.endswith("\n\n"):
            self._reasoning += "\n\n"
        same = [at for at, each in enumerate(self._steps) if isinstance(each, type(run)) and each.id == run.id]
        if run.result is not None and same:
            self._steps[same[-1]] = run
        else:
            self._steps.append(run)
        self._display.update_now(self._bundle())

    def wait(self, waiting: Waiting | None) -> None:
        """Show a line about a wait; it disappears when the wait is over."""
        if waiting is not None:
            line = one_line(str(waiting))
            self._display.update_now({"text/plain": line, "text/markdown": f"*{inert_html(line)}*"})
        elif self._steps:
            self._display.update_now(self._bundle())
        elif not self._text and not self._reasoning:
            self._display.clear()

    def finish(self, response: Response) -> None:  # noqa: ARG002 - what LiveText has; the result shows it
        """Leave the display empty: the response becomes the cell's result."""
        self._display.clear()

    def keep(self) -> None:
        """Leave the text so far as an output that stays."""
        if self._text or self._steps or (self._reasoning.strip() and self._show_reasoning != "hidden"):
            self._display.keep(self._bundle())
        else:
            self._display.clear()

    def _bundle(self) -> dict[str, str]:
        text = printable(self._text)
        parts = [self._thoughts(), *map(_step_markdown, self._steps), make_inert(text)]
        lines = [printable(step if isinstance(step, str) else format_run(step)) for step in self._steps]
        return {
            "text/plain": "\n".join([*lines, *([text] if text or not lines else [])]),
            "text/markdown": "\n\n".join(part for part in parts if part),
        }

    def _thoughts(self) -> str:
        if self._show_reasoning == "hidden":
            return ""
        if not self._text and not self._steps:
            return growing_reasoning(self._reasoning)
        return fold_reasoning(self._reasoning, is_open=self._show_reasoning == "open")


def _step_markdown(step: str | ToolRun) -> str:
    return make_inert(printable(step)) if isinstance(step, str) else fold_run(step)


class TerminalText:
    """A LiveText on standard output, each piece written once. Text that is replaced is written when it is whole.

    Args:
        on_finish: Called with the response once its text is on the screen.
        show_reasoning: Thoughts are written, in a dim font on a terminal, only if it is "open".
    """

    def __init__(self, on_finish: Callable[[Response], None] | None = None, show_reasoning: str = "folded") -> None:
        self._on_finish = on_finish
        self._show_reasoning = show_reasoning
        self._unwritten = ""
        self._is_empty = True
        self._has_reasoning = False
        self._waiting_line = ""

    def add(self, text: str) -> None:
        """Write more text now."""
        self._unwritten += text
        self._write()

    def replace(self, text: str) -> None:
        """Write `text` at the end, unless another one replaces it."""
        self._unwritten = text

    def add_reasoning(self, text: str) -> None:
        """Write more of the thoughts now, if they are shown."""
        if self._show_reasoning == "open":
            self._has_reasoning = True
            dim, normal = (_DIM, _NORMAL) if sys.stdout.isatty() else ("", "")
            sys.stdout.write(f"{dim}{printable(text)}{normal}")
            sys.stdout.flush()

    def retract(self) -> None:
        """Separate what is written, which cannot be unwritten, from the text that follows."""
        self._has_reasoning = self._has_reasoning or not self._is_empty
        self._is_empty = True

    def show_tool_run(self, run: ToolRun) -> None:
        """Write a line when a tool begins, and one with its result when it has ended."""
        self._write()
        line = format_call(run) if run.result is None else f"  {format_run(run).removeprefix(format_call(run)).strip()}"
        dim, normal = (_DIM, _NORMAL) if sys.stdout.isatty() else ("", "")
        gap = "" if self._is_empty and not self._has_reasoning else "\n"
        sys.stdout.write(f"{gap}{dim}{printable(line)}{normal}\n")
        sys.stdout.flush()
        self._is_empty, self._has_reasoning = True, False

    def wait(self, waiting: Waiting | None) -> None:
        """Write a line about a wait to standard error; a terminal removes it when the wait is over."""
        moves = sys.stderr.isatty()
        if waiting is not None:
            self._waiting_line = f"azureml: {one_line(str(waiting))}"
            sys.stderr.write(f"\r{self._waiting_line}" if moves else f"{self._waiting_line}\n")
        elif moves and self._waiting_line:
            sys.stderr.write(f"\r{'':<{len(self._waiting_line)}}\r")
            self._waiting_line = ""
        sys.stderr.flush()

    def finish(self, response: Response) -> None:
        """Write the rest, and end the line."""
        self._write()
        sys.stdout.write("\n")
        if self._on_finish is not None:
            self._on_finish(response)

    def keep(self) -> None:
        """Write the rest; end the line if there is any text."""
        self._write()
        sys.stdout.write("" if self._is_empty and not self._has_reasoning else "\n")

    def _write(self) -> None:
        if self._unwritten and self._is_empty and self._has_reasoning:
            sys.stdout.write("\n\n")  # between the thoughts and the text
        self._is_empty = self._is_empty and not self._unwritten
        sys.stdout.write(printable(self._unwritten))
        sys.stdout.flush()
        self._unwritten = ""
