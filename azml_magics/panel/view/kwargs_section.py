"""Model kwargs: a few of them always in sight, the others and JSON in a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import DRAFT, FOLDS
from ..model.draft import OTHER_KWARGS
from .controls import StatusLine, set_traits, text_area
from .kwarg_rows import KwargRows
from .lazy_fold import LazyFold

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class KwargsSection:
    """The model kwargs of the chosen config."""

    parts = frozenset({DRAFT, FOLDS})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._heading = w.Label(_dom_classes=("azml-heading",))
        self._rows = KwargRows(model)
        self._few: set[str] = set()
        self._fold = LazyFold(model, self._other_title, lambda: OtherKwargs(model, self._rows))
        self.widget = w.VBox([self._heading, self._rows.few, self._fold.widget])

    def _other_title(self) -> str:
        draft = self._model.draft
        folded = draft.config.model_kwargs.keys() - self._few
        sent = f": {len(folded)} sent" if folded else ""
        return f"Other model kwargs{sent}{' ✗' if OTHER_KWARGS in draft.errors else ''}"

    def close(self) -> None:
        """Close the rows of the formatters that are not chosen; the panel closes the visible ones."""
        self._rows.close()

    def draw(self) -> None:
        """Show the draft's kwargs."""
        draft = self._model.draft
        self._few = self._rows.draw(draft, self._model.name)
        set_traits(self._heading, value=f"Model kwargs: {len(draft.config.model_kwargs) or 'none'} sent")
        self._fold.draw()


class OtherKwargs:
    """The kwargs that are not always in sight, and those without a control as JSON.

    Args:
        model: the panel's model.
        rows: has the rows of both.
    """

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel, rows: KwargRows) -> None:
        self._model, self._rows = model, rows
        self._json = text_area(
            "Others, JSON",
            model.set_other_kwargs,
            continuous_update=False,
            rows=2,
            placeholder='such as {"logprobs": true}',
        )
        self._box, self._line = w.VBox(), StatusLine()
        self.widget = w.VBox([self._box, self._json, self._line.widget])

    def draw(self) -> None:
        """Show the draft's other kwargs."""
        draft = self._model.draft
        self._rows.draw_others(self._box, draft)
        set_traits(self._json, value=draft.other_kwargs_json)
        self._line.show(draft.errors.get(OTHER_KWARGS, ""), "bad")
