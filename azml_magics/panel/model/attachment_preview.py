"""A small picture of an attachment. It becomes part of a widget's state, so it is small, and nothing but a picture."""

from __future__ import annotations

import base64
import io
import re
from typing import Any, Final

_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*")
_SMALL: Final = 30_000  # characters of a data URL that may be its own preview
_SIDE: Final = 96  # pixels: twice what is shown, for fine screens


def make_preview(part: dict[str, Any]) -> str:
    """Return a data URL of at most 30,000 characters; "" for what is not a picture, or has no preview.

    Args:
        part: The content part. Pictures that are larger need Pillow.
    """
    url = _url_of(part)
    return _shrink(url.partition(",")[2]) if len(url) > _SMALL and _PICTURE.match(url) else small_preview(part)


def small_preview(part: dict[str, Any]) -> str:
    """Return the data URL of a picture if it is at most 30,000 characters itself; else ""."""
    url = _url_of(part)
    return url if len(url) <= _SMALL and _PICTURE.fullmatch(url) else ""


def _url_of(part: dict[str, Any]) -> str:
    image = part.get("image_url")
    return str(image.get("url", "")) if isinstance(image, dict) else ""


def _shrink(data: str) -> str:
    try:
        from PIL import Image  # type: ignore[import-not-found,unused-ignore]  # Pillow is optional

        with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            picture = opened.convert("RGB")
            picture.thumbnail((_SIDE, _SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=80)
    except Exception:  # noqa: BLE001 - without Pillow, or for a picture that it cannot read, there is no preview
        return ""
    url = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return url if len(url) <= _SMALL else ""
