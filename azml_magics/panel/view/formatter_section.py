"""The formatter: the wire format of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import DRAFT
from .controls import StatusLine, on_change, set_options, set_traits

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class FormatterSection:
    """The formatter of the chosen config; its description is the field's tooltip."""

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Formatter"), lambda name: model.set("formatter", name))
        self._names.add_class("azml-formatter")
        self._line = StatusLine()
        self.widget = w.VBox([self._names, self._line.widget])

    def draw(self) -> None:
        """Show the formatters that fit."""
        model = self._model
        set_options(self._names, model.formatter_choices())
        set_traits(self._names, value=model.draft.texts["formatter"], tooltip=model.describe_formatter())
        self._line.show(model.draft.errors.get("formatter", ""), "bad")
