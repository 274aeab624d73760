"""The notebooks as pages below docs/tutorials: Sphinx reads nothing outside of its folder, so they are copied there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
_TO_PAGES = re.compile(r"https://github\.com/azml-magics/azml-magics/blob/main/docs/")
_TO_NOTEBOOKS = re.compile(r"(?<=\]\()(?:\.\./)+notebooks/(?=\w+\.ipynb)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Copy the notebooks before Sphinx looks for pages, and mend links between both."""
    app.connect("builder-inited", copy_notebooks)
    app.connect("source-read", on_source_read)
    return {"parallel_read_safe": True}


def copy_notebooks(app: Sphinx) -> None:
    """Make the notebooks below docs/tutorials those of the folder notebooks; git ignores them there."""
    folder = Path(app.srcdir) / "tutorials"
    for old in folder.glob("*.ipynb"):
        if not (NOTEBOOKS / old.name).exists():
            old.unlink()
    for path in NOTEBOOKS.glob("*.ipynb"):
        copied = folder / path.name
        if not copied.exists() or copied.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copied)


def on_source_read(_app: Sphinx, page: str, source: list[str]) -> None:
    """Lead links to pages on GitHub, and to the notebooks there, to the pages of this site."""
    source[0] = _TO_NOTEBOOKS.sub("/tutorials/", _TO_PAGES.sub("/", source[0]))
    if "(attachment:" in source[0]:
        source[0] = _with_attachments(source[0])
    if page == "tutorials/index":
        source[0] = source[0].replace("<!-- tutorials -->", list_of_tutorials())


def _with_attachments(notebook: str) -> str:
    """The notebook with the pictures that are attached to its cells in the place of their names."""
    data = json.loads(notebook)
    for cell in data["cells"]:
        text = "".join(cell["source"])
        for name, kinds in cell.get("attachments", {}).items():
            for kind, content in kinds.items():
                text = text.replace(f"(attachment:{name})", f"(data:{kind};base64,{''.join(content.split())})")
        cell["source"] = text
    return json.dumps(data)


def list_of_tutorials() -> str:
    """The notebooks as a list, each with its first paragraph."""
    rows = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        first = nbformat.read(path, as_version=4).cells[0].source  # type: ignore[no-untyped-call]  # untyped
        title, _, rest = first.partition("\n")
        paragraph = " ".join(rest.strip().partition("\n\n")[0].split())
        rows.append(f"* [{title.lstrip('# ')}]({path.name}): {paragraph}")
    return "\n".join(rows)
