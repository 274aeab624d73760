"""The Network fold of the endpoint: headers, certificates, the proxy, and the time that a request may take in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w
from traitlets import Unicode

from ..model.changes import DRAFT
from ..model.field_texts import ALLOWED
from .controls import ReferenceBox, StatusLine, on_change, set_traits, text_field

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel

_NAMES = ("headers", "key_header", "verify", "proxy", "total_timeout", "allow_http")
_HEADERS_EXAMPLE = "X-Team=nlp\nOcp-Apim-Subscription-Key=env:APIM_KEY"


class HeadersBox(w.Textarea):  # type: ignore[misc]  # ipywidgets has no types
    """The field for headers. It sends no echo, so a key typed there by mistake leaves no copy."""

    value = Unicode("").tag(sync=True, echo_update=False)


def network_title(model: PanelModel) -> str:
    """The fold's heading, with the number of fields that are set."""
    count = sum(bool(model.draft.texts[name]) for name in _NAMES)
    return f"Network: {count} set" if count else "Network"


class NetworkSection:
    """How the chosen config reaches its endpoint."""

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._fields = self._make_fields()
        self._lines = {name: StatusLine() for name in self._fields}
        rows: list[w.Widget] = []
        for name, field in self._fields.items():
            rows += [field, self._lines[name].widget]
        self.widget = w.VBox(rows)

    def _make_fields(self) -> dict[str, Any]:
        model = self._model
        headers = HeadersBox(
            description="Headers", placeholder=_HEADERS_EXAMPLE, rows=2, continuous_update=False, tooltip="NAME=VALUE"
        )
        proxy = ReferenceBox(
            description="Proxy", placeholder="the environment's; URL, env:NAME, none", continuous_update=False
        )
        allow_http = w.Checkbox(description="Send the key over plain http, readable on its way", indent=False)
        return {
            "headers": on_change(headers, lambda text: model.set("headers", text)),
            "key_header": self._text_field("Key header", "key_header", "the endpoint's own, with Bearer"),
            "verify": self._text_field("Certificates", "verify", "the system's; a CA file or folder; off"),
            "proxy": on_change(proxy, lambda text: model.set("proxy", text)),
            "total_timeout": self._text_field("Total timeout", "total_timeout", "no limit (seconds)"),
            "allow_http": on_change(allow_http, lambda allowed: model.set("allow_http", ALLOWED if allowed else "")),
        }

    def _text_field(self, label: str, name: str, placeholder: str) -> w.Text:
        return text_field(label, lambda value: self._model.set(name, value), placeholder=placeholder)

    def draw(self) -> None:
        """Show the draft's fields."""
        draft = self._model.draft
        for name, field in self._fields.items():
            text = draft.texts[name]
            set_traits(field, value=text == ALLOWED if name == "allow_http" else text)
            self._lines[name].show(draft.errors.get(name, ""), "bad")
