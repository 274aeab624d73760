"""Attachments: an image, a PDF or a sound from a path, a URL or a variable becomes a content part of the prompt."""

from __future__ import annotations

import base64
import io
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import UsageError
from ..paths import path_of
from ..text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..messages import Message

_PDF = "application/pdf"
_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", _PDF),
    (b"ID3", "audio/mpeg"),
    *((bytes((0xFF, second)), "audio/mpeg") for second in (0xFB, 0xF3, 0xF2)),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_AUDIO_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/vnd.wave": "wav", "audio/mpeg": "mp3"}
_URLS = ("https://", "http://", "data:")
_KINDS = "a .png, .jpg, .gif, .webp, .pdf, .wav or .mp3 file"


def attach(messages: Sequence[Message], attachments: Sequence[Any]) -> list[Message]:
    """Return the messages with content parts added to the last one.

    Args:
        messages: The prompt.
        attachments: Paths, URLs, or objects of the notebook.

    Raises:
        UsageError: One of them is not an image, a PDF or a sound.
    """
    return attach_parts(messages, [part_of(attachment) for attachment in attachments])


def attach_parts(messages: Sequence[Message], parts: Sequence[dict[str, Any]]) -> list[Message]:
    """Return the messages with content parts added to the last one."""
    *earlier, last = messages
    content = last["content"]
    own = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return [*earlier, {**last, "content": [*own, *parts]}]


def part_of(attachment: Any) -> dict[str, Any]:
    """Return the content part of an image, a PDF or a sound, as OpenAI's chat route takes it.

    Args:
        attachment: A path, a URL, bytes, a PIL image, a matplotlib figure, or an Image or Audio of IPython.

    Raises:
        UsageError: It is none of them.
    """
    if isinstance(attachment, str) and attachment.startswith(_URLS):
        return _part_of_url(attachment)
    if isinstance(attachment, str | Path):
        return _part_of_file(path_of(attachment))
    url = getattr(attachment, "url", None)  # an IPython Image that the browser loads
    if isinstance(url, str) and url.startswith(_URLS):
        return _part_of_url(url)
    data = _bytes_of(attachment)
    kind = _kind_of(data)
    if not kind:
        raise UsageError("The attachment is bytes that are not a PNG, JPEG, GIF or WebP image, a PDF, WAV or MP3")
    return _make_part(data, kind)


def _part_of_url(url: str) -> dict[str, Any]:
    if url.startswith("data:"):
        head, _, data = url.removeprefix("data:").partition(",")
        kind = head.partition(";")[0]
        if kind in _AUDIO_FORMATS:
            return _audio(data, kind)
        if kind == _PDF:
            return _file("document.pdf", url)
    elif (name := unquote(urlsplit(url).path.rpartition("/")[2])).lower().endswith(".pdf"):
        return _file(name, url)
    return {"type": "image_url", "image_url": {"url": url}}


def _part_of_file(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"The file {path} cannot be read: {why}", remedy="Check the path.") from None
    return part_of_bytes(data, str(path))


def part_of_bytes(data: bytes, path: str) -> dict[str, Any]:
    """Return the content part of a file's bytes.

    Args:
        data: The bytes.
        path: The file's path or name; its suffix says what the bytes do not.

    Raises:
        UsageError: It is not an image, a PDF or a sound.
    """
    name = Path(path).name
    kind = _kind_of(data) or mimetypes.guess_type(name)[0] or ""
    if not (kind.startswith("image/") or kind in _AUDIO_FORMATS or kind == _PDF):
        raise UsageError(f"{path} is not an image, a PDF or a sound that models take", remedy=f"Give {_KINDS}.")
    return _make_part(data, kind, name)


def _make_part(data: bytes, kind: str, name: str = "") -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    if kind in _AUDIO_FORMATS:
        return _audio(encoded, kind)
    url = f"data:{kind};base64,{encoded}"
    return _file(name or "document.pdf", url) if kind == _PDF else {"type": "image_url", "image_url": {"url": url}}


def _file(name: str, url: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": name, "file_data": url}}


def _audio(data: str, kind: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO_FORMATS[kind]}}


def _kind_of(data: bytes) -> str:
    """The media type according to the first bytes; "" if it is not one that models take."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], "")
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "")


def _bytes_of(attachment: Any) -> bytes:
    """The bytes of a bytes object, an Image or Audio of IPython, a PIL image or a matplotlib figure."""
    if isinstance(attachment, bytes | bytearray):
        return bytes(attachment)
    data = getattr(attachment, "data", None)
    if isinstance(data, bytes):
        return data
    for method, keywords in (("savefig", {"format": "png", "bbox_inches": "tight"}), ("save", {"format": "PNG"})):
        draw = getattr(attachment, method, None)
        if callable(draw):
            return _save(draw, keywords, type(attachment).__name__)
    raise _refusal(type(attachment).__name__)


def _save(draw: Any, keywords: dict[str, Any], name: str) -> bytes:
    buffer = io.BytesIO()
    try:
        draw(buffer, **keywords)
    except Exception as error:
        raise _refusal(name, f": {type(error).__name__}: {one_line(str(error), 200)}") from error
    return buffer.getvalue()


def _refusal(name: str, why: str = "") -> UsageError:
    return UsageError(
        f"No image can be made of {name}{why}",
        remedy="Give a path, a URL, bytes, a PIL image, a matplotlib figure, or an Image or Audio of IPython.",
    )
