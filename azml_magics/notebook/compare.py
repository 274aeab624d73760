"""--compare, --sweep and --repeat: several responses to one prompt, in a table that fills as they arrive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.compare import side_by_side
from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import Interrupted, UsageError
from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.live import LiveDisplay
from azml_magics.display.text_output import TextOutput

from . import args, cell_config, cell_messages, cell_output, option_values, publishing, runnables, tools
from .remedies import with_notebook_remedies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azml_magics.core.config import LLMConfig

    from .context import NotebookContext
    from .parsed_options import CellOptions


def is_side_by_side(options: CellOptions) -> bool:
    """Whether the cell sends several requests side by side."""
    return bool(options.compare or options.sweep or options.repeat is not None)


def run(context: NotebookContext, options: CellOptions, body: str) -> Batch | TextOutput | None:
    """Send the requests side by side and return the Batch of their responses. A line says first how many there are.

    Returns:
        The Batch; the requests with --dry-run; None with --quiet.

    Raises:
        UsageError: Options do not go together.
        Interrupted: The user interrupted the kernel. What had arrived is in the error's `batch`.
    """
    requests = build_requests(context, options, body)
    if options.dry_run:
        return _show_requests(requests)
    _warn_of_misspelled_kwargs(requests)
    batch = _send(context, requests, quiet=options.quiet)
    batch = _parse_format(batch, options.format or context.settings.format)
    batch.show_reasoning = cell_output.reasoning_mode(context, options)
    _record(context, requests, batch)
    if options.output:
        context.store(options.output, batch)
    return None if options.quiet else batch


def _show_requests(requests: Sequence[side_by_side.BatchRequest]) -> TextOutput:
    shown = [cell_output.show_request(*request.as_recorded(), stream=request.stream).text for request in requests]
    return TextOutput(f"Would send {_count(requests)}.\n\n" + "\n\n".join(shown))


def _send(context: NotebookContext, requests: list[side_by_side.BatchRequest], *, quiet: bool) -> Batch:
    if not quiet:
        publishing.print_line(f"Sending {_count(requests)}.")
    is_live = requests[0].stream and not quiet and not publishing.is_terminal(context.shell)
    live = LiveTable() if is_live else None
    try:
        batch = side_by_side.run_batch(
            requests, concurrency=context.settings.concurrency, show=live.show if live else None
        )
    except Interrupted as interrupted:
        if interrupted.batch is not None:
            with_notebook_remedies(interrupted.batch)
            _record(context, requests, interrupted.batch)
            if live:
                live.keep(interrupted.batch)
        raise
    if live:
        live.finish()
    return with_notebook_remedies(batch)


def build_requests(context: NotebookContext, options: CellOptions, body: str) -> list[side_by_side.BatchRequest]:
    """Return one request for every config, every combination of the swept kwargs, and every repetition."""
    if options.tool and not (options.auto or options.dry_run):
        raise UsageError(
            "Functions cannot be approved while several responses arrive at once",
            remedy="Add --auto to run the functions of --tool without asking.",
        )
    found = cell_config.find_object(context, options)
    if runnables.is_runnable(found):
        raise UsageError(f"--compare, --sweep and -n take configs, and {options.config} is a LangChain object")
    swept = parse_sweeps(context, options.sweep)
    repeat = options.repeat if options.repeat is not None else 1
    if repeat < 1:
        raise UsageError(f"-n takes a number of at least 1, not {repeat}")
    requests = []
    stream = context.settings.stream and not options.no_stream
    toolset = tools.load_toolset(context, replace(options, auto=True)) if options.tool else None
    for name, config in named_configs(context, options):
        messages = cell_messages.build_messages(context, options, body, config)
        for setting, changed in side_by_side.expand_sweep(config, swept):
            cell_config.check_kwarg_types(changed, setting)
            for number in range(1, repeat + 1):
                labels: dict[str, Any] = {"config": name} if options.compare else {}
                labels |= setting
                labels |= {"repeat": number} if repeat > 1 or not labels else {}
                requests.append(side_by_side.BatchRequest(labels, changed, messages, stream, toolset=toolset))
    return requests


def named_configs(context: NotebookContext, options: CellOptions) -> list[tuple[str, LLMConfig]]:
    """Return the configs of --compare with their names; without it the cell's config, with the name "".

    Raises:
        UsageError: --compare names none, or the cell names one besides.
        UnknownNameError: No config has that name.
    """
    if not options.compare:
        return [("", cell_config.resolve_config(context, options))]
    if options.config:
        raise UsageError(f"--compare names every config itself: leave out {options.config}, or put it into the list")
    words = [name.strip() for name in options.compare.split(",") if name.strip()]
    names = [_config_name(context, word) for word in words]
    if not names:
        raise UsageError("--compare names no config", remedy="Write the configs with commas between: --compare a,b.")
    return [(name, cell_config.resolve_config(context, replace(options, config=name))) for name in names]


def check_sweep(config: LLMConfig, sweep: Mapping[str, Sequence[Any]]) -> None:
    """Check that no swept value is a text in place of a number.

    Raises:
        UsageError: One is.
    """
    for setting, changed in side_by_side.expand_sweep(config, sweep):
        cell_config.check_kwarg_types(changed, setting)


def _config_name(context: NotebookContext, word: str) -> str:
    """The name of a config, also if it is in a variable; `$name` of another object stays as it is."""
    is_text = option_values.is_reference(word) and isinstance(context.variable(word), str)
    return option_values.read_text(context, word, "--compare") if is_text else word


def parse_sweeps(context: NotebookContext, settings: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of every --sweep by the kwarg's name.

    Raises:
        UsageError: One is not KEY=V1,V2,…, or two name the same kwarg.
    """
    swept: dict[str, list[Any]] = {}
    for name, values in (_values(context, setting) for setting in settings):
        if name in swept:
            raise UsageError(f"--sweep names {name} twice", remedy=f"Put all values into one: --sweep {name}=V1,V2.")
        swept[name] = values
    return swept


