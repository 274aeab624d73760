"""One %%azureml cell: what it asks for goes out, the answer streams in and becomes the result."""

from __future__ import annotations

import json
import keyword
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import extract, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ConfigError, Interrupted, RequestRejected, UsageError
from azml_magics.core.schema import Schema, SchemaMismatch, repair_turns
from azml_magics.session import check_name

from . import calls, display, help_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.response import Response
    from azml_magics.core.stream import ResponseStream
    from azml_magics.core.wire import Message

    from .args import CellOptions
    from .magics import AzureMLMagics


def run(magics: AzureMLMagics, options: CellOptions, body: str) -> Any:
    """The Response of the cell, or the Batch; None with --quiet; the request with --dry-run; the help with --help."""
    if options.help:
        return display.Note(help_text.cell_help())
    _check(options)
    from . import runnables, several

    if several.wanted(options):
        return several.run(magics, options, body)
    found = calls.named_object(magics, options)
    if runnables.is_runnable(found) and not hasattr(found, "to_config"):
        return _finished(magics, options, _ask_runnable(magics, options, body, found))
    config = calls.config_of(magics, options)
    messages = calls.messages_of(magics, options, body, config)
    schema = Schema.of(calls.schema_source(options.schema, magics.variables)) if options.schema else None
    if options.dry_run:
        asked = schema.asked(config, messages) if schema else (config, messages)
        return dry_run(*asked, stream=_streams(magics, options))
    calls.warn_of_misspelt_kwargs(config)
    question = Question(config, messages, schema, options)
    response = question.answer(magics)
    if options.conversation:
        from . import talks

        talks.keep(magics, options.conversation, messages, response)
    if options.save:
        magics.session.save(options.save, config)
    return _finished(magics, options, response)


def _check(options: CellOptions) -> None:
    """UsageError for options that do not go together, before anything is sent."""
    if options.output is not None and (not options.output.isidentifier() or keyword.iskeyword(options.output)):
        raise UsageError(f"-o takes the name of a variable, not {options.output!r}")
    if options.save is not None:
        check_name(options.save)
    if options.insert and options.format != "code":
        raise UsageError("--insert puts code into the next cell", remedy="Add -F code.")
    several = {"--compare": options.compare, "--sweep": options.sweep, "-n": options.repeat}
    single = {"--schema": options.schema, "-c": options.conversation, "--save": options.save}
    for many in (name for name, given in several.items() if given):
        for one in (name for name, given in single.items() if given):
            raise UsageError(f"{many} gives several answers, and {one} takes one", remedy=f"Leave out {one}.")


def _streams(magics: AzureMLMagics, options: CellOptions) -> bool:
    return magics.stream and not options.no_stream


def _finished(magics: AzureMLMagics, options: CellOptions, response: Response) -> Response | None:
    """The response, stored and inserted as the options say; None where it is not to be shown."""
    if options.output:
        magics.variables[options.output] = response
    if options.insert and isinstance(response.parsed, str):
        magics.shell.set_next_input(response.parsed, replace=False)  # type: ignore[union-attr]  # magics live in a shell
    return None if options.quiet else response


# ---- asking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What is asked, kept so that it can be asked again to repair an answer."""

    config: LLMConfig
    messages: Sequence[Message]
    schema: Schema | None
    options: CellOptions

    def answer(self, magics: AzureMLMagics, further: Sequence[Message] = ()) -> Response:
        """The answer, with its object in `parsed` where there is a schema; SchemaMismatch where it does not fit."""
        magics.repairable = None
        turns = [*self.messages, *further]
        stream, quiet = _streams(magics, self.options), self.options.quiet
        if self.schema is None:
            wanted = self.options.format or magics.format
            return ask(magics, self.config, turns, stream=stream, quiet=quiet, format=wanted)
        config, asked = self.schema.asked(self.config, turns)
        try:
            response = ask(magics, config, asked, stream=stream, quiet=quiet)
        except RequestRejected as error:
            if "response_format" not in error.body:
                raise
            config, asked = self.schema.asked(self.config, turns, by_instruction=True)
            response = ask(magics, config, asked, stream=stream, quiet=quiet)
        try:
            return replace(response, parsed=self.schema.read(response), format="json")
        except SchemaMismatch as error:
            magics.repairable = (self, response, error)
            raise error.at(config=self.config.name) from None


