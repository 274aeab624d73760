"""The attachments of the prompt: add, upload, move, remove, and save what was uploaded where a cell finds it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azml_magics.core.errors import DocumentError, UsageError

from .attachment import Attachment, format_size, read_attachment, uploaded_attachment
from .changes import PROMPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import PanelState

PLACE: Final = "attachments"  # of their status line
_MAX_NAMES: Final = 1000  # files of one name in a folder


class InCell(NamedTuple):
    """Attachments as words of a cell's line, and what the cell needs before it does the same."""

    words: list[str]
    note: str


class Attachments:
    """The pictures and files of the prompt, in the order in which they are sent.

    Args:
        state: the panel's state.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state

    @property
    def items(self) -> tuple[Attachment, ...]:
        """The attachments."""
        return self._state.prompt.attachments

    def add(self, typed: str) -> bool:
        """Attach what a typed path, URL, `$name` or Markdown picture names; return whether that succeeded."""
        count = len(self.items)
        with self._state.changing(PROMPT, place=PLACE):
            self._append(read_attachment(typed, self._state.notebook_variables()))
        return len(self.items) > count

    def upload(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Attach files that were picked or dropped in the browser.

        Args:
            files: the name and the bytes of each.
        """
        for name, data in files:
            with self._state.changing(PROMPT, place=PLACE):
                self._append(uploaded_attachment(name, data))

    def refuse_large(self, name: str, size: int, limit: int) -> None:
        """Say that a file was not uploaded because it is too large for one message between browser and kernel."""
        with self._state.changing(place=PLACE):
            raise UsageError(
                f"{name} has {format_size(size)}, and the browser can send {format_size(limit)} at once",
                remedy="Put the file beside the notebook and type its path.",
            )

    def _append(self, attachment: Attachment) -> None:
        self._set([*self.items, attachment])
        self._state.note(PLACE, attachment.warning)

    def remove(self, index: int) -> None:
        """Remove an attachment."""
        with self._state.changing(PROMPT):
            self._set([each for at, each in enumerate(self.items) if at != index])
            self._state.note(PLACE)

    def move_up(self, index: int) -> None:
        """Send an attachment before the one above it."""
        items = list(self.items)
        if 0 < index < len(items):
            with self._state.changing(PROMPT):
                items[index - 1 : index + 1] = reversed(items[index - 1 : index + 1])
                self._set(items)

    @property
    def has_unsaved(self) -> bool:
        """Whether one was uploaded, so that no cell can name it."""
        return any(not each.source for each in self.items)

    def save_uploads(self) -> None:
        """Write what was uploaded into the notebook's folder, so that a cell can name it; no file is overwritten."""
        with self._state.changing(PROMPT, place=PLACE):
            saved = [each if each.source else _save(each) for each in self.items]
            names = [each.source for each, before in zip(saved, self.items, strict=True) if not before.source]
            self._set(saved)
            self._state.note(PLACE, f"Saved {', '.join(names)} in {Path.cwd()}.", "good")

    def _set(self, items: Sequence[Attachment]) -> None:
        prompt = self._state.prompt.copy()
        prompt.attachments = tuple(items)
        self._state.prompt = prompt

    def in_cell(self) -> InCell:
        """The words that attach them in a cell, and a note about those that were uploaded."""
        words: list[str] = []
        for each in self.items:
            source = each.source or _file_name(each)
            words += [shlex.quote(f"--image={source}")] if source.startswith("-") else ["-i", shlex.quote(source)]
        unsaved = [each.name for each in self.items if not each.source]
        note = f"Save uploads before you run the cell: only the panel has {', '.join(unsaved)}." if unsaved else ""
        return InCell(words, note)


def _save(attachment: Attachment) -> Attachment:
    """Write an uploaded attachment into a new file of the current folder, or find it there."""
    data, wanted = attachment.content(), Path(_file_name(attachment))
    for number in range(1, _MAX_NAMES):
        path = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
                return replace(attachment, name=path.name, source=str(path), part=None)
        except OSError as error:
            why = error.strerror or error
            raise DocumentError(f"{path} cannot be written: {why}", remedy="Remove it, or type a path.") from None
        else:
            return replace(attachment, name=path.name, source=str(path), part=None)
    raise DocumentError(f"There are too many files named {wanted}", remedy="Remove some, or type a path.")


def _file_name(attachment: Attachment) -> str:
    """A file name for what was uploaded: the browser's, without a folder."""
    name = attachment.name.replace("\\", "/").rpartition("/")[2].strip()
    usable = "".join(char if char.isprintable() else "_" for char in name).lstrip(".$-~ ")
    return usable or "attachment"
