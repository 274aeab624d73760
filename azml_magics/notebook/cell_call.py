"""The call of one cell: sent, shown while the response arrives, recorded in the history, and repaired on request."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from azml_magics.conversations import after_response
from azml_magics.core import wire
from azml_magics.core.errors import AzmlError, BadRequestError, ConfigError, Interrupted, SchemaError
from azml_magics.core.prompt.schema import is_response_format_refused, make_repair_messages

from . import cell_output, publishing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.prompt.schema import Schema
    from azml_magics.core.response import Chunk, Response
    from azml_magics.core.stream import ResponseStream
    from azml_magics.core.tools import Toolset
    from azml_magics.display.live_text import LiveText

    from .context import NotebookContext
    from .parsed_options import CellOptions


@dataclass(frozen=True)
class CellCall:
    """What a cell sends; kept after a response that does not match its schema, so that it can be repaired.

    Attributes:
        config: The config with the line's changes.
        messages: The prompt, after the turns of its conversation.
        schema: What the response must match; None without --schema.
        options: The line of the cell.
        toolset: What the model may call; None without --tool.
    """

    config: LLMConfig
    messages: Sequence[Message]
    schema: Schema | None
    options: CellOptions
    toolset: Toolset | None = None

    def run(self, context: NotebookContext) -> Response | None:
        """Send the call and return what the cell shows."""
        context.state.repair = None
        return self._finish(context, self._send(context))

    def repair(self, context: NotebookContext, *, response: Response, error: SchemaError) -> Response | None:
        """Send the call again with the response and its error, and return what the cell shows.

        After a failure it can be tried again.
        """
        repaired = self._send(context, make_repair_messages(response, error))
        context.state.repair = None
        return self._finish(context, repaired)

    def _send(self, context: NotebookContext, further: Sequence[Message] = ()) -> Response:
        stream = should_stream(context, self.options)
        shows = cell_output.reasoning_mode(context, self.options)
        toolset = None if further else self.toolset  # a repair is about the form of the response alone
        shown = partial(send_request, context, quiet=self.options.quiet, show_reasoning=shows)
        send = partial(shown, stream=stream, toolset=toolset)
        turns = [*self.messages, *further]
        if self.schema is None:
            return send(self.config, turns, partial(self._parse_format, context))
        validate = partial(self._validate, context, self.schema)
        try:
            return send(*self.schema.add_to(self.config, turns, in_words=bool(further)), validate)
        except BadRequestError as error:
            if not is_response_format_refused(error):
                raise
        return send(*self.schema.add_to(self.config, turns, by_instruction=True), validate)

    def _parse_format(self, context: NotebookContext, response: Response) -> Response:
        return cell_output.parse_format(response, self.options.format or context.settings.format)

    def _validate(self, context: NotebookContext, schema: Schema, response: Response) -> Response:
        try:
            return replace(response, parsed=schema.parse(response), format="json")
        except SchemaError as error:
            context.state.repair = partial(self.repair, response=response, error=error)
            raise error.add_context(config=self.config.name) from None

    def _finish(self, context: NotebookContext, response: Response) -> Response | None:
        if self.options.conversation:
            kept = after_response(self.messages, response, self.config)
            context.session.conversations[self.options.conversation] = kept
        if self.options.save:
            context.session.save(self.options.save, self.config)
        return cell_output.store_response(context, self.options, response)


def repair(context: NotebookContext) -> object:
    """Send the last call again if its response did not match its schema, and return what the cell shows.

    Raises:
        ConfigError: The last cell has nothing to repair.
        SchemaError: The new response does not match either; it can be repaired again.
    """
    if context.state.repair is None:
        raise ConfigError(
            "There is nothing to repair", remedy="It follows a cell whose response did not match its --schema."
        )
    return context.state.repair(context)


def should_stream(context: NotebookContext, options: CellOptions) -> bool:
    """Whether the response is shown while it arrives."""
    return context.settings.stream and not options.no_stream


# ---- one request -----------------------------------------------------------------------------------------------


def send_request(
    context: NotebookContext,
    config: LLMConfig,
    messages: Sequence[Message],
    parse: Callable[[Response], Response],
    *,
    stream: bool,
    quiet: bool = False,
    show_reasoning: str = "folded",
    toolset: Toolset | None = None,
) -> Response:
    """Send a request, show its response as it arrives, and record the exchange in the history however it ends.

    Args:
        context: The notebook.
        config: What to call.
        messages: The prompt.
        parse: Applied to the whole response; what it raises keeps the response.
        stream: Whether to ask for a stream.
        quiet: Whether to show nothing.
        show_reasoning: How the model's thoughts are shown: one of `options.REASONING`.
        toolset: What the model may call.

    Raises:
        AzmlError: The request failed. What had arrived is in the error's `response` and stays on the screen.
        Interrupted: The user interrupted the kernel. What had arrived is kept likewise.
    """
    arrival = _Arrival(context, config, messages, None if quiet else show_reasoning, toolset)
    try:
        response = arrival.receive(stream=stream)
        response = replace(_parse(parse, response), show_reasoning=show_reasoning)
    except AzmlError as error:
        arrival.fail(error)
        raise
    except KeyboardInterrupt as interrupt:
        stopped = arrival.make_interrupt(interrupt)
        arrival.fail(stopped)
        raise stopped from None
    arrival.finish(response)
    return response


def _parse(parse: Callable[[Response], Response], response: Response) -> Response:
    try:
        return parse(response)
    except AzmlError as error:  # a response that cannot be parsed is not lost
        error.response = error.response or response
        raise


class _Arrival:
    """A response while it arrives: on the screen, and in the history when it ends."""

    def __init__(
        self,
        context: NotebookContext,
        config: LLMConfig,
        messages: Sequence[Message],
        show_reasoning: str | None,
        toolset: Toolset | None = None,
    ) -> None:
        """Prepare to receive a response; show_reasoning is None if nothing is shown."""
        self._toolset = toolset
        self._recorded = toolset.add_to(config) if toolset else config
        self._context, self._config, self._messages = context, config, messages
        self._stream: ResponseStream | None = None
        self._shows_text = False
        self._live: LiveText | None = None
        if show_reasoning is not None:
            self._live = publishing.live_text(context.shell, show_reasoning)

    def receive(self, *, stream: bool) -> Response:
        """Return the response; meanwhile show what the request waits for and, of a stream, what has arrived."""
        from azml_magics.core import client
        from azml_magics.core.http.waiting import observe_waiting

        with observe_waiting(self._live.wait) if self._live else contextlib.nullcontext():
            if not stream:
                return client.invoke(self._config, self._messages, tools=self._toolset)
            with client.stream(self._config, self._messages, tools=self._toolset) as self._stream:
                self._shows_text = self._live is not None and wire.wire_for(self._config).streams(self._config)
                for chunk in self._stream:
                    if self._live and self._shows_text:
                        show_chunk(self._live, chunk)
                return self._stream.response

    def make_interrupt(self, interrupt: KeyboardInterrupt) -> Interrupted:
        """The interrupt with what has arrived; a plain one came while drawing or prompting for the key."""
        if isinstance(interrupt, Interrupted):
            return interrupt
        return Interrupted(replace(self._stream.response, finish_reason="interrupted") if self._stream else None)

    def fail(self, error: AzmlError | Interrupted) -> None:
        """Keep what has arrived on the screen and record the error."""
        if self._live:
            self._live.keep()
        self._context.session.record(self._recorded, self._messages, error.response, error)

    def finish(self, response: Response) -> None:
        """Give way to the cell's result and record the response."""
        if self._live and self._shows_text:
            self._live.finish(response)
        self._context.session.record(self._recorded, self._messages, response)


def show_chunk(live: LiveText, chunk: Chunk) -> None:
    """Show a piece of a response."""
    if chunk.tool_run:
        live.show_tool_run(chunk.tool_run)
    if chunk.retracts:
        live.retract()
    if chunk.reasoning:
        live.add_reasoning(chunk.reasoning)
    if chunk.text:
        live.add(chunk.text)
