"""--compare, --sweep and --repeat: one prompt, several answers, in one table that fills as they stream in."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.compare import side_by_side
from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import Interrupted, UsageError

from . import args, calls, cell, display, runnables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig

    from .context import NotebookContext
    from .parsed_options import CellOptions

_FRAME = 0.05


def wanted(options: CellOptions) -> bool:
    """Whether the cell asks for several answers."""
    return bool(options.compare or options.sweep or options.repeat is not None)


def run(context: NotebookContext, options: CellOptions, body: str) -> Batch | display.Note | None:
    """The Batch of all answers; the requests' number is said before they go."""
    asks = asks_of(context, options, body)
    if options.dry_run:
        requests = [cell.dry_run(ask.config, ask.messages, stream=ask.stream).text for ask in asks]
        return display.Note(f"Would send {_count(asks)}.\n\n" + "\n\n".join(requests))
    _warn_once(asks)
    if not options.quiet:
        display.say(f"Sending {_count(asks)}.")
    live = None if options.quiet or not asks[0].stream else LiveTable(context.shell)
    try:
        batch = side_by_side.run(asks, concurrency=context.settings.concurrency, show=live.show if live else None)
    except Interrupted as interrupted:
        if interrupted.batch is not None:
            _record(context, asks, interrupted.batch)
            if live:
                live.keep(interrupted.batch)
        raise
    if live:
        live.done()
    batch = _formatted(batch, options.format or context.settings.format)
    _record(context, asks, batch)
    if options.output:
        context.store(options.output, batch)
    return None if options.quiet else batch


def asks_of(context: NotebookContext, options: CellOptions, body: str) -> list[side_by_side.Ask]:
    """One call for every config, every combination of the swept kwargs, and every repetition."""
    found = calls.named_object(context, options)
    if runnables.is_runnable(found):
        raise UsageError(f"--compare, --sweep and -n take configs, and {options.config} is a LangChain object")
    swept = _swept(options.sweep)
    repeat = options.repeat if options.repeat is not None else 1
    if repeat < 1:
        raise UsageError(f"-n takes a number of at least 1, not {repeat}")
    asks = []
    stream = context.settings.stream and not options.no_stream
    for name, config in _configs(context, options):
        messages = calls.messages_of(context, options, body, config)
        for setting, changed in side_by_side.sweep(config, swept):
            for number in range(1, repeat + 1):
                labels: dict[str, Any] = {"config": name} if options.compare else {}
                labels |= setting
                labels |= {"answer": number} if repeat > 1 or not labels else {}
                asks.append(side_by_side.Ask(labels, changed, messages, stream))
    return asks


def _configs(context: NotebookContext, options: CellOptions) -> list[tuple[str, LLMConfig]]:
    if not options.compare:
        return [("", calls.config_of(context, options))]
    if options.config:
        raise UsageError(f"--compare names every config itself: leave out {options.config}, or put it into the list")
    names = [name.strip() for name in options.compare.split(",") if name.strip()]
    if not names:
        raise UsageError("--compare names no config", remedy="Write the configs with commas between: --compare a,b.")
    return [(name, calls.config_of(context, replace(options, config=name))) for name in names]


def _swept(settings: Sequence[str]) -> dict[str, list[Any]]:
    swept: dict[str, list[Any]] = {}
    for name, values in map(_values, settings):
        if name in swept:
            raise UsageError(f"--sweep names {name} twice", remedy=f"Put all values into one: --sweep {name}=V1,V2.")
        swept[name] = values
    return swept


def _values(setting: str) -> tuple[str, list[Any]]:
    """KEY=V1,V2,… as the key and its values."""
    name, text = args.split_pair(setting, "--sweep")
    return name, side_by_side.values_of(text)


def _count(asks: Sequence[side_by_side.Ask]) -> str:
    return f"{len(asks)} requests" if len(asks) != 1 else "1 request"


def _warn_once(asks: Sequence[side_by_side.Ask]) -> None:
    """A line for each misspelt kwarg of each formatter, however many requests have it."""
    seen = {(str(ask.config.formatter), *ask.config.model_kwargs): ask.config for ask in asks}
    for config in seen.values():
        calls.warn_of_misspelt_kwargs(config)


def _formatted(batch: Batch, wanted: str) -> Batch:
    """The rows with their answers parsed as -F says; rows without an answer as they are."""
    whole = (row.error is None and row.response is not None for row in batch)
    return Batch(
        replace(row, response=cell.formatted(row.response, wanted)) if is_whole and row.response else row
        for row, is_whole in zip(batch, whole, strict=True)
    )


def _record(context: NotebookContext, asks: list[side_by_side.Ask], batch: Batch) -> None:
    for ask, row in zip(asks, batch, strict=True):
        context.session.record(row.config, ask.messages, row.response, row.error)
    context.session.keep_batch(batch)


class LiveTable:
    """The table while it fills: empty first and last, as a streaming answer is."""

    def __init__(self, shell: Any) -> None:
        self._next = 0.0
        self._handle: Any = None
        self._drawn = ""
        if not display.in_terminal(shell):
            self._handle = display.begin()

    def show(self, batch: Batch) -> None:
        """Draw the rows so far, unless nothing has changed or the last frame was just now."""
        now = time.monotonic()
        if self._handle is None or now < self._next:
            return
        self._draw(batch)
        self._next = now + max(_FRAME, len(self._drawn) / 400_000)

    def _draw(self, batch: Batch) -> None:
        table = batch.to_html(times=True)
        if table != self._drawn:
            self._drawn = table
            self._handle.update({"text/plain": batch.to_text(), "text/html": table}, raw=True)

    def done(self) -> None:
        """The batch is whole and becomes the cell's result."""
        if self._handle is not None:
            self._handle.update(display.EMPTY, raw=True)

    def keep(self, batch: Batch) -> None:
        """It ended early: what came stays on the screen."""
        if self._handle is not None:
            self._draw(batch)
