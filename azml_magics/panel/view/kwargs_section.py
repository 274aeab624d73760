"""The Model kwargs section: a row for each kwarg that the formatter knows, and JSON for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import DRAFT
from ..model.draft import OTHER_KWARGS
from .controls import StatusLine, set_traits, text_area
from .kwarg_rows import KwargRows

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class KwargsSection:
    """The model kwargs of the chosen config."""

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._rows = KwargRows(model)
        self._other_kwargs = text_area(
            "Others, JSON",
            model.set_other_kwargs,
            continuous_update=False,
            rows=2,
            placeholder='such as {"logprobs": true}',
        )
        self._line = StatusLine()
        self.widget = w.VBox([self._rows.widget, self._other_kwargs, self._line.widget])

    @property
    def title(self) -> str:
        """The section's heading, with the number of kwargs that are sent."""
        sent = len(self._model.draft.config.model_kwargs)
        return f"Model kwargs: {sent} sent" if sent else "Model kwargs: none sent"

    def close(self) -> None:
        """Close the rows of the formatters that are not chosen; the panel closes the visible ones."""
        self._rows.close()

    def draw(self) -> None:
        """Show the draft's kwargs."""
        draft = self._model.draft
        self._rows.draw(draft)
        set_traits(self._other_kwargs, value=draft.other_kwargs_json)
        self._line.show(draft.errors.get(OTHER_KWARGS, ""), "bad")