def _values(context: NotebookContext, setting: str) -> tuple[str, list[Any]]:
    """KEY=V1,V2,… as the key and its values; `$name` is a variable with a list of them, or one value of many."""
    name, text = args.split_pair(setting, "--sweep")
    if option_values.is_reference(text) and isinstance(found := context.variable(text), (list, tuple, range)):
        return name, list(found)
    return name, [_value(context, value) for value in side_by_side.parse_values(text)]


def _value(context: NotebookContext, value: Any) -> Any:
    if isinstance(value, str) and option_values.is_reference(value):
        return context.variable(value)
    return option_values.fill_strings(context, value, "--sweep ")


def _count(requests: Sequence[side_by_side.BatchRequest]) -> str:
    return f"{len(requests)} requests" if len(requests) != 1 else "1 request"


def _warn_of_misspelled_kwargs(requests: Sequence[side_by_side.BatchRequest]) -> None:
    """One warning for each misspelled kwarg of each formatter, not one for each request."""
    seen = {(str(request.config.formatter), *request.config.model_kwargs): request.config for request in requests}
    for config in seen.values():
        cell_config.warn_of_misspelled_kwargs(config)


def _parse_format(batch: Batch, format: str) -> Batch:  # noqa: A002 - the option's own name
    """The rows with their responses in a format; rows without a whole response are unchanged."""
    whole = (row.error is None and row.response is not None for row in batch)
    return Batch(
        replace(row, response=cell_output.parse_format(row.response, format)) if is_whole and row.response else row
        for row, is_whole in zip(batch, whole, strict=True)
    )


def _record(context: NotebookContext, requests: list[side_by_side.BatchRequest], batch: Batch) -> None:
    for request, row in zip(requests, batch, strict=True):
        context.session.record(*request.as_recorded(), row.response, row.error)
    context.session.record_batch(batch)


class LiveTable:
    """The table of a batch while its responses arrive."""

    def __init__(self) -> None:
        self._live = LiveDisplay(publishing.CellOutput())
        self._live.open()

    def show(self, batch: Batch) -> None:
        """Draw the rows so far, unless the last frame was just now."""
        self._live.update(lambda: _bundle(with_notebook_remedies(batch)))

    def finish(self) -> None:
        """Leave the display empty: the batch becomes the cell's result."""
        self._live.clear()

    def keep(self, batch: Batch) -> None:
        """Leave the rows so far as an output that stays."""
        self._live.keep(_bundle(batch))


def _bundle(batch: Batch) -> dict[str, str]:
    return {"text/plain": batch.to_text(), "text/html": batch_to_html(batch, times=True)}
