"""The question whether a function may run, with its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from azml_magics.display.tool_runs import format_call

from .controls import StatusLine, action_button, button_row, set_visible

if TYPE_CHECKING:
    from ..model.approvals import Approvals

_LONGEST_CALL = 1_000  # characters of a call


class ApprovalRow:
    """The call that waits, and the buttons that allow or refuse it; hidden while none waits.

    Args:
        approvals: the calls that wait.
    """

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._line = StatusLine("azml-status")
        allow = action_button("Allow", approvals.allow, icon="check", tooltip="Run the function")
        every = action_button(
            "Allow all", lambda: approvals.allow(every=True), tooltip="Run it, and the other calls of this run"
        )
        refuse = action_button(
            "Refuse", approvals.refuse, icon="ban", tooltip="Do not run the function, and tell the model"
        )
        self.widget = w.VBox([self._line.widget, button_row(allow, every, refuse)])
        set_visible(self.widget, visible=False)

    def draw(self) -> None:
        """Show the call that waits."""
        call = self._approvals.call
        self._line.show(f"The model asks to run {format_call(call, _LONGEST_CALL)}" if call else "")
        set_visible(self.widget, call is not None)
