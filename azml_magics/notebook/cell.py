"""One %%azureml cell: what it asks for goes out, the answer streams in and becomes the result."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import wire
from azml_magics.core.errors import AzmlError, BadRequestError, ConfigError, Interrupted, SchemaError, UsageError
from azml_magics.core.prompt import extract
from azml_magics.core.prompt.schema import Schema, is_refused, repair_turns
from azml_magics.display.outputs import TextOutput
from azml_magics.session import check_name

from . import calls, conversation_turns, help_text, publishing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response
    from azml_magics.core.stream import ResponseStream
    from azml_magics.display.live import LiveText

    from .context import NotebookContext
    from .parsed_options import CellOptions


_OF_ROWS = ("journal", "retry_failed", "limit", "sample", "concurrency", "rpm", "tpm", "max_tokens_total", "client")


def run(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """The Response of the cell, or the Batch of several; None with --quiet; the request with --dry-run."""
    if options.help:
        return TextOutput(help_text.cell_help())
    _check(options)
    from . import compare, runnables

    if options.each is not None:
        from . import rows

        return rows.run(context, options, body)
    if compare.wanted(options):
        return compare.run(context, options, body)
    found = calls.named_object(context, options)
    if runnables.is_runnable(found):
        return _finished(context, options, runnables.run(context, options, body, found))
    config = calls.config_of(context, options)
    messages = calls.messages_of(context, options, body, config)
    schema = calls.schema_of(context, options)
    if options.dry_run:
        asked = schema.asked(config, messages) if schema else (config, messages)
        return dry_run(*asked, stream=_streams(context, options))
    calls.warn_of_misspelt_kwargs(config)
    question = Question(config, messages, schema, options)
    context.state.repairable = None
    return _settled(context, question, question.answer(context))


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


def _streams(context: NotebookContext, options: CellOptions) -> bool:
    return context.settings.stream and not options.no_stream


def _settled(context: NotebookContext, question: Question, response: Response) -> Response | None:
    """What an answer that came whole leaves behind: its turns, the config that worked, and the cell's result."""
    options = question.options
    if options.conversation:
        conversation_turns.keep_turns(context, options.conversation, question.messages, response)
    if options.save:
        context.session.save(options.save, question.config)
    return _finished(context, options, response)


def _finished(context: NotebookContext, options: CellOptions, response: Response) -> Response | None:
    """The response, stored and inserted as the options say; None where it is not to be shown."""
    if options.output:
        context.store(options.output, response)
    if options.insert and isinstance(response.parsed, str):
        context.shell.set_next_input(response.parsed, replace=False)
    return None if options.quiet else response


# ---- asking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What is asked, kept so that it can be asked again to repair an answer."""

    config: LLMConfig
    messages: Sequence[Message]
    schema: Schema | None
    options: CellOptions

    def answer(self, context: NotebookContext, further: Sequence[Message] = ()) -> Response:
        """The answer, with its object in `parsed` where there is a schema; SchemaError where it does not fit."""
        turns = [*self.messages, *further]
        stream, quiet = _streams(context, self.options), self.options.quiet
        schema = self.schema
        if schema is None:
            wanted = self.options.format or context.settings.format
            return ask(context, self.config, turns, lambda came: formatted(came, wanted), stream=stream, quiet=quiet)

        def read(response: Response) -> Response:
            try:
                return replace(response, parsed=schema.read(response), format="json")
            except SchemaError as error:
                context.state.repairable = (self, response, error)
                raise error.add_context(config=self.config.name) from None

        try:
            return ask(context, *schema.asked(self.config, turns), read, stream=stream, quiet=quiet)
        except BadRequestError as error:
            if not is_refused(error):
                raise
        instructed = schema.asked(self.config, turns, by_instruction=True)
        return ask(context, *instructed, read, stream=stream, quiet=quiet)


def repair(context: NotebookContext) -> Response | None:
    """The answer to the last question whose answer did not keep to its schema, asked once more."""
    if context.state.repairable is None:
        raise ConfigError(
            "There is nothing to repair", remedy="It follows a cell whose answer did not fit its --schema."
        )
    question, response, error = context.state.repairable
    repaired = question.answer(context, repair_turns(response, error))  # after a failure it can be tried again
    context.state.repairable = None
    return _settled(context, question, repaired)


def ask(
    context: NotebookContext,
    config: LLMConfig,
    messages: Sequence[Message],
    read: Callable[[Response], Response],
    *,
    stream: bool,
    quiet: bool = False,
) -> Response:
    """The answer as `read` reads it, shown as it arrives; the exchange goes into the history however it ends."""
    from azml_magics.core import client

    live: LiveText | None = None
    answer: ResponseStream | None = None

    def ended(error: AzmlError | Interrupted) -> None:
        if live:
            live.keep()
        context.session.record(config, messages, error.response, error)

    try:
        if not stream:
            response = client.invoke(config, messages)
        else:
            with client.stream(config, messages) as answer:
                show = not quiet and wire.formatter_for(config).streams(config)
                live = publishing.live_text(context.shell) if show else None
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
        live.finish(response)
    context.session.record(config, messages, response)
    return response


def formatted(response: Response, format: str) -> Response:  # noqa: A002 - the option's own name
    """The response in that format; a failed parse keeps the answer and says so."""
    if format == "code":
        return replace(response, format=format, parsed=extract.code(response.text).text)
    if format == "json":
        try:
            return replace(response, format=format, parsed=extract.json_value(response.text))
        except extract.NoJson as error:
            publishing.print_warning(f"{error.cause}; it is kept as text.")
            return replace(response, format="markdown")
    return replace(response, format=format)


def dry_run(config: LLMConfig, messages: Sequence[Message], *, stream: bool) -> TextOutput:
    """The exact request, its key masked; nothing is sent and the key is not even looked up."""
    from azml_magics import codegen

    return TextOutput(codegen.request(config, messages, stream=stream))
