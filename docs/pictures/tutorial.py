"""The picture in the tutorial about the panel, which has to work as a single file."""

from __future__ import annotations

import base64
import json
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "05_panel.ipynb"


def attached_picture() -> str:
    """The picture in the tutorial, in base64."""
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    (picture,) = [each["image/png"] for cell in cells for each in cell.get("attachments", {}).values()]
    return str(picture)


def attach_picture(path: Path) -> None:
    """Put a picture into the tutorial, and change nothing else in its file."""
    text, picture = TUTORIAL.read_text(encoding="utf-8"), base64.b64encode(path.read_bytes()).decode()
    TUTORIAL.write_text(text.replace(attached_picture(), picture), encoding="utf-8")
