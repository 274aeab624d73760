"""-i: an image from a path, a URL or the notebook becomes an image content part."""

from __future__ import annotations

import base64
import io
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.core.paths import path_of
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.messages import Message

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"))
_URLS = ("https://", "http://", "data:image/")


def with_images(messages: Sequence[Message], images: Sequence[Any]) -> list[Message]:
    """Return the messages with images added to the last one.

    Args:
        messages: The prompt.
        images: Paths, URLs, or objects of the notebook.

    Raises:
        UsageError: One of them is not an image.
    """
    *earlier, last = messages
    content = last["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    shown = [{"type": "image_url", "image_url": {"url": url_of(image)}} for image in images]
    return [*earlier, {**last, "content": [*parts, *shown]}]


def url_of(image: Any) -> str:
    """Return an image as a URL: its own, or a data: URL with its bytes.

    Args:
        image: A path, a URL, bytes, a PIL image, a matplotlib figure or an IPython Image.

    Raises:
        UsageError: It is not an image.
    """
    if isinstance(image, str) and image.startswith(_URLS):
        return image
    if isinstance(image, str | Path):
        return _of_file(path_of(image))
    url = getattr(image, "url", None)  # an IPython Image that the browser loads
    if isinstance(url, str) and url.startswith(_URLS):
        return url
    return _data_url(_bytes_of(image))


def _of_file(path: Path) -> str:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"The image {path} cannot be read: {why}", remedy="Check the path.") from None
    kind = _kind_of(data) or mimetypes.guess_type(path.name)[0] or ""
    if not kind.startswith("image/"):
        raise UsageError(f"{path} is not an image", remedy="Give a .png, .jpg, .gif or .webp file.")
    return _data_url(data, kind)


def _kind_of(data: bytes) -> str:
    """The media type according to the first bytes; "" if it is not one that models take."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "")


def _bytes_of(image: Any) -> bytes:
    """The bytes of a bytes object, an IPython Image, a PIL image or a matplotlib figure."""
    if isinstance(image, bytes | bytearray):
        return bytes(image)
    data = getattr(image, "data", None)
    if isinstance(data, bytes):
        return data
    for method, keywords in (("savefig", {"format": "png", "bbox_inches": "tight"}), ("save", {"format": "PNG"})):
        draw = getattr(image, method, None)
        if callable(draw):
            return _save(draw, keywords, type(image).__name__)
    raise _not_an_image(type(image).__name__)


def _save(draw: Any, keywords: dict[str, Any], name: str) -> bytes:
    buffer = io.BytesIO()
    try:
        draw(buffer, **keywords)
    except Exception as error:
        raise _not_an_image(name, f": {type(error).__name__}: {one_line(str(error), 200)}") from error
    return buffer.getvalue()


def _not_an_image(name: str, why: str = "") -> UsageError:
    return UsageError(
        f"-i cannot make an image of {name}{why}",
        remedy="Give a path, a URL, bytes, a PIL image, a matplotlib figure or an IPython Image.",
    )


def _data_url(data: bytes, kind: str = "") -> str:
    kind = kind or _kind_of(data)
    if not kind:
        raise UsageError("-i was given bytes that are not a PNG, JPEG, GIF or WebP image")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
