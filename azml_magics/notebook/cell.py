"""One %%azureml cell: what it asks for goes out, the answer streams in and becomes the result."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import wire
from azml_magics.core.errors import AzmlError, BadRequestError, ConfigError, Interrupted, SchemaError, UsageError
from azml_magics.core.prompt import extract
from azml_magics.core.prompt.schema import Schema, is_refused, repair_turns
from azml_magics.session import check_name

from . import calls, display, help_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response
    from azml_magics.core.stream import ResponseStream

    from .args import CellOptions
    from .magics import AzureMLMagics


_OF_ROWS = ("journal", "retry_failed", "limit", "sample", "concurrency", "rpm", "tpm", "max_tokens_total", "client")


def run(magics: AzureMLMagics, options: CellOptions, body: str) -> Any:
    """The Response of the cell, or the Batch of several; None with --quiet; the request with --dry-run."""
    if options.help:
        return display.Note(help_text.cell_help())
    _check(options)
    from . import compare, runnables

    if options.each is not None:
        from . import rows

        return rows.run(magics, options, body)
    if compare.wanted(options):
        return compare.run(magics, options, body)
    found = calls.named_object(magics, options)
    if runnables.is_runnable(found):
        return _finished(magics, options, runnables.run(magics, options, body, found))
    config = calls.config_of(magics, options)
    messages = calls.messages_of(magics, options, body, config)
    schema = calls.schema_of(magics, options)
    if options.dry_run:
        asked = schema.asked(config, messages) if schema else (config, messages)
        return dry_run(*asked, stream=_streams(magics, options))
    calls.warn_of_misspelt_kwargs(config)
    question = Question(config, messages, schema, options)
    return _settled(magics, question, question.answer(magics))


def _check(options: CellOptions) -> None:
    """UsageError for options that do not go together, before anything is sent."""
    if options.output is not None and (not options.output.isidentifier() or keyword.iskeyword(options.output)):
        raise UsageError(f"-o takes the name of a variable, not {options.output!r}")
    if options.save is not None:
        check_name(options.save)
    if options.insert and options.format != "code":
        raise UsageError("--insert puts code into the next cell", remedy="Add -F code.")
    rows = {f"--{name.replace('_', '-')}": getattr(options, name) for name in _OF_ROWS}
    for lonely in (name for name, given in rows.items() if given and options.each is None):
        raise UsageError(f"{lonely} goes with --each", remedy="Name the rows with --each $rows.")
    several = {
        "--compare": options.compare,
        "--sweep": options.sweep,
        "-n": options.repeat,
        "--each": options.each,
    }
    single = {
        "--schema": options.schema,
        "-c": options.conversation,
        "--save": options.save,
        "--insert": options.insert,
    }
    for many in (name for name, given in several.items() if given):
        for one in (name for name, given in single.items() if given and (many, name) != ("--each", "--schema")):
            raise UsageError(f"{many} gives several answers, and {one} takes one", remedy=f"Leave out {one}.")


def _streams(magics: AzureMLMagics, options: CellOptions) -> bool:
    return magics.stream and not options.no_stream


def _settled(magics: AzureMLMagics, question: Question, response: Response) -> Response | None:
    """What an answer that came whole leaves behind: its turns, the config that worked, and the cell's result."""
    options = question.options
    if options.conversation:
        from .commands import conversations

        conversations.keep(magics, options.conversation, question.messages, response)
    if options.save:
        magics.session.save(options.save, question.config)
    return _finished(magics, options, response)


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
        """The answer, with its object in `parsed` where there is a schema; SchemaError where it does not fit."""
        magics.repairable = None
        turns = [*self.messages, *further]
        stream, quiet = _streams(magics, self.options), self.options.quiet
        schema = self.schema
        if schema is None:
            wanted = self.options.format or magics.format
            return ask(magics, self.config, turns, lambda came: formatted(came, wanted), stream=stream, quiet=quiet)

        def read(response: Response) -> Response:
            try:
                return replace(response, parsed=schema.read(response), format="json")
            except SchemaError as error:
                magics.repairable = (self, response, error)
                raise error.at(config=self.config.name) from None

        try:
            return ask(magics, *schema.asked(self.config, turns), read, stream=stream, quiet=quiet)
        except BadRequestError as error:
            if not is_refused(error):
                raise
        instructed = schema.asked(self.config, turns, by_instruction=True)
        return ask(magics, *instructed, read, stream=stream, quiet=quiet)


def repair(magics: AzureMLMagics) -> Response | None:
    """The answer to the last question whose answer did not keep to its schema, asked once more."""
    if magics.repairable is None:
        raise ConfigError(
            "There is nothing to repair", remedy="It follows a cell whose answer did not fit its --schema."
        )
    question, response, error = kept = magics.repairable
    try:
        repaired = question.answer(magics, repair_turns(response, error))
    finally:
        if magics.repairable is None:  # neither mended nor asked in vain: a network's failure may pass
            magics.repairable = kept
    magics.repairable = None
    return _settled(magics, question, repaired)


def ask(
    magics: AzureMLMagics,
    config: LLMConfig,
    messages: Sequence[Message],
    read: Callable[[Response], Response],
    *,
    stream: bool,
    quiet: bool = False,
) -> Response:
    """The answer as `read` reads it, shown as it arrives; the exchange goes into the history however it ends."""
    from azml_magics.core import client

    live: display.Live | None = None
    answer: ResponseStream | None = None

    def ended(error: AzmlError | Interrupted) -> None:
        if live:
            live.keep()
        magics.session.record(config, messages, error.response, error)

    try:
        if not stream:
            response = client.invoke(config, messages)
        else:
            with client.stream(config, messages) as answer:
                show = not quiet and wire.formatter_for(config).streams(config)
                live = display.Live(magics.shell) if show else None
                for chunk in answer:
                    if live and chunk.text:
                        live.add(chunk.text)
                response = answer.response
        try:
            response = read(response)
        except AzmlError as error:  # an answer that cannot be read is not lost
            error.response = error.response or response
            raise
    except AzmlError as error:
        ended(error)
        raise
    except KeyboardInterrupt as interrupt:  # a plain one where it came while drawing or asking for the key
        came = replace(answer.response, finish_reason="interrupted") if answer else None
        stopped = interrupt if isinstance(interrupt, Interrupted) else Interrupted(came)
        ended(stopped)
        raise stopped from None
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
    from azml_magics import codegen

    return display.Note(codegen.request(config, messages, stream=stream))
