"""The Endpoint section: the URL, the key and the other fields of the connection, and the buttons that check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.core import endpoints, wire

from ..model.changes import CONFIG, DRAFT, NOTES, STATE
from ..model.key_status import key_status
from .controls import (
    KeyBox,
    ReferenceBox,
    StatusLine,
    action_button,
    button_row,
    on_change,
    set_traits,
    text_field,
)
from .lazy_fold import LazyFold
from .network_section import NetworkSection, network_title
from .next_step import DETECT, TRUST, TYPE_KEY, NextStep

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel

_EXAMPLE = "https://NAME.REGION.inference.ml.azure.com/score"
_KEY_SIGNS = {True: ("✓", "good"), False: ("✗", "bad"), None: ("?", "plain")}


def endpoint_title(model: PanelModel) -> str:
    """The section's heading, with the endpoint's host, and a word if its key is missing."""
    config = model.draft.config
    if not config.endpoint_url:
        return "Endpoint"
    missing = " · no key" if key_status(config).is_found is False else ""
    return f"Endpoint: {endpoints.Origin.of(config.endpoint_url).netloc}{missing}"


class EndpointSection:
    """The endpoint and the key of the chosen config."""

    parts = frozenset({CONFIG, DRAFT, NOTES, STATE})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._fields = self._make_fields()
        self._lines = {name: StatusLine() for name in self._fields}
        self._kind, self._key_sign, self._line = StatusLine(), StatusLine(), StatusLine()
        self._api_key = KeyBox(description="API key", placeholder="kept in memory only", continuous_update=False)
        self._api_key.observe(self._take_key, "value")
        self._checks = [
            action_button(
                "Test", model.checks.test, icon="check", tooltip="Connect, authenticate and request one token"
            ),
            action_button(
                "Detect", model.checks.detect, icon="search", tooltip="Read the deployment's swagger document"
            ),
            action_button(
                "Probe",
                lambda: model.checks.detect(probe=True),
                icon="question",
                tooltip="Try formatters, with at most 12 short prompts",
            ),
        ]
        self._next = NextStep(model, {DETECT: model.checks.detect, TRUST: model.trust.give, TYPE_KEY: self.focus_key})
        self._network = LazyFold(model, lambda: network_title(model), lambda: NetworkSection(model))
        self.widget = w.VBox(
            [*self._rows(), self._network.widget, button_row(*self._checks), self._line.widget, self._next.widget]
        )

    def _make_fields(self) -> dict[str, Any]:
        model = self._model
        types = [("from the URL", ""), ("dedicated", "dedicated"), ("serverless", "serverless")]
        references = "env:NAME, keyring:SERVICE/NAME, entra, ask or none"
        key_field = ReferenceBox(description="Key", placeholder=references, continuous_update=False)
        return {
            "endpoint_url": self._text_field("URL", "endpoint_url", _EXAMPLE),
            "endpoint_api_type": on_change(
                w.Dropdown(description="Type", options=types), lambda value: model.set("endpoint_api_type", value)
            ),
            "deployment_name": self._text_field("Deployment", "deployment_name", "chosen by the endpoint"),
            "key": on_change(key_field, lambda value: model.set("key", value)),
            "model": self._text_field("Model", "model", "only if the URL needs one"),
            "api_version": self._text_field("API version", "api_version", "the documented one"),
            "timeout": self._text_field("Timeout", "timeout", "190 (seconds)"),
            "max_retries": self._text_field("Retries", "max_retries", "2"),
        }

    def _text_field(self, label: str, name: str, placeholder: str) -> w.Text:
        return text_field(label, lambda value: self._model.set(name, value), placeholder=placeholder)

    def _rows(self) -> list[w.Widget]:
        """Every field with its lines below it."""
        below = {
            "endpoint_url": [self._kind.widget],
            "key": [self._key_sign.widget, self._api_key],
        }
        rows: list[w.Widget] = []
        for name, field in self._fields.items():
            rows += [field, self._lines[name].widget, *below.get(name, ())]
        return rows

    def _take_key(self, change: Any) -> None:
        """Empty the field at once: the state of a widget is saved in the notebook."""
        key, self._api_key.value = change["new"], ""
        if key:
            self._model.set_key(key)

    def focus_key(self) -> None:
        """Go to the field for a key."""
        self._api_key.focus()

    def draw(self) -> None:
        """Show the draft's fields."""
        draft = self._model.draft
        for name, field in self._fields.items():
            set_traits(field, value=draft.texts[name])
            self._lines[name].show(draft.errors.get(name, ""), "bad")
        self._network.draw()
        url = draft.config.endpoint_url
        kind = endpoints.service_of(url).title if url else ""
        notices = "".join(f". {notice}" for notice in wire.notices_for(draft.config))
        self._kind.show(f"{draft.config.endpoint_api_type}{': ' if kind else ''}{kind}{notices}" if url else "")
        status = key_status(draft.config)
        sign, mood = _KEY_SIGNS[status.is_found]
        self._key_sign.show(f"{sign} {status.text}", mood)
        for button in self._checks:
            set_traits(button, disabled=bool(self._model.running) or not url)
        note = self._model.notes.get("endpoint")
        self._line.show_note(note)
        self._next.draw(note)
