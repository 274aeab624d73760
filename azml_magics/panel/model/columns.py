"""The responses side by side: the selected column, what differs from a base, ratings, and the way into the controls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics.core.errors import UnknownNameError, UsageError

from .changes import COLUMNS, RESULT
from .tools import without_tools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.compare.comparison import Row
    from azml_magics.compare.side_by_side import BatchRequest
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message

    from .run_result import RunResult
    from .state import PanelState
    from .versions import Versions


class Columns:
    """The columns of the result. Each of them is a version. A new result begins with its first one selected.

    Args:
        state: the panel's state.
        versions: rates the columns.
    """

    def __init__(self, state: PanelState, versions: Versions) -> None:
        self._state = state
        self._versions = versions
        self._of: Sequence[BatchRequest] | None = None  # the requests that the choices below are about
        self._selected = self._base = 0
        self._shows_differences = False

    def _result(self) -> RunResult | None:
        """The result; the choices about a former one are forgotten, unless it was repaired."""
        result = self._state.result
        requests = result.requests if result else None
        if requests is not self._of:
            self._of = requests
            if result is None or result.repaired is None:
                self._selected = self._base = 0
        return result

    @property
    def labels(self) -> list[str]:
        """What sets each column apart; [] unless there are several."""
        result = self._result()
        return [row.label for row in result.batch] if result and len(result.requests) > 1 else []

    # ---- the selected column

    @property
    def selected(self) -> int:
        """The index of the selected column, 0 for a single response."""
        self._result()
        return self._selected

    @property
    def row(self) -> Row | None:
        """The response of the selected column; None before the first run."""
        result = self._result()
        return result.batch[self._selected] if result else None

    @property
    def version_id(self) -> str:
        """The version that the selected column is; "" while it runs."""
        return self.id_of(self.selected)

    def id_of(self, index: int) -> str:
        """The version that a column is; "" while it runs."""
        result = self._result()
        return result.ids[index] if result and index < len(result.ids) else ""

    def call(self) -> tuple[LLMConfig, Sequence[Message]] | None:
        """The config and the messages that the selected column was sent with; None before the first run."""
        result = self._result()
        return result.requests[self._selected].as_recorded() if result else None

    def select(self, index: int) -> None:
        """Select a column: the other tabs and Versions are about it."""
        self._result()
        if index != self._selected and 0 <= index < len(self._of or ()):
            with self._state.changing(COLUMNS):
                self._selected = index

    # ---- differences

    @property
    def base(self) -> int | None:
        """The column that the others are compared with; None while differences are not shown."""
        return self.chosen_base if self._shows_differences else None

    @property
    def chosen_base(self) -> int:
        """The column that the others would be compared with."""
        self._result()
        return self._base

    def show_differences(self, *, shown: bool) -> None:
        """Show what differs from the base, or the responses as they are."""
        with self._state.changing(COLUMNS):
            self._shows_differences = shown

    def set_base(self, index: int) -> None:
        """Choose the column that the others are compared with, and show the differences."""
        self._result()
        if index != self._base and 0 <= index < len(self._of or ()):
            with self._state.changing(COLUMNS):
                self._base, self._shows_differences = index, True

    # ---- versions and controls

    def rating(self, index: int) -> str:
        """ "good" or "bad"; "" if the column was not rated."""
        try:
            version_id = self.id_of(index)
            return self._versions.get(version_id).rating if version_id else ""
        except UnknownNameError:  # the history has no room for it any more
            return ""

    def rate(self, index: int, rating: str) -> None:
        """Rate a column "good" or "bad"; "" takes the rating away."""
        with self._state.changing(COLUMNS, place="run"):
            version_id = self.id_of(index)
            if not version_id:
                raise UsageError("This response is not complete yet", remedy="Rate it when it is.")
            self._versions.rate(version_id, rating)

    def use(self, index: int) -> None:
        """Put the settings of a column into the controls. The prompt stays as it is; `versions.undo` goes back."""
        state, result = self._state, self._result()
        if result is None or not 0 <= index < len(result.requests):
            return
        with state.changing(RESULT, COLUMNS, place="run"):
            if state.running:
                raise UsageError("The responses are still arriving", remedy="Stop them first.")
            self._selected = index
            sent, asked = result.requests[index].config, result.asked
            is_own = asked is not None and sent.name == asked.config.name  # the others have other names
            base = asked.config if asked and is_own else self._saved(sent)
            state.take_snapshot()
            kwargs = without_tools(sent.model_kwargs, asked.options) if asked else sent.model_kwargs
            state.preview(replace(base, model_kwargs=kwargs), state.prompt, state.options)
            if asked and is_own:
                state.draft.set("system", asked.system)  # with its variables
            state.note("run", f"{result.batch[index].label} is in the controls now. Undo brings back what was there.")

    def _saved(self, sent: LLMConfig) -> LLMConfig:
        """A config of the session as it was sent, without the notebook's timeout."""
        session = self._state.session
        if sent.name in session.names() and sent.timeout == self._state.timeout():
            return replace(sent, timeout=session.get(sent.name).timeout)
        return sent
