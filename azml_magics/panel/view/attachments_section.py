"""Pictures and files of the prompt: picked, dropped, pasted or typed, in the order in which they are sent."""

from __future__ import annotations

import contextlib
import html
import json
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as w

from ..model.changes import NOTES, PROMPT
from .controls import StatusLine, action_button, button_row, set_traits, set_visible
from .looks import close_tree

if TYPE_CHECKING:
    from ..model.attachment import Attachment
    from ..model.panel_model import PanelModel

MAX_UPLOAD: Final = 8_000_000
"""Bytes that the browser may send at once: Jupyter's server closes a connection whose message is longer than 10 MiB."""
_TYPES: Final = "image/*,application/pdf,audio/wav,audio/mpeg"


def attachments_title(model: PanelModel) -> str:
    """The heading of the section."""
    count = len(model.attachments.items)
    return f"Attachments: {count}" if count else "Attachments"


class AttachmentsSection:
    """The attachments, and the ways to add one.

    A script drops and pastes files into the same control that the picker has, and tells of those that are too large
    before they are sent.

    Args:
        model: the panel's model.
    """

    parts = frozenset({PROMPT, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        attachments = model.attachments
        self._upload = w.FileUpload(
            description="Choose files",
            accept=_TYPES,
            multiple=True,
            tooltip="Pictures, PDFs, WAV or MP3; they can also be dropped on the panel, or pasted",
            _dom_classes=("azml-upload",),
        )
        self._upload.observe(self._take, "value")
        self._typed = w.Text(description="File", placeholder="a path, a URL or $name")
        self._typed.on_msg(self._add_on_enter)
        attach = action_button("Attach", self._add, icon="paperclip", tooltip="Send this file along with the prompt")
        attach.add_class("azml-send")
        self._refused = w.Text(_dom_classes=("azml-refused", "azml-hidden"))
        self._refused.observe(self._refuse, "value")
        self._limit = w.Label(str(MAX_UPLOAD), _dom_classes=("azml-limit", "azml-hidden"))
        self._rows: list[_AttachmentRow] = []
        self._list = w.VBox(_dom_classes=("azml-attachments",))
        self._save = action_button(
            "Save uploads", attachments.save_uploads, icon="save", tooltip="Write them beside the notebook, for a cell"
        )
        self._line = StatusLine("azml-status")
        self.widget = w.VBox(
            [
                *(self._list, self._line.widget, button_row(self._typed, attach), button_row(self._upload, self._save)),
                *(self._refused, self._limit),
            ]
        )

    def _add_on_enter(self, _field: w.Text, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":
            self._add()

    def _add(self) -> None:
        if self._model.attachments.add(self._typed.value):
            set_traits(self._typed, value="")

    def _take(self, change: dict[str, Any]) -> None:
        """Take the files over and empty the control at once: the state of a widget is saved in the notebook."""
        if change["new"]:
            files = [(str(file["name"]), bytes(file["content"])) for file in change["new"]]
            self._upload.value = ()
            self._model.attachments.upload(files)

    def _refuse(self, change: dict[str, Any]) -> None:
        """Say what the script has not sent."""
        if change["new"]:
            self._refused.value = ""
            with contextlib.suppress(ValueError, TypeError):  # the script alone writes there
                name, size, *_ = json.loads(change["new"])
                self._model.attachments.refuse_large(str(name), int(size), MAX_UPLOAD)

    def draw(self) -> None:
        """Show the attachments."""
        items = self._model.attachments.items
        while len(self._rows) < len(items):
            self._rows.append(_AttachmentRow(self._model, len(self._rows)))
        while len(self._rows) > len(items):
            row = self._rows.pop()
            set_traits(self._list, children=tuple(each.widget for each in self._rows))
            close_tree(row.widget)
        for row, attachment in zip(self._rows, items, strict=True):
            row.draw(attachment)
        set_traits(self._list, children=tuple(row.widget for row in self._rows))
        set_visible(self._save, self._model.attachments.has_unsaved)
        self._line.show_note(self._model.notes.get("attachments"))


class _AttachmentRow:
    """One attachment."""

    def __init__(self, model: PanelModel, index: int) -> None:
        attachments = model.attachments
        self._preview = w.HTML(_dom_classes=("azml-preview",))
        self._label = StatusLine("azml-attachment")
        self._up = action_button(
            "", lambda: attachments.move_up(index), icon="arrow-up", tooltip="Send it before the one above"
        )
        remove = action_button("Remove", lambda: attachments.remove(index), tooltip="Do not send it")
        set_traits(self._up, disabled=index == 0)
        self.widget = w.HBox(
            [self._preview, self._label.widget, button_row(self._up, remove)], _dom_classes=("azml-attachment-row",)
        )

    def draw(self, attachment: Attachment) -> None:
        """Show the attachment."""
        shown = f'<img alt="" src="{html.escape(attachment.preview)}">' if attachment.preview else ""
        set_traits(self._preview, value=shown)
        set_visible(self._preview, shown)
        self._label.show(attachment.label)
