"""The history in the panel: its last entries, and one of them put back into the controls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.errors import ConfigError
from azml_magics.core.text import one_line

from .changes import RESULT, STATE
from .prompt_draft import PromptDraft, boxes_from_messages
from .run_result import Asked, RunResult

if TYPE_CHECKING:
    from azml_magics.exchange import Exchange

    from .runs import Runs
    from .state import PanelState

SHOWN = 50  # entries in the list
_PROMPT_LENGTH = 48  # characters of a prompt in a label


class History:
    """The last calls of the session. Restoring one can be undone: the controls' former state is kept.

    Args:
        state: the panel's state.
        runs: knows the prompts as the user typed them, with their variables.
    """

    def __init__(self, state: PanelState, runs: Runs) -> None:
        self._state = state
        self._runs = runs

    def entries(self) -> list[tuple[str, int]]:
        """(label, number) of the last calls, newest first."""
        return [(_label(exchange), exchange.number) for exchange in reversed(self._state.session.history[-SHOWN:])]

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
            state.note("run", f"Number {number} is shown. {note}".rstrip())

    def _asked_now(self) -> Asked:
        draft = self._state.draft
        return Asked(draft.config, draft.texts["system"], self._state.prompt.copy())

    def _fill_controls(self, exchange: Exchange) -> str:
        """Put the call into the controls; return a line about what does not fit there."""
        if exchange.config.name.startswith("$"):
            return f"{exchange.config.name} is a LangChain object: the controls stay as they are."
        text, system, note = boxes_from_messages(list(exchange.messages))
        typed = self._runs.prompts.get(exchange.number)
        self._state.preview(replace(exchange.config, system=system), typed.copy() if typed else PromptDraft(text))
        return "" if typed else note


def _label(exchange: Exchange) -> str:
    outcome = "failed" if exchange.error else f"{exchange.response.latency:.1f} s" if exchange.response else ""
    prompt = one_line(exchange.prompt, _PROMPT_LENGTH)
    return " · ".join(filter(None, [str(exchange.number), exchange.config.name, outcome, prompt]))


def _result_of(exchange: Exchange) -> RunResult:
    row = Row({}, exchange.config, exchange.response, exchange.error)
    return RunResult([BatchRequest({}, exchange.config, exchange.messages)], Batch([row]), number=exchange.number)
