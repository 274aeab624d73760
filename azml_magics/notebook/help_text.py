"""Help as text and the README's tables in Markdown, both made from options.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics.core.errors import UnknownNameError

from .options import CELL_OPTIONS, VERBS

if TYPE_CHECKING:
    from .options import Option

_VARIABLES = (
    "{name} in the body is the notebook's variable of that name, {{name}} is a literal {name}; "
    "other braces stay as they are."
)


def _rows(options: tuple[Option, ...]) -> list[tuple[str, str]]:
    rows = []
    for flags, keywords in options:
        value = keywords.get("metavar") or ("|".join(keywords["choices"]) if "choices" in keywords else "")
        shown = value if not flags[0].startswith("-") else " ".join(filter(None, (", ".join(flags), value)))
        rows.append((shown, keywords.get("help", "")))
    return rows


def _columns(rows: list[tuple[str, str]]) -> str:
    width = min(34, max(len(left) for left, _ in rows))
    return "\n".join(f"  {left:<{width}}  {right}".rstrip() for left, right in rows)


def cell_help() -> str:
    """Return the help of the cell magic."""
    return (
        "%%azureml [CONFIG] [options]      the body of the cell is the prompt\n\n"
        f"{_columns(_rows(CELL_OPTIONS))}\n\n{_VARIABLES}\n\n"
        "%azureml VERB …\n\n"
        f"{_columns([(verb.usage, verb.help) for verb in VERBS.values()])}"
    )


def verb_help(name: str) -> str:
    """Return the help of a verb, of "formatters", or of everything for an empty name.

    Raises:
        UnknownNameError: There is no such verb.
    """
    if not name:
        return cell_help()
    if name == "formatters":
        return f"Formatters (-f):\n\n{_columns(_formatter_rows())}"
    if name not in VERBS:
        raise UnknownNameError.of("verb", name, [*VERBS, "formatters"])
    verb = VERBS[name]
    text = f"%azureml {verb.usage}\n\n{verb.help[0].upper()}{verb.help[1:]}."
    options = [row for row in _rows(verb.options) if row[1]]
    return f"{text}\n\n{_columns(options)}" if options else text


def markdown_tables() -> dict[str, str]:
    """Return the README's generated tables by the names of their markers."""
    options = [(f"`{_cell(left)}`", _cell(right)) for left, right in _rows(CELL_OPTIONS)]
    verbs = [(f"`{_cell(verb.usage)}`", _cell(verb.help)) for verb in VERBS.values()]
    formatters = [(f"`{name}`", _cell(text)) for name, text in _formatter_rows()]
    return {
        "formatters": _table("`-f`", "speaks", formatters),
        "options": f"{_table('`%%azureml`', 'means', options)}\n{_table('`%azureml`', 'does', verbs)}",
    }


def _formatter_rows() -> list[tuple[str, str]]:
    from azml_magics.core import wire

    return [(name, wire.get(name).description) for name in wire.names()]


def _table(left: str, right: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def refresh_tables(document: str) -> str:
    """Return `document` with every generated table replaced between its markers."""
    for name, table in markdown_tables().items():
        pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        document = pattern.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", document)  # type: ignore[misc]  # bound early
    return document


if __name__ == "__main__":
    readme = Path(sys.argv[1] if len(sys.argv) > 1 else "README.md")
    readme.write_text(refresh_tables(readme.read_text(encoding="utf-8")), encoding="utf-8")
