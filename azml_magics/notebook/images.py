"""-i: a picture from a path, a URL or the notebook becomes an image content part."""

from __future__ import annotations

import base64
import io
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.wire import Message

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


def with_images(messages: Sequence[Message], images: Sequence[Any]) -> list[Message]:
    """The messages, the pictures joined to the last one. `images` are paths, URLs, or objects of the notebook."""
    *earlier, last = messages
    content = last["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    shown = [{"type": "image_url", "image_url": {"url": url_of(image)}} for image in images]
    return [*earlier, {**last, "content": [*parts, *shown]}]


def url_of(image: Any) -> str:
    """The picture as a URL: its own, or a data: URL with its bytes. UsageError where it is no picture."""
    if isinstance(image, str) and image.startswith(("https://", "data:image/")):
        return image
    if isinstance(image, str | Path):
        return _of_file(Path(image).expanduser())
    return _data_url(_bytes_of(image))


def _of_file(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"The image {path} cannot be read: {error.strerror or error}") from None
    kind = mimetypes.guess_type(path.name)[0] or ""
    if not kind.startswith("image/"):
        raise UsageError(f"{path} is no image file by its name", remedy="Give a .png, .jpg, .gif or .webp file.")
    return _data_url(data, kind)


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
            buffer = io.BytesIO()
            draw(buffer, **keywords)
            return buffer.getvalue()
    raise UsageError(
        f"-i cannot make an image of {type(image).__name__}",
        remedy="Give a path, bytes, a PIL image, a matplotlib figure or an IPython Image.",
    )


def _data_url(data: bytes, kind: str = "") -> str:
    kind = kind or next((known for start, known in _SIGNATURES if data.startswith(start)), "")
    if not kind:
        raise UsageError("-i was given bytes that are no PNG, JPEG, GIF or WebP")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
