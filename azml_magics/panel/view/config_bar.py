"""The list of configs, Save, and a menu of what else can be done with a config and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import CONFIG, NOTES
from ..model.drafts import NEW
from .config_form import ConfigForm
from .controls import StatusLine, action_button, button_row, on_change, set_options, set_traits, set_visible
from .first_steps import FirstSteps

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.panel_model import PanelModel


class ConfigBar:
    """The chosen config, a mark for unsaved changes, and the actions on configs.

    Attributes:
        controls: what stands in the panel's top row.
        first_steps: what an empty panel offers.
        below: the menu, the form of its actions and their outcome, which stand below that row.
    """

    parts = frozenset({CONFIG, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Config"), model.choose)
        self._mark = StatusLine("azml-mark", "azml-inline")
        self._line = StatusLine()
        self._form = form = ConfigForm(model)
        self.first_steps = FirstSteps(model, lambda: form.open("import"))
        self._save = action_button("Save", self._save_config, icon="save", tooltip="Save the changes, for this session")
        self._menu_button = w.ToggleButton(
            description="More",
            icon="ellipsis-h",
            tooltip="New, Save as, Import and others",
            _dom_classes=("azml-expands",),
        )
        self._keep = self._menu_item(
            "Keep", model.keep, icon="thumb-tack", tooltip="Save it, and keep it beyond this kernel, without a key"
        )
        self._revert = self._menu_item("Revert", model.revert, icon="undo", tooltip="Discard the unsaved changes")
        self._delete = self._menu_item(
            "Delete", lambda: form.open("delete"), icon="trash", tooltip="Remove this config from the session"
        )
        self._menu = menu = button_row(
            self._menu_item("New", model.new, icon="plus", tooltip="Start a new config"),
            self._menu_item("Connect", self.first_steps.open, icon="plug", tooltip="Paste a URL, or sign in"),
            self._menu_item("Save as", lambda: form.open("save"), icon="copy", tooltip="Save under another name"),
            self._keep,
            self._revert,
            self._delete,
            self._menu_item("Import", lambda: form.open("import"), icon="upload", tooltip="Read a config from a file"),
            self._menu_item("Export", lambda: form.open("export"), icon="download", tooltip="Write it to a file"),
        )
        set_visible(menu, False)
        self._menu_button.observe(lambda change: set_visible(menu, change["new"]), "value")
        self.controls = (self._names, self._mark.widget, self._save, self._menu_button)
        self.below = (self._menu, form.widget, self._line.widget)

    def _menu_item(self, label: str, call: Callable[[], object], **traits: str) -> w.Button:
        """A button of the menu, which closes when one is clicked."""

        def choose() -> None:
            self._menu_button.value = False
            call()

        return action_button(label, choose, **traits)

    def _save_config(self) -> None:
        if self._model.name == NEW:
            self._form.open("save")
        else:
            self._model.save()

    def draw(self) -> None:
        """Show the session's configs."""
        model = self._model
        set_options(self._names, [(name or "(new config)", name) for name in model.names])
        set_traits(self._names, value=model.name)
        changed = model.draft.is_changed
        self._mark.show("● unsaved changes" if changed and model.name else "", "mark")
        set_traits(self._save, disabled=not changed and bool(model.name))
        set_traits(self._keep, disabled=not model.name)
        set_traits(self._revert, disabled=not changed)
        set_traits(self._delete, disabled=not model.name)
        self._line.show_note(model.notes.get("config"))
        self._form.draw()
