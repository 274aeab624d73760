"""Model kwargs: a few of them always in sight, the others and JSON in a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import DRAFT
from ..model.draft import OTHER_KWARGS
from .controls import StatusLine, fold, set_title, set_traits, text_area
from .kwarg_rows import KwargRows

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class KwargsSection:
    """The model kwargs of the chosen config."""

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._heading = w.Label(_dom_classes=("azml-heading",))
        self._rows = KwargRows(model)
        self._other_kwargs = text_area(
            "Others, JSON",
            model.set_other_kwargs,
            continuous_update=False,
            rows=2,
            placeholder='such as {"logprobs": true}',
        )
        self._line = StatusLine()
        self._fold = fold(w.VBox([self._rows.others, self._other_kwargs, self._line.widget]))
        self.widget = w.VBox([self._heading, self._rows.few, self._fold])

    def close(self) -> None:
        """Close the rows of the formatters that are not chosen; the panel closes the visible ones."""
        self._rows.close()

    def draw(self) -> None:
        """Show the draft's kwargs."""
        draft = self._model.draft
        sent, few = draft.config.model_kwargs, self._rows.draw(draft, self._model.name)
        folded = sent.keys() - few
        set_traits(self._heading, value=f"Model kwargs: {len(sent) or 'none'} sent")
        error = draft.errors.get(OTHER_KWARGS, "")
        set_title(self._fold, f"Other model kwargs{f': {len(folded)} sent' if folded else ''}{' ✗' if error else ''}")
        set_traits(self._other_kwargs, value=draft.other_kwargs_json)
        self._line.show(error, "bad")
