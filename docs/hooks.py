"""What mkdocs does while it builds: verbs from the parsers, tutorials from the notebooks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

from azml_magics.notebook import help_text
from azml_magics.notebook.verbs import VERBS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
_TABLE_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every notebook into the navigation, below the page that lists them."""
    tutorials = next(section["Tutorials"] for section in config.nav or () if "Tutorials" in section)
    tutorials += [f"tutorials/{path.stem}.md" for path in _notebooks()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every notebook, with the pictures in its outputs."""
    for path in _notebooks():
        text, pictures = as_markdown(path)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))
    return files


def on_page_markdown(markdown: str, **_further: object) -> str:
    """Fill in what is made from the parsers and the notebooks."""
    markdown = _TABLE_ROW.sub(_unescaped, markdown)
    return markdown.replace("<!-- verbs -->", verbs()).replace("<!-- tutorials -->", tutorials())


def _unescaped(row: re.Match[str]) -> str:
    """The row of a table as Python-Markdown reads it: a bar in code needs no backslash there, as it does on GitHub."""
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), row[0])


def verbs() -> str:
    """Every verb of %azureml with its options, as %azureml help shows it."""
    return "\n\n".join(f"### {name}\n\n```text\n{help_text.verb_help(name)}\n```" for name in VERBS)


def tutorials() -> str:
    """The notebooks as a list, each with its first paragraph."""
    rows = []
    for path in _notebooks():
        first = nbformat.read(path, as_version=4).cells[0].source  # type: ignore[no-untyped-call]  # untyped
        title, _, rest = first.partition("\n")
        paragraph = " ".join(rest.strip().partition("\n\n")[0].split())
        rows.append(f"* [{title.lstrip('# ')}]({path.stem}.md): {paragraph}")
    return "\n".join(rows)


def as_markdown(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as a page, and the pictures in it by file name. Links to notebooks become links to their pages."""
    resources = {"unique_key": path.stem, "output_files_dir": "."}
    text, resources = MarkdownExporter().from_filename(str(path), resources=resources)  # type: ignore[no-untyped-call]  # nbconvert has no types
    text = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", text)
    return text, {name.removeprefix("./"): content for name, content in resources.get("outputs", {}).items()}


def _notebooks() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*.ipynb"))
