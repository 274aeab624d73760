"""Run and Stop, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.changes import CONFIG, DRAFT, NOTES, OPTIONS, PROMPT, STATE, VARIABLES
from ..model.estimates import describe_run
from .approval_row import ApprovalRow
from .controls import StatusLine, action_button, set_traits
from .next_step import REPAIR, TRUST, NextStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.panel_model import PanelModel


class RunSection:
    """The buttons that send the prompt, and what came of the last click.

    Args:
        model: the panel's model.
        steps: what the button beside the status line may do, by its label.

    Attributes:
        controls: Run and Stop, for the panel's top row.
        below: the status lines, for below that row.
    """

    parts = frozenset({CONFIG, DRAFT, PROMPT, OPTIONS, VARIABLES, STATE, NOTES})

    def __init__(self, model: PanelModel, steps: Mapping[str, Callable[[], object]]) -> None:
        self._model = model
        runs = model.runs
        self._run = action_button(
            "Run", runs.run, icon="play", button_style="primary", tooltip="Send the prompt to this config (Ctrl+Enter)"
        )
        self._stop = action_button(
            "Stop", model.stop, icon="stop", tooltip="Stop, and keep the text received so far (Esc)", disabled=True
        )
        self._run.add_class("azml-run")
        self._stop.add_class("azml-stop")
        self._running, self._line = StatusLine("azml-status"), StatusLine("azml-status")
        self._estimate = StatusLine("azml-estimate")
        self._next = NextStep(model, {TRUST: self._trust, REPAIR: runs.repair, **steps})
        self._run.add_class("azml-send")
        self._approval = ApprovalRow(model.approvals)
        self.controls = (self._run, self._stop)
        self.below = (
            self._running.widget,
            self._approval.widget,
            self._line.widget,
            self._next.widget,
            self._estimate.widget,
        )

    def _trust(self) -> None:
        self._model.trust.give()
        self._run.focus()

    def draw(self) -> None:
        """Show what is running and what can be started."""
        model = self._model
        running = model.running
        self._running.show(running)
        self._approval.draw()
        note = model.notes.get("run")
        self._line.show_note(note)
        result = model.result if model.result and len(model.result.requests) == 1 else None
        self._next.draw(note, can_repair=bool(result and result.mismatch()))
        self._estimate.show("" if running else describe_run(model))
        set_traits(self._run, disabled=bool(running))
        set_traits(self._stop, disabled=not running)
