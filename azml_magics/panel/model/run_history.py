"""The history in the panel: one of its calls put back into the controls, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.errors import ConfigError

from . import tools
from .call_options import CallOptions
from .changes import OPTIONS, PROMPT, RESULT, STATE
from .prompt_draft import PromptDraft, boxes_from_messages
from .run_result import Asked, RunResult
from .version import Version

if TYPE_CHECKING:
    from typing import Any

    from azml_magics.core.messages import Message
    from azml_magics.exchange import Exchange

    from .runs import Runs
    from .state import PanelState


_BEFORE_RESTART: Final = ("This is the last run before the kernel was restarted.",)
_LOST: Final = ("The kernel was restarted during this run: its answer is lost. Press Run to send it again.", "bad")


class History:
    """The calls of the session. Restoring one can be undone: the controls' former state is kept.

    Args:
        state: the panel's state.
        runs: knows the prompts as the user typed them, with their variables.
    """

    def __init__(self, state: PanelState, runs: Runs) -> None:
        self._state = state
        self._runs = runs

    @property
    def can_go_back(self) -> bool:
        """Whether there is a state from before the first restored entry."""
        return self._state.has_snapshot

    def go_back(self) -> None:
        """Show the controls as they were before an entry was restored."""
        self._state.restore_snapshot()

    def restore(self, number: int) -> None:
        """Put a call's config and prompt into the controls and show its response.

        What prevents it becomes the note at "run": a running task, or a number that is no longer in the history.
        """
        state = self._state
        with state.changing(RESULT, STATE, place="run"):
            if state.running:
                raise ConfigError("Another task is running", remedy="Stop it first.")
            exchange = next((exchange for exchange in state.session.history if exchange.number == number), None)
            if exchange is None:
                raise ConfigError(f"The history no longer contains number {number}")
            state.take_snapshot()
            note = self._fill_controls(exchange)
            state.result = replace(_result_of(exchange), asked=self._asked_now())
            state.note("run", f"{Version(exchange).title} is shown. {note}".rstrip())

    def restore_last_run(self) -> None:
        """Put the last run before a restart of the kernel into empty controls, as the user's own edit.

        Nothing happens without a history file. The active config stays the active one: another config's settings are
        left alone.
        """
        state = self._state
        session = state.session
        last = session.last
        if session.history_file is None or last is None or not last.is_earlier or state.prompt.text:
            return
        with state.changing(PROMPT, OPTIONS, RESULT, STATE, place="run"):
            if last.config.name.startswith("$"):
                return
            if session.active in {"", last.config.name}:
                self._fill_controls(last)
                state.accept_preview()
            else:
                state.prompt = self._prompt_of(last)
                state.options = CallOptions.from_notes(last.notes)
            state.result = replace(_result_of(last), asked=self._asked_now())
            state.note("run", *(_LOST if last.is_unfinished else _BEFORE_RESTART))

    def _asked_now(self) -> Asked:
        state, draft = self._state, self._state.draft
        return Asked(draft.config, draft.texts["system"], state.prompt.copy(), state.options, state.conversation.name)

    def _fill_controls(self, exchange: Exchange) -> str:
        """Put the call into the controls; return a line about what does not fit there."""
        if exchange.config.name.startswith("$"):
            return f"{exchange.config.name} is a LangChain object: the controls stay as they are."
        *earlier, last = [turn for turn in Version(exchange).messages if turn.get("role") != "system"] or [{}]
        _, system, note = boxes_from_messages([*_system_of(exchange), last])
        prompt, is_typed = self._prompt_of(exchange), self._typed_prompt(exchange) is not None
        options = CallOptions.from_notes(exchange.notes)
        config = replace(exchange.config, system=system, model_kwargs=_own_kwargs(exchange, options))
        self._state.preview(config, prompt, options)
        self._show_conversation(exchange, earlier)
        return "" if is_typed else note

    def _show_conversation(self, exchange: Exchange, earlier: list[Message]) -> None:
        """Show the turns that a call was sent with; other turns of their conversation stay as branches."""
        conversation, name = self._state.conversation, exchange.notes.get("conversation")
        if earlier or isinstance(name, str):
            conversation.show_messages(name if isinstance(name, str) else "", earlier)
        else:
            conversation.open("")

    def _typed_prompt(self, exchange: Exchange) -> PromptDraft | None:
        return self._runs.prompts.get(exchange.number) or Version(exchange).typed_prompt

    def _prompt_of(self, exchange: Exchange) -> PromptDraft:
        """Return a call's prompt as it was typed, or as it was sent."""
        typed = self._typed_prompt(exchange)
        if typed:
            return typed.copy()
        text = boxes_from_messages(list(Version(exchange).messages))[0]
        return PromptDraft(text, attachments=Version(exchange).attachments)


def _system_of(exchange: Exchange) -> list[Message]:
    return [message for message in exchange.messages if message.get("role") == "system"]


def _own_kwargs(exchange: Exchange, options: CallOptions) -> dict[str, Any]:
    """The kwargs of a call without those that its schema and its tools have added."""
    added = {*(["response_format"] if options.schema else []), *([tools.KWARG] if options.tools else [])}
    return {name: value for name, value in exchange.config.model_kwargs.items() if name not in added}


def _result_of(exchange: Exchange) -> RunResult:
    row = Row({}, exchange.config, exchange.response, exchange.error)
    return RunResult(
        [BatchRequest({}, exchange.config, exchange.messages)], Batch([row]), number=exchange.number, ids=[exchange.id]
    )
