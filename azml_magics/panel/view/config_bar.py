"""The top of the panel: the list of configs, and buttons to create, save, delete, import and export them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from ..model.changes import CONFIG, NOTES
from ..model.drafts import NEW
from .config_form import ConfigForm
from .controls import StatusLine, action_button, button_row, on_change, set_options, set_traits

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class ConfigBar:
    """The chosen config, a mark for unsaved changes, and the actions on configs."""

    parts = frozenset({CONFIG, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Config"), model.choose)
        self._mark = StatusLine("azml-mark")
        self._line = StatusLine()
        self._form = form = ConfigForm(model)
        self._save = action_button("Save", self._save_config, icon="save", tooltip="Save the changes under this name")
        self._revert = action_button("Revert", model.revert, icon="undo", tooltip="Discard the unsaved changes")
        self._delete = action_button(
            "Delete", lambda: form.open("delete"), icon="trash", tooltip="Remove this config from the session"
        )
        actions = button_row(
            action_button("New", model.new, icon="plus", tooltip="Start a new config"),
            self._save,
            action_button("Save as", lambda: form.open("save"), icon="copy", tooltip="Save under another name"),
            self._revert,
            self._delete,
            action_button("Import", lambda: form.open("import"), icon="upload", tooltip="Read a config from a file"),
            action_button("Export", lambda: form.open("export"), icon="download", tooltip="Write it to a file"),
        )
        top = w.HBox([self._names, actions])
        top.add_class("azml-top")
        self.widget = w.VBox([top, form.widget, self._mark.widget, self._line.widget])

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
        set_traits(self._revert, disabled=not changed)
        set_traits(self._delete, disabled=not model.name)
        self._line.show_note(model.notes.get("config"))
        self._form.draw()
