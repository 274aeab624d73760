"""%azureml history and last."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import ConfigError, DocumentError
from azml_magics.core.paths import path_of
from azml_magics.core.text import one_line
from azml_magics.display.outputs import TextOutput
from azml_magics.display.table import TableOutput

if TYPE_CHECKING:
    from pathlib import Path

    from azml_magics.session import Exchange

    from ..context import NotebookContext
    from ..parsed_options import HistoryOptions, LastOptions

_CELL = 60
_MOST_SENT = 4_000  # characters of a reply that could not be read


def show_last(context: NotebookContext, options: LastOptions) -> Any:
    """The last Response, also a partial one; where nothing arrived, the error, and what the endpoint sent."""
    if options.traceback:
        if context.state.last_error is None:
            return TextOutput("There has been no error.")
        return TextOutput("".join(traceback.format_exception(context.state.last_error)))
    if context.session.last_batch is not None:
        return context.session.last_batch
    exchange = context.session.last
    if exchange is None:
        raise ConfigError("Nothing has been asked yet", remedy="Write a prompt below %%azureml.")
    response = exchange.response
    if response is not None and (exchange.error is None or response.text or response.tool_calls):
        return response
    sent = getattr(exchange.error, "body", "") or getattr(exchange.error, "reply", "")
    if len(sent) > _MOST_SENT:
        sent = f"{sent[:_MOST_SENT]}…"
    return TextOutput(f"No answer: {exchange.error}" + (f"\n\nThe endpoint sent:\n{sent}" if sent else ""))


def show_history(context: NotebookContext, options: HistoryOptions) -> Any:
    """A table of the last exchanges, newest last; with --json, a file with all that match."""
    wanted = (options.search or "").lower()
    matching = [e for e in context.session.history if wanted in e.prompt.lower() or wanted in _answer(e).lower()]
    if options.file:
        return _write(matching, path_of(options.file))
    if not matching:
        return TextOutput("Nothing has been asked yet." if not wanted else "Nothing matches.")
    rows = [
        (str(e.number), e.config.name, one_line(e.prompt, _CELL), one_line(_answer(e), _CELL))
        for e in matching[-max(options.number, 1) :]
    ]
    return TableOutput(("#", "config", "prompt", "response"), rows)


def _answer(exchange: Exchange) -> str:
    if exchange.error is not None:
        kept = f" [{exchange.response.text}]" if exchange.response and exchange.response.text else ""
        return f"{type(exchange.error).__name__}: {exchange.error}{kept}"
    return exchange.response.text if exchange.response else ""


def _write(exchanges: list[Exchange], path: Path) -> TextOutput:
    """JSON lines: one exchange a line, without keys."""
    lines = [json.dumps(_as_data(exchange), ensure_ascii=False) + "\n" for exchange in exchanges]
    try:  # half a character (a lone surrogate) is no UTF-8; its JSON escape is
        path.write_bytes("".join(lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror or error}", remedy="Choose another.") from None
    return TextOutput(f"Wrote {len(lines)} exchanges to {path}.")


def _as_data(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    return {
        "number": exchange.number,
        "asked_at": exchange.asked_at.isoformat(),
        "config": exchange.config.name,
        "model_kwargs": dict(exchange.config.model_kwargs),
        "messages": list(exchange.messages),
        "text": response.text if response else None,
        "finish_reason": response.finish_reason if response else None,
        "usage": response.usage.to_dict() if response and response.usage else None,
        "latency": response.latency if response else None,
        "error": f"{type(exchange.error).__name__}: {exchange.error}" if exchange.error else None,
    }
