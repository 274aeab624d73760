"""One picture, PDF or sound that is sent along with the prompt: named by a path, a URL or a variable, or uploaded."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azml_magics.core.errors import UsageError
from azml_magics.core.prompt.attachments import part_of, part_of_bytes
from azml_magics.core.text import one_line

from .attachment_preview import make_preview, small_preview

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*(?:<(?P<quoted>[^>]+)>|(?P<plain>[^)]+?))\s*\)")
_KILOBYTE: Final = 1000
_LARGE: Final = 20_000_000  # bytes; OpenAI takes 20 MB for a picture, others less
_NAME_LENGTH: Final = 60
_PAIR: Final = ("name", "source")  # of an attachment in a run's notes


@dataclass(frozen=True)
class Attachment:
    """An attachment of the prompt.

    Attributes:
        name: How it is shown.
        source: What a cell's -i takes: a path, a URL or `$name`; "" for what was uploaded.
        kind: What it is, such as "PNG"; "" if that is not known before it is sent.
        size: Its bytes; None if that is not known before it is sent.
        preview: A small picture of it as a data URL; "" without one.
        part: The content part of what was uploaded; None for what is read when it is sent.
    """

    name: str
    source: str = ""
    kind: str = ""
    size: int | None = None
    preview: str = field(default="", repr=False, compare=False)
    part: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """It in one line."""
        size = "" if self.size is None else format_size(self.size)
        return " · ".join(filter(None, [one_line(self.name, _NAME_LENGTH), self.kind, size]))

    @property
    def warning(self) -> str:
        """A sentence about its size if endpoints may refuse it; else ""."""
        if self.size is None or self.size < _LARGE:
            return ""
        return (
            f"{one_line(self.name, _NAME_LENGTH)} has {format_size(self.size)}: many endpoints refuse more than 20 MB."
        )

    def read(self, notebook: Mapping[str, Any]) -> dict[str, Any]:
        """Return its content part as it is now.

        Raises:
            UsageError: The file cannot be read, the variable does not exist, or it is nothing that models take.
        """
        if self.part is not None:
            return self.part
        if not self.source.startswith("$"):
            return part_of(self.source)
        name = self.source.removeprefix("$")
        if name not in notebook:
            raise UsageError(f"The attachment {self.source} is not defined", remedy="Define it in the notebook.")
        return part_of(notebook[name])

    def content(self) -> bytes:
        """The bytes of what was uploaded."""
        return base64.b64decode(_data_of(self.part or {}))


def read_attachment(typed: str, notebook: Mapping[str, Any]) -> Attachment:
    """Return the attachment that a typed text names: a path, a URL, `$name`, or a picture in Markdown.

    Raises:
        UsageError: As `Attachment.read` does.
    """
    source = typed.strip()
    if found := _MARKDOWN_IMAGE.fullmatch(source):
        source = found["quoted"] or found["plain"]
    if not source:
        raise UsageError("There is nothing to attach", remedy="Type a path, a URL, or $name for a variable.")
    attachment = Attachment(_short_name(source), source)
    return _describe(attachment.name, source, attachment.read(notebook))


def uploaded_attachment(name: str, data: bytes) -> Attachment:
    """Return the attachment of an uploaded file.

    Raises:
        UsageError: It is not an image, a PDF or a sound.
    """
    part = part_of_bytes(data, name)
    return _describe(name, "", part, kept=part)


def restored_attachments(content: object, named: object) -> tuple[Attachment, ...]:
    """Return the attachments of a message that was sent.

    Args:
        content: The message's content.
        named: (name, source) of each, as a run's notes have them; of another form if that is not known.
    """
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list | tuple) else []
    parts = [part for part in parts if part.get("type") != "text"]
    names = named if isinstance(named, list) and len(named) == len(parts) else [None] * len(parts)
    return tuple(
        _restore(part, known, number) for number, (part, known) in enumerate(zip(parts, names, strict=True), 1)
    )


def _restore(part: dict[str, Any], known: object, number: int) -> Attachment:
    pair = [each for each in known if isinstance(each, str)] if isinstance(known, list | tuple) else []
    name, source = pair if len(pair) == len(_PAIR) else (f"attachment {number}", "")
    return _describe(name, source, part, None if source else part, small_preview)


def names_of(attachments: Sequence[Attachment]) -> list[list[str]]:
    """Return (name, source) of each, as JSON data for a run's notes."""
    return [[attachment.name, attachment.source] for attachment in attachments]


def _describe(
    name: str,
    source: str,
    part: dict[str, Any],
    kept: dict[str, Any] | None = None,
    preview: Callable[[dict[str, Any]], str] = make_preview,
) -> Attachment:
    data = _data_of(part)
    size = len(data) * 3 // 4 - data[-2:].count("=") if data else None
    return Attachment(name, source, _kind_of(part), size, preview(part), kept)


def _kind_of(part: dict[str, Any]) -> str:
    """What a content part is, in a word."""
    if part.get("type") == "input_audio":
        return str(part.get("input_audio", {}).get("format", "sound")).upper()
    if part.get("type") == "file":
        return "PDF"
    url = _url_of(part)
    kind = url.removeprefix("data:").partition(";")[0].rpartition("/")[2] if url.startswith("data:") else "URL"
    return kind.partition("+")[0].upper()


def _data_of(part: dict[str, Any]) -> str:
    """The base64 text of a part's bytes; "" for one that names a URL."""
    if part.get("type") == "input_audio":
        return str(part.get("input_audio", {}).get("data", ""))
    url = str(part.get("file", {}).get("file_data", "")) if part.get("type") == "file" else _url_of(part)
    return url.partition(",")[2] if url.startswith("data:") else ""


def _url_of(part: dict[str, Any]) -> str:
    image = part.get("image_url")
    return str(image.get("url", "")) if isinstance(image, dict) else ""


def _short_name(source: str) -> str:
    """The name of a path or a URL; that of a variable as it is written."""
    if source.startswith("data:"):
        return "data: URL"
    if "://" in source:
        return urlsplit(source).path.rpartition("/")[2] or source
    return source if source.startswith("$") else Path(source).name or source


def format_size(size: int) -> str:
    """A number of bytes as text, such as "34 kB"."""
    if size < _KILOBYTE:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < _KILOBYTE**2 else f"{size / 1000**2:.1f} MB"
