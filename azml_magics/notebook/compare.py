"""--compare, --sweep and --repeat: one prompt, several answers, in one table that fills as they stream in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.compare import side_by_side
from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import Interrupted, UsageError
from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.live import LiveDisplay
from azml_magics.display.outputs import TextOutput

from . import args, cell_config, cell_messages, cell_output, publishing, runnables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig

    from .context import NotebookContext
    from .parsed_options import CellOptions


def is_side_by_side(options: CellOptions) -> bool:
    """Whether the cell asks for several answers."""
    return bool(options.compare or options.sweep or options.repeat is not None)


def run(context: NotebookContext, options: CellOptions, body: str) -> Batch | TextOutput | None:
    """The Batch of all answers; the requests' number is said before they go."""
    asks = asks_of(context, options, body)
    if options.dry_run:
        requests = [cell_output.show_request(ask.config, ask.messages, stream=ask.stream).text for ask in asks]
        return TextOutput(f"Would send {_count(asks)}.\n\n" + "\n\n".join(requests))
    _warn_once(asks)
    if not options.quiet:
        publishing.print_line(f"Sending {_count(asks)}.")
    is_live = asks[0].stream and not options.quiet and not publishing.is_terminal(context.shell)
    live = LiveTable() if is_live else None
    try:
        batch = side_by_side.run_batch(asks, concurrency=context.settings.concurrency, show=live.show if live else None)
    except Interrupted as interrupted:
        if interrupted.batch is not None:
            _record(context, asks, interrupted.batch)
            if live:
                live.keep(interrupted.batch)
        raise
    if live:
        live.finish()
    batch = _formatted(batch, options.format or context.settings.format)
    _record(context, asks, batch)
    if options.output:
        context.store(options.output, batch)
    return None if options.quiet else batch


def asks_of(context: NotebookContext, options: CellOptions, body: str) -> list[side_by_side.BatchRequest]:
    """One call for every config, every combination of the swept kwargs, and every repetition."""
    found = cell_config.find_object(context, options)
    if runnables.is_runnable(found):
        raise UsageError(f"--compare, --sweep and -n take configs, and {options.config} is a LangChain object")
    swept = _swept(options.sweep)
    repeat = options.repeat if options.repeat is not None else 1
    if repeat < 1:
        raise UsageError(f"-n takes a number of at least 1, not {repeat}")
    asks = []
    stream = context.settings.stream and not options.no_stream
    for name, config in _configs(context, options):
        messages = cell_messages.build_messages(context, options, body, config)
        for setting, changed in side_by_side.expand_sweep(config, swept):
            for number in range(1, repeat + 1):
                labels: dict[str, Any] = {"config": name} if options.compare else {}
                labels |= setting
                labels |= {"repeat": number} if repeat > 1 or not labels else {}
                asks.append(side_by_side.BatchRequest(labels, changed, messages, stream))
    return asks


def _configs(context: NotebookContext, options: CellOptions) -> list[tuple[str, LLMConfig]]:
    if not options.compare:
        return [("", cell_config.resolve_config(context, options))]
    if options.config:
        raise UsageError(f"--compare names every config itself: leave out {options.config}, or put it into the list")
    names = [name.strip() for name in options.compare.split(",") if name.strip()]
    if not names:
        raise UsageError("--compare names no config", remedy="Write the configs with commas between: --compare a,b.")
    return [(name, cell_config.resolve_config(context, replace(options, config=name))) for name in names]


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
    return name, side_by_side.parse_values(text)


def _count(asks: Sequence[side_by_side.BatchRequest]) -> str:
    return f"{len(asks)} requests" if len(asks) != 1 else "1 request"


def _warn_once(asks: Sequence[side_by_side.BatchRequest]) -> None:
    """A line for each misspelt kwarg of each formatter, however many requests have it."""
    seen = {(str(ask.config.formatter), *ask.config.model_kwargs): ask.config for ask in asks}
    for config in seen.values():
        cell_config.warn_of_misspelled_kwargs(config)


def _formatted(batch: Batch, wanted: str) -> Batch:
    """The rows with their answers parsed as -F says; rows without an answer as they are."""
    whole = (row.error is None and row.response is not None for row in batch)
    return Batch(
        replace(row, response=cell_output.parse_format(row.response, wanted)) if is_whole and row.response else row
        for row, is_whole in zip(batch, whole, strict=True)
    )


def _record(context: NotebookContext, asks: list[side_by_side.BatchRequest], batch: Batch) -> None:
    for ask, row in zip(asks, batch, strict=True):
        context.session.record(row.config, ask.messages, row.response, row.error)
    context.session.keep_batch(batch)


class LiveTable:
    """The table of a batch while its responses arrive."""

    def __init__(self) -> None:
        self._live = LiveDisplay(publishing.CellOutput())
        self._live.open()

    def show(self, batch: Batch) -> None:
        """Draw the rows so far, unless the last frame was just now."""
        self._live.update(lambda: _bundle(batch))

    def finish(self) -> None:
        """Leave the display empty: the batch becomes the cell's result."""
        self._live.clear()

    def keep(self, batch: Batch) -> None:
        """Leave the rows so far as an output that stays."""
        self._live.keep(_bundle(batch))


def _bundle(batch: Batch) -> dict[str, str]:
    return {"text/plain": batch.to_text(), "text/html": batch_to_html(batch, times=True)}
