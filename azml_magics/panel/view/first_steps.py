"""What an empty panel offers: the demo, an endpoint of one's own, and a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.core import key_sources
from azml_magics.core.secret import Secret
from azml_magics.display.table import TableOutput

from ..model.changes import CONFIG, DRAFT, FOUND, NOTES, STATE
from ..model.connection import config_from
from .controls import (
    KeyBox,
    ReferenceBox,
    StatusLine,
    action_button,
    button_row,
    is_visible,
    on_change,
    set_options,
    set_traits,
    set_visible,
    text_field,
)
from .mime_output import MimeOutput
from .next_step import TYPE_KEY, NextStep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azml_magics.azure.deployment import Deployment
    from azml_magics.core.config import LLMConfig

    from ..model.panel_model import PanelModel

_NO_KEY_YET = "kept in memory only"
_FOUND = "found"
_FOUND_HEADINGS = ("name", "state", "key", "model, in")
_KEYS = [
    ("an API key, typed here", "ask"),
    ("sign in with Entra ID", "entra"),
    ("a reference, such as env:NAME", "reference"),
    ("no key", "none"),
]


def _table_of(found: Sequence[Deployment]) -> dict[str, str]:
    """What was found, the state and the accepted keys first: the last columns of a wide table are out of sight."""
    rows = [
        (row.name, row.remark, row.auth, " · ".join(filter(None, (row.model or row.kind, row.owner, row.location))))
        for row in found
    ]
    return TableOutput(_FOUND_HEADINGS, rows).to_bundle() if rows else {}


class FirstSteps:
    """Buttons while there is no config, and the form of Connect.

    Args:
        model: the panel's model.
        open_import: shows the form for a file.
    """

    parts = frozenset({CONFIG, DRAFT, STATE, NOTES, FOUND})

    def __init__(self, model: PanelModel, open_import: Callable[[], None]) -> None:
        self._model = model
        self._demo = action_button("Try the demo", model.connection.try_demo, icon="flask", button_style="primary")
        self._demo.tooltip = "Start a local endpoint with prepared responses: no account, no key"
        self._small = action_button("Run a small model", model.connection.try_model, icon="microchip")
        self._small.tooltip = "Start a real language model on this computer: small, and often wrong"
        self._welcome = w.VBox(
            [
                w.Label("There is no config yet. Start with one of these:", _dom_classes=("azml-heading",)),
                button_row(
                    self._demo,
                    self._small,
                    action_button("Connect my endpoint", self.open, icon="plug", tooltip="Paste a URL, or sign in"),
                    action_button("Import a file", open_import, icon="upload", tooltip="Read a config from a file"),
                ),
            ]
        )
        self._url = text_field("Endpoint URL", self._type_url, placeholder="paste it from the studio")
        self._found = on_change(w.Dropdown(description="Found"), self._pick)
        self._key = on_change(w.Dropdown(description="Key source", options=_KEYS), lambda _: self._draw_key())
        self._typed_key = KeyBox(description="Endpoint key", placeholder=_NO_KEY_YET, continuous_update=False)
        self._reference = ReferenceBox(description="Reference", placeholder="env:NAME", continuous_update=False)
        self._connect = action_button("Connect", self._start, icon="plug", button_style="primary")
        self._find = action_button("Find", model.connection.discover, icon="search")
        self._find.tooltip = "Sign in with Entra ID and list the endpoints that you can use"
        self._line, self._notes = StatusLine("azml-status"), StatusLine("azml-several")
        self._next = NextStep(model, {TYPE_KEY: self._focus_key})
        cancel = action_button("Cancel", self.close)
        cancel.add_class("azml-cancel")
        buttons = button_row(self._connect, self._find, cancel)
        self._table = MimeOutput("azml-found")
        fields = [self._found, self._table.widget, self._key, self._typed_key, self._reference]
        self._form = w.VBox([self._url, *fields, buttons])
        self._form.add_class("azml-form")
        self._secret: Secret | None = None
        self._typed_key.observe(self._take_key, "value")
        set_visible(self._form, False)
        self._draw_key()
        self.widget = w.VBox([self._welcome, self._form, self._line.widget, self._next.widget, self._notes.widget])

    def open(self) -> None:
        """Show the form of Connect."""
        self._model.connection.begin()
        set_visible(self._form, True)
        self._url.focus()

    def close(self) -> None:
        """Hide the form of Connect."""
        self._secret = None
        set_traits(self._typed_key, placeholder=_NO_KEY_YET)
        set_visible(self._form, False)
        self._notes.show("")

    def _focus_key(self) -> None:
        set_traits(self._key, value="ask")
        self._typed_key.focus()

    def _take_key(self, change: Any) -> None:
        """Empty the field at once: the state of a widget is saved in the notebook."""
        key, self._typed_key.value = change["new"], ""
        if key:
            self._secret = Secret(key)
            set_traits(self._typed_key, placeholder="typed, kept in memory only")

    def _pick(self, index: int | None) -> None:
        """Fill in a deployment that was found; its URL alone may be that of several."""
        row = None if index is None else self._model.connection.pick(index)
        if row is None:
            set_traits(self._found, value=None)
            set_options(self._key, _KEYS)
        else:
            set_traits(self._url, value=row.url)
            set_options(self._key, [(f"as found: {row.key.partition(':')[0]}", _FOUND), *_KEYS])
            set_traits(self._key, value=_FOUND)
        self._draw_key()

    def _type_url(self, url: str) -> None:
        """Another URL is another endpoint than the one that was picked."""
        picked = self._picked
        if picked is not None and picked.url != url:
            set_traits(self._found, value=None)

    @property
    def _picked(self) -> Deployment | None:
        index = self._found.value
        return None if index is None else self._model.connection.found[index]

    def _start(self) -> None:
        model = self._model
        with model.changing(place="connect"):
            model.connection.connect(self._config())

    def _config(self) -> LLMConfig:
        kind, picked = self._key.value, self._picked
        key = {"reference": self._reference.value.strip() or "none", _FOUND: ""}.get(kind, kind)
        connection = self._model.connection
        config = config_from(self._url.value, key) if picked is None else connection.config_of(picked, key)
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
        set_visible(self._small, model.connection.has_model)
        labels = [(label, index) for index, label in enumerate(model.connection.labels)]
        set_options(self._found, [("choose one", None), *labels])
        set_visible(self._found, labels)
        self._table.show(_table_of(model.connection.found))
        set_visible(self._table.widget, labels)
        if self._picked is None:  # another search has other ones
            set_options(self._key, _KEYS)
            self._draw_key()
        for button in (self._demo, self._small, self._connect, self._find):
            set_traits(button, disabled=is_running)
        note = model.notes.get("connect")
        self._line.show_note(note)
        self._next.draw(note if is_visible(self._form) else None)
        self._notes.show("\n".join(model.connection.problems) if is_visible(self._form) else "")
        if model.connection.has_connected:
            self.close()
