"""What an empty panel offers: the demo, an endpoint of one's own, and a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.core import key_sources
from azml_magics.core.secret import Secret

from ..model.changes import CONFIG, DRAFT, FOUND, NOTES, STATE
from ..model.connection import config_from
from .controls import (
    KeyBox,
    ReferenceBox,
    StatusLine,
    action_button,
    button_row,
    on_change,
    set_options,
    set_traits,
    set_visible,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.panel_model import PanelModel

_KEYS = [
    ("an API key, typed here", "ask"),
    ("sign in with Entra ID", "entra"),
    ("a reference, such as env:NAME", "reference"),
    ("no key", "none"),
]


class FirstSteps:
    """Three buttons while there is no config, and the form of Connect.

    Args:
        model: the panel's model.
        open_import: shows the form for a file.
    """

    parts = frozenset({CONFIG, DRAFT, STATE, NOTES, FOUND})

    def __init__(self, model: PanelModel, open_import: Callable[[], None]) -> None:
        self._model = model
        self._demo = action_button("Try the demo", model.connection.try_demo, icon="flask", button_style="primary")
        self._demo.tooltip = "Start a local endpoint with prepared responses: no account, no key"
        self._welcome = w.VBox(
            [
                w.Label("There is no config yet. Start with one of these:", _dom_classes=("azml-heading",)),
                button_row(
                    self._demo,
                    action_button("Connect my endpoint", self.open, icon="plug", tooltip="Paste a URL, or sign in"),
                    action_button("Import a file", open_import, icon="upload", tooltip="Read a config from a file"),
                ),
            ]
        )
        self._url = w.Text(description="URL", placeholder="paste it from the studio", continuous_update=False)
        self._found = on_change(w.Dropdown(description="Found"), self._pick)
        self._key = on_change(w.Dropdown(description="Key", options=_KEYS), lambda _: self._draw_key())
        self._typed_key = KeyBox(description="API key", placeholder="kept in memory only", continuous_update=False)
        self._reference = ReferenceBox(description="Reference", placeholder="env:NAME", continuous_update=False)
        self._connect = action_button("Connect", self._start, icon="plug", button_style="primary")
        self._find = action_button("Find", model.connection.discover, icon="search")
        self._find.tooltip = "Sign in with Entra ID and list the endpoints that you can use"
        self._line = StatusLine("azml-status")
        cancel = action_button("Cancel", self.close)
        cancel.add_class("azml-cancel")
        buttons = button_row(self._connect, self._find, cancel)
        self._form = w.VBox([self._url, self._found, self._key, self._typed_key, self._reference, buttons])
        self._form.add_class("azml-form")
        self._secret: Secret | None = None
        self._typed_key.observe(self._take_key, "value")
        set_visible(self._form, False)
        self._draw_key()
        self.widget = w.VBox([self._welcome, self._form, self._line.widget])

    def open(self) -> None:
        """Show the form of Connect."""
        set_visible(self._form, True)

    def close(self) -> None:
        """Hide the form of Connect."""
        self._secret = None
        set_visible(self._form, False)

    def _take_key(self, change: Any) -> None:
        """Empty the field at once: the state of a widget is saved in the notebook."""
        key, self._typed_key.value = change["new"], ""
        if key:
            self._secret = Secret(key)
            set_traits(self._typed_key, placeholder="typed, kept in memory only")

    def _pick(self, index: int | None) -> None:
        found = self._model.connection.found
        if index is not None and index < len(found):
            set_traits(self._url, value=found[index][1].endpoint_url)

    def _start(self) -> None:
        model = self._model
        with model.changing(place="connect"):
            picked = next((c for _, c in model.connection.found if c.endpoint_url == self._url.value), None)
            model.connection.connect(picked or self._typed_config())

    def _typed_config(self) -> Any:
        kind, url = self._key.value, self._url.value
        config = config_from(url, self._reference.value.strip() or "none" if kind == "reference" else kind)
        if kind == "ask" and self._secret:
            key_sources.remember_key(config.endpoint_url, self._secret)
        return config

    def _draw_key(self) -> None:
        set_visible(self._typed_key, self._key.value == "ask")
        set_visible(self._reference, self._key.value == "reference")

    def draw(self) -> None:
        """Show what fits the session."""
        model, is_running = self._model, bool(self._model.running)
        names = [name for name in model.names if name]
        set_visible(self._welcome, not names)
        set_visible(self._demo, model.connection.has_demo)
        labels = [(label, index) for index, (label, _) in enumerate(model.connection.found)]
        set_options(self._found, [("choose one", None), *labels])
        set_visible(self._found, labels)
        for button in (self._demo, self._connect, self._find):
            set_traits(button, disabled=is_running)
        note = model.notes.get("connect")
        self._line.show_note(note)
        if model.connection.has_connected:
            self.close()
