"""The Formatter section: the wire format of the request, and the request that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets as w

from azml_magics import codegen
from azml_magics.core import wire
from azml_magics.core.errors import AzmlError

from ..model.changes import DRAFT, PROMPT, VARIABLES
from ..model.error_messages import describe_error
from ..model.field_texts import formatter_text
from .controls import StatusLine, on_change, set_options, set_traits

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel

_MAX_SHOWN: Final = 20_000  # characters of a request


class FormatterSection:
    """The formatter of the chosen config and the request that Run would send.

    Attributes:
        is_open: whether the section is visible; the request is drawn only then.
    """

    parts = frozenset({DRAFT, PROMPT, VARIABLES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Formatter"), lambda name: model.set("formatter", name))
        self._description, self._line = StatusLine(), StatusLine()
        self._request = w.Textarea(description="Will send", disabled=True, rows=8)
        self.is_open = False
        self.widget = w.VBox([self._names, self._description.widget, self._line.widget, self._request])

    @property
    def title(self) -> str:
        """The section's heading, with the formatter's name."""
        draft = self._model.draft
        name = formatter_text(draft.config) or wire.default_for_url(draft.config.endpoint_url)
        return f"Formatter: {name}" if name else "Formatter"

    def draw(self) -> None:
        """Show the formatters that fit and, if the section is open, the request."""
        model = self._model
        set_options(self._names, model.formatter_choices())
        set_traits(self._names, value=model.draft.texts["formatter"])
        self._description.show(model.describe_formatter())
        self._line.show(model.draft.errors.get("formatter", ""), "bad")
        if self.is_open:
            set_traits(self._request, value=self._request_text())

    def _request_text(self) -> str:
        model = self._model
        try:
            return codegen.format_request(model.draft.config, model.messages(), stream=True)[:_MAX_SHOWN]
        except AzmlError as error:
            return describe_error(error)