def repair(magics: AzureMLMagics) -> Response | None:
    """The answer to the last question whose answer did not keep to its schema, asked once more."""
    if magics.repairable is None:
        raise ConfigError(
            "There is nothing to repair", remedy="It follows a cell whose answer did not fit its --schema."
        )
    question, response, error = magics.repairable
    return _finished(magics, question.options, question.answer(magics, repair_turns(response, error)))


def _ask_runnable(magics: AzureMLMagics, options: CellOptions, body: str, runnable: Any) -> Response:
    """The answer of a chain or of another provider's model."""
    from . import runnables

    ours = {"-p": options.set, "-k": options.kwargs, "-u": options.url, "-f": options.formatter, "--key": options.key}
    for flag in (flag for flag, given in ours.items() if given):
        raise UsageError(f"{flag} is for configs, and {options.config} brings its own settings")
    if options.dry_run or options.schema or options.conversation or options.save:
        raise UsageError("--dry-run, --schema, -c and --save are for configs, not for LangChain objects")
    given = runnables.input_of(runnable, calls.text_of(body), calls.values_of(magics, options), options.system)
    live = None if options.quiet or not _streams(magics, options) else display.Live(magics.shell)
    name = (options.config or "").removeprefix("$")
    answer = runnables.Answer(runnable, given, name)
    exchange = (LLMConfig(name=name), [{"role": "user", "content": calls.text_of(body)}])
    try:
        response = answer.read(live.add if live else None)
    except (AzmlError, Interrupted) as error:
        if live:
            live.keep()
        magics.session.record(*exchange, error.response, error)
        raise
    if response.parsed is None:
        response = formatted(response, options.format or magics.format)
    if live:
        live.done(response)
    magics.session.record(*exchange, response)
    return response


def ask(
    magics: AzureMLMagics,
    config: LLMConfig,
    messages: Sequence[Message],
    *,
    stream: bool,
    quiet: bool = False,
    format: str = "markdown",  # noqa: A002 - the option's own name
) -> Response:
    """The answer in its format, shown as it arrives; the exchange goes into the history however it ends."""
    from azml_magics.core import invoke

    live: display.Live | None = None
    answer: ResponseStream | None = None

    def ended(error: AzmlError | Interrupted) -> None:
        if live:
            live.keep()
        magics.session.record(config, messages, error.response, error)

    try:
        if not stream:
            response = invoke.invoke(config, messages)
        else:
            with invoke.stream(config, messages) as answer:
                show = not quiet and wire.formatter_for(config).streams(config)
                live = display.Live(magics.shell) if show else None
                for chunk in answer:
                    if live and chunk.text:
                        live.add(chunk.text)
                response = answer.response
    except AzmlError as error:
        ended(error)
        raise
    except KeyboardInterrupt as interrupt:  # a plain one where it came while drawing or asking for the key
        came = replace(answer.response, finish_reason="interrupted") if answer else None
        stopped = interrupt if isinstance(interrupt, Interrupted) else Interrupted(came)
        ended(stopped)
        raise stopped from None
    response = formatted(response, format)
    if live:
        live.done(response)
    magics.session.record(config, messages, response)
    return response


def formatted(response: Response, format: str) -> Response:  # noqa: A002 - the option's own name
    """The response in that format; a failed parse keeps the answer and says so."""
    if format == "code":
        return replace(response, format=format, parsed=extract.code(response.text).text)
    if format == "json":
        try:
            return replace(response, format=format, parsed=extract.json_value(response.text))
        except extract.NoJson as error:
            display.warn(f"{error.cause}; it is kept as text.")
            return replace(response, format="markdown")
    return replace(response, format=format)


def dry_run(config: LLMConfig, messages: Sequence[Message], *, stream: bool) -> display.Note:
    """The exact request, its key masked; nothing is sent and the key is not even looked up."""
    from azml_magics.core import invoke
    from azml_magics.core.secrets import MASK

    request = invoke.prepare(config, messages, stream=stream, with_key=False).request
    headers = dict(request.headers)
    if config.key is not None:
        headers["Authorization"] = f"Bearer {MASK}  ({config.key})"
    try:
        body = json.dumps(json.loads(request.body), indent=2, ensure_ascii=False)
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    lines = [f"POST {request.url}", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return display.Note("\n".join(lines))
