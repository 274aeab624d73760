"""The Versions tab: every run in one list, and for the selected one what differs, its rating and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.core.text import one_line
from azml_magics.display.facts import response_facts

from .controls import StatusLine, action_button, button_row, drawing, on_change, set_options, set_traits, text_field
from .mime_output import MimeOutput
from .version_diff import diff_bundle

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel
    from ..model.version import Version

_NOTHING = {"text/plain": "No version yet: every run becomes one."}


class VersionsSection:
    """One list for all versions and one place for the selected one, so that hundreds of versions need no more widgets.

    The answer that the panel shows is the selected version until another one is chosen, so a new answer can be rated
    at once.

    Args:
        model: the panel's model.
    """

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._selected = ""  # the version's id
        self._followed = ""  # the answer that was selected last because the panel showed it
        versions = model.versions
        self._list = on_change(w.Select(rows=8, _dom_classes=("azml-versions",)), self._select)
        self._facts, self._difference = StatusLine(), MimeOutput()
        self._restore = action_button(
            "Restore",
            lambda: versions.restore(self._selected),
            icon="history",
            tooltip="Put its prompt and settings into the controls, and show its answer",
        )
        self._undo = action_button("Undo", versions.undo, icon="undo", tooltip="Bring back what Restore replaced")
        self._ratings = {rating: self._rating_button(rating) for rating in ("good", "bad")}
        self._name = text_field("Version name", lambda text: versions.set_name(self._selected, text))
        self._note = text_field("Note", lambda text: versions.set_note(self._selected, text))
        self._file = w.Text(description="Export to", placeholder="versions.jsonl")
        self._file.on_msg(self._export_on_enter)
        export = action_button(
            "Export versions", self._export, icon="download", tooltip="Write all of them, as JSON lines"
        )
        self._export_button = export
        buttons = button_row(self._restore, self._undo, *self._ratings.values())
        export_row = button_row(self._file, export)
        self.widget = w.VBox(
            [
                *(self._list, self._facts.widget, buttons, self._difference.widget),
                *(self._name, self._note, export_row),
            ]
        )

    def _rating_button(self, rating: str) -> w.ToggleButton:
        button = w.ToggleButton(
            description=rating.capitalize(),
            icon="thumbs-up" if rating == "good" else "thumbs-down",
            tooltip=f"Rate this version {rating}",
            _dom_classes=("azml-toggles",),
        )
        rate = self._model.versions.rate
        return on_change(button, lambda is_on: rate(self._selected, rating if is_on else ""))

    def _select(self, version_id: str | None) -> None:
        self._selected = version_id or ""
        with self._model.changing(), drawing():  # at once, also while a response is growing
            self.draw()

    def _export_on_enter(self, _field: w.Text, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":
            self._export()

    def _export(self) -> None:
        self._model.versions.export(self._file.value)

    def draw(self) -> None:
        """Show the versions and the selected one."""
        entries = self._model.versions.entries()
        version = self._find_selected(entries)
        set_options(self._list, [(each.label, each.id) for each in entries])
        set_traits(self._list, value=version.id if version else None)
        for control in (self._restore, *self._ratings.values(), self._name, self._note, self._export_button):
            set_traits(control, disabled=version is None)
        set_traits(self._undo, disabled=not self._model.versions.can_undo)
        for rating, button in self._ratings.items():
            set_traits(button, value=version is not None and version.rating == rating)
        set_traits(self._name, value=version.name if version else "")
        set_traits(self._note, value=version.note if version else "")
        self._facts.show(_facts_line(version) if version else "")
        differences = self._model.versions.differences_from_controls
        self._difference.show(diff_bundle(differences(version.id)) if version else _NOTHING)

    def _find_selected(self, entries: list[Version]) -> Version | None:
        """Return the version to show: the chosen one, or the panel's own answer if that is a new one."""
        shown = self._model.columns.version_id
        if shown and shown != self._followed:
            self._followed = self._selected = shown
        found = next((each for each in entries if each.id == self._selected), None) or next(iter(entries), None)
        self._selected = found.id if found else ""
        return found


def _facts_line(version: Version) -> str:
    """Return when it ran, and what is known about its answer."""
    exchange = version.exchange
    facts = response_facts(exchange.response, times=True, always_finish=True) if exchange.response else []
    when = f"{exchange.recorded_at.astimezone():%Y-%m-%d %H:%M:%S}"
    return " · ".join([when, *filter(None, [one_line(exchange.config.name)]), *facts])
