"""How things look: a Response's mime bundle, an answer while it streams, tables and notes.

nbval ignores display updates and compares a display's first payload with its last: a streaming display begins and
ends empty, and the lasting output is the cell's result. Times and ids go into metadata, which nbval skips.
"""

from __future__ import annotations

import html
import json
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.compare.comparison import Batch
from azml_magics.core.prompt import extract
from azml_magics.core.response import Response
from azml_magics.display.markdown import fenced, inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from azml_magics.core.errors import AzmlError

RESPONSE_MIME = "application/vnd.azml.response.v1+json"
_FRAME = 0.05  # seconds: at most 20 updates a second
EMPTY = {"text/plain": ""}
_streamed: list[tuple[str, Any, int]] = []  # what a terminal has shown token by token: text, shell, cell's number
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no message to a frontend can carry
_ERROR = (  # JupyterLab breaks the words of a <pre> anywhere
    "margin:0;white-space:pre-wrap;word-break:normal;overflow-wrap:break-word;"
    "padding:4px 8px;border-left:4px solid #d32f2f;background-color:rgba(211,47,47,0.12)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what could command a terminal


def install(ipython: InteractiveShell) -> None:
    """Let IPython show a Response by its mime bundle."""
    formatter = ipython.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell that displays has it
    for kind, bundle in _BUNDLES.items():
        formatter.for_type(kind, bundle)


def uninstall(ipython: InteractiveShell) -> None:
    """Undo `install`."""
    formatter = ipython.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell that displays has it
    for kind in _BUNDLES:
        if kind in formatter.type_printers:
            formatter.pop(kind)
    _streamed.clear()


def response_bundle(response: Response, **_asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(data, metadata) of a response: exactly its text, its Markdown, and our own mime type; both deterministic."""
    if _is_on_screen(response):
        return {"text/plain": summary(response)}, {}
    data: dict[str, Any] = {"text/plain": _sendable(response.text)}
    markdown = markdown_of(response)
    if markdown is not None:
        data["text/markdown"] = _sendable(markdown)
    data[RESPONSE_MIME] = {
        "version": 1,
        "text": _sendable(response.text),
        "config": response.config,
        "model": response.model,
        "finish_reason": response.finish_reason,
        "usage": response.usage.to_dict() if response.usage else None,
        "tool_calls": list(response.tool_calls),
        "reasoning": _sendable(response.reasoning),
    }
    details = {
        "latency": response.latency,
        "time_to_first_token": response.time_to_first_token,
        "request_id": response.request_id,
        "deployment": response.deployment,
    }
    from .code_metadata import kept_call

    call = kept_call(response)
    return data, {"azml": details | ({"request": call} if call else {})}


def _is_on_screen(response: Response) -> bool:
    """Whether the terminal's person has just seen this answer stream in, in this very cell."""
    seen = _streamed.copy()
    _streamed.clear()
    return any(text == response.text and shell.execution_count == cell for text, shell, cell in seen)


def _sendable(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text)


def batch_bundle(batch: Batch, **_asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(data, metadata) of a batch: its text and HTML tables without times, which are in the metadata."""
    rows = [
        {
            "setting": dict(row.setting),
            "text": _sendable(row.text),
            "finish_reason": row.response.finish_reason if row.response else None,
            "usage": row.response.usage.to_dict() if row.response and row.response.usage else None,
            "error": row.failure or None,
        }
        for row in batch
    ]
    latencies = [row.response.latency if row.response else None for row in batch]
    data = {
        "text/plain": _sendable(batch.to_text()),
        "text/html": _sendable(batch.to_html()),
        RESPONSE_MIME: {"version": 1, "rows": rows},
    }
    return data, {"azml": {"latencies": latencies}}


_BUNDLES: dict[type, Any] = {Response: response_bundle, Batch: batch_bundle}


def markdown_of(response: Response) -> str | None:
    """The answer as Markdown in its format; None where it is to be shown as plain text."""
    if response.format == "text":
        return None
    if response.format == "json" and response.parsed is not None:
        return fenced(json.dumps(_plain(response.parsed), indent=2, ensure_ascii=False), "json")
    if response.format == "code" and isinstance(response.parsed, str):
        return inert(fenced(response.parsed, extract.code(response.text).language or "python"))
    if response.text:
        return inert(response.text)
    calls = [
        f"- `{call.get('function', {}).get('name', '?')}({call.get('function', {}).get('arguments', '')})`"
        for call in response.tool_calls
    ]
    return inert("The model asks for:\n\n" + "\n".join(calls)) if calls else "*(no text)*"


def _plain(parsed: Any) -> Any:
    """A pydantic object as the JSON value it stands for; JSON itself as it is."""
    return parsed.model_dump(mode="json") if callable(getattr(parsed, "model_dump", None)) else parsed


def summary(response: Response) -> str:
    """One short line about a response, for a terminal that has shown its text."""
    tokens = f"{response.usage.completion_tokens} tokens" if response.usage and response.usage.completion_tokens else ""
    parts = (response.config, response.finish_reason or "", tokens, f"{response.latency:.1f} s")
    return f"[{' · '.join(part for part in parts if part)}]"


# ---- while it streams ------------------------------------------------------------------------------------------


def in_terminal(shell: Any) -> bool:
    """Whether the person sits at a terminal, not at a notebook."""
    return not hasattr(shell, "kernel")


def begin() -> Any:
    """The handle of a new, empty display."""
    from IPython.display import display

    return display(EMPTY, raw=True, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


class Live:
    """The text so far, on the screen. Begins empty; `done` leaves it empty, `keep` leaves the text."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._terminal = in_terminal(shell)
        self._text = ""
        self._shown = 0
        self._next = 0.0
        self._handle: Any = None  # begun with the first text: an error before it leaves no empty output

    def add(self, text: str) -> None:
        """Show more text, now or with the next frame."""
        self._text += text
        self._draw_in_time()

    def replace(self, text: str) -> None:
        """Show `text` in the place of what was there: an object that grows. A terminal shows it once it is whole."""
        self._text, self._shown = text, 0
        if not self._terminal:
            self._draw_in_time()

    def _draw_in_time(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._draw()
            # a long text costs more to send and draw: it gets fewer frames
            self._next = now + max(_FRAME, len(self._text) / 200_000)

    def _draw(self) -> None:
        if self._terminal:
            sys.stdout.write(_CONTROL.sub("", _sendable(self._text[self._shown :])))
            sys.stdout.flush()
        elif len(self._text) > self._shown:
            self._handle = self._handle or begin()
            text = _sendable(self._text)
            self._handle.update({"text/plain": text, "text/markdown": inert(text)}, raw=True)
        self._shown = len(self._text)

    def done(self, response: Response) -> None:
        """The answer is whole and becomes the cell's result."""
        if self._terminal:
            self._draw()
            sys.stdout.write("\n")
            _streamed[:] = [(response.text, self._shell, self._shell.execution_count)]
        elif self._handle is not None:
            self._handle.update(EMPTY, raw=True)

    def keep(self) -> None:
        """It ended early: what came stays on the screen.

        As an output of its own: to whoever knows no updates (nbval), the transient one is empty from first to last.
        """
        if self._terminal:
            self._draw()
            sys.stdout.write("\n" if self._text else "")
        elif self._text:
            text = _sendable(self._text)
            if self._handle is not None:
                self._handle.update(EMPTY, raw=True)
            _show({"text/plain": text, "text/markdown": inert(text)})


def _show(bundle: dict[str, str]) -> None:
    from IPython.display import display

    display(bundle, raw=True)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


# ---- notes and tables ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Note:
    """A few lines of plain text."""

    text: str

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


@dataclass(frozen=True)
class Code:
    """A program: `str()` is its text."""

    text: str
    language: str = "python"

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/markdown": fenced(self.text.rstrip("\n"), self.language)}


@dataclass(frozen=True)
class Table:
    """Rows under headings, as text and as escaped HTML. Cells are texts."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __repr__(self) -> str:
        rows = [[" ".join(cell.splitlines()) for cell in row] for row in (self.headings, *self.rows)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.headings))]
        headed = rows if any(self.headings) else rows[1:]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in headed]
        return "\n".join(line.rstrip() for line in (*lines, *([self.note] if self.note else [])))

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, str]:
        def row(tag: str, cells: Sequence[str]) -> str:
            made = "".join(f'<{tag} style="text-align:left">{html.escape(cell)}</{tag}>' for cell in cells)
            return f"<tr>{made}</tr>"

        body = "".join(row("td", cells) for cells in self.rows)
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        table = f"<table><thead>{row('th', self.headings)}</thead><tbody>{body}</tbody></table>{note}"
        return {"text/plain": repr(self), "text/html": table}


def show_error(error: AzmlError) -> None:
    """The lines that stand for its traceback, as an output like any other: nothing stops at it.

    The colours leave the text its own, so it can be read in a light theme and in a dark one; JupyterLab's sanitizer
    lets them pass. In a `<pre>` no frontend takes what stands between two $ for mathematics.
    """
    text = _sendable("\n".join(error._render_traceback_()))
    _show({"text/plain": text, "text/html": f'<pre style="{_ERROR}">{html.escape(text)}</pre>'})


def say(message: str) -> None:
    """One line for the person, at once."""
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


def warn(message: str) -> None:
    """One line for the person that is no error."""
    sys.stderr.write(f"azureml: {message}\n")
