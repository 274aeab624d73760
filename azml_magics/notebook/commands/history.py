"""%azureml history and last."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import ConfigError, DocumentError
from azml_magics.core.messages import without_items
from azml_magics.core.paths import path_of, write_private
from azml_magics.core.pricing import cost_of, format_cost
from azml_magics.core.text import one_line
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from pathlib import Path

    from azml_magics.exchange import Exchange

    from ..context import NotebookContext
    from ..parsed_options import HistoryOptions, LastOptions

_MAX_CELL = 60  # characters of a prompt or response in the table
_MAX_SENT = 4_000  # characters of a body that could not be decoded


def show_last(context: NotebookContext, options: LastOptions) -> Any:
    """Return the last Response or Batch, even a partial one; if nothing arrived, the error and what the endpoint sent.

    Raises:
        ConfigError: No prompt has been sent yet.
    """
    if options.traceback:
        if context.state.last_error is None:
            return TextOutput("There has been no error.")
        return TextOutput("".join(traceback.format_exception(context.state.last_error)))
    if context.session.last_batch is not None:
        return context.session.last_batch
    exchange = context.session.last
    if exchange is None:
        raise ConfigError("No prompt has been sent yet", remedy="Write a prompt below %%azureml.")
    response = exchange.response
    if response is not None and (exchange.error is None or response.text or response.tool_calls):
        return response
    sent = getattr(exchange.error, "body", "") or getattr(exchange.error, "reply", "")
    if len(sent) > _MAX_SENT:
        sent = f"{sent[:_MAX_SENT]}…"
    return TextOutput(f"No response: {exchange.error}" + (f"\n\nThe endpoint sent:\n{sent}" if sent else ""))


def show_history(context: NotebookContext, options: HistoryOptions) -> Any:
    """Return a table of the last exchanges, the newest last; with --json, write all that match to a file.

    Raises:
        DocumentError: The file cannot be written.
    """
    search, session = (options.search or "").lower(), context.session
    everything = session.full_history() if search or options.file else session.history
    matching = [e for e in everything if search in e.prompt.lower() or search in _response_text(e).lower()]
    if options.file:
        return _write(matching, path_of(options.file))
    if not matching:
        return TextOutput("No prompt has been sent yet." if not search else "Nothing matches.")
    shown = matching[-max(options.number, 1) :]
    rows = [
        (_number(e), e.config.name, one_line(e.prompt, _MAX_CELL), one_line(_response_text(e), _MAX_CELL))
        for e in shown
    ]
    headings: tuple[str, ...] = ("#", "config", "prompt", "response")
    further = {"cost": [format_cost(_cost(e)) for e in shown], "notes": [_describe_notes(e) for e in shown]}
    columns = {name: texts for name, texts in further.items() if any(texts)}
    return TableOutput((*headings, *columns), list(zip(*zip(*rows, strict=True), *columns.values(), strict=True)))


def _cost(exchange: Exchange) -> float | None:
    return cost_of(exchange.response.usage, exchange.config.price) if exchange.response else None


def _describe_notes(exchange: Exchange) -> str:
    """The name, the rating and the note that a version was given in the panel."""
    parts = (exchange.notes.get(name) for name in ("name", "rating", "note"))
    return one_line(" · ".join(part for part in parts if isinstance(part, str) and part), _MAX_CELL)


def _number(exchange: Exchange) -> str:
    """The number of an exchange of this session, and when one of another session was recorded."""
    return f"{exchange.recorded_at.astimezone():%Y-%m-%d %H:%M}" if exchange.is_earlier else str(exchange.number)


def _response_text(exchange: Exchange) -> str:
    if exchange.error is not None:
        kept = f" [{exchange.response.text}]" if exchange.response and exchange.response.text else ""
        return f"{type(exchange.error).__name__}: {exchange.error}{kept}"
    return exchange.response.text if exchange.response else ""


def _write(exchanges: list[Exchange], path: Path) -> TextOutput:
    """Write JSON lines: one exchange in each, without keys."""
    lines = [json.dumps(_to_dict(exchange), ensure_ascii=False) + "\n" for exchange in exchanges]
    try:  # a surrogate is not valid UTF-8, and its JSON escape is
        write_private(path, "".join(lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror or error}", remedy="Choose another.") from None
    return TextOutput(f"Wrote {len(lines)} exchanges to {path}.")


def _to_dict(exchange: Exchange) -> dict[str, Any]:
    names = ("text", "finish_reason", "usage", "latency")
    return {
        "number": exchange.number,
        "recorded_at": exchange.recorded_at.isoformat(),
        "config": exchange.config.name,
        "model_kwargs": dict(exchange.config.model_kwargs),
        "messages": [without_items(message) for message in exchange.messages],
        **(exchange.response.to_dict(*names) if exchange.response else dict.fromkeys(names)),
        "error": f"{type(exchange.error).__name__}: {exchange.error}" if exchange.error else None,
        **({"cost": cost} if (cost := _cost(exchange)) is not None else {}),
        **({"notes": dict(exchange.notes)} if exchange.notes else {}),
    }
