"""Help as text and the documentation's tables in Markdown, both made from options.py and verbs.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics.core.errors import UnknownNameError

from .options import CELL_OPTIONS
from .verbs import VERB_GROUPS, VERBS

if TYPE_CHECKING:
    from .options import Option

_VARIABLES = (
    "{name} in the body is the notebook's variable of that name, {{name}} is a literal {name}; "
    "other braces stay as they are."
)


_WIDTH = 34  # characters of a left column
_WIDEST_EXAMPLE = 56
_EXAMPLES = """\
A local endpoint to try everything, without an account:
    %azureml demo

The body of a cell is the prompt, {city} a variable of the notebook:
    %%azureml
    Write a haiku about {city}.

Another config, a conversation, a model kwarg for this call:
    %%azureml demo-chat -c trip -p temperature=0.2
    And what is there to see?"""
_VERB_EXAMPLES = {
    "demo": (
        ("demo", "prepared responses"),
        ("demo --model", "a real small model on this computer"),
        ("demo --model ~/models/qwen.gguf", "your own"),
    ),
    "save": (
        ("save prod --url URL --key env:PROD_KEY", "a new config"),
        ('save prod temperature=0.2 --system "Be brief."', "changes it for this session"),
        ("save terse --from prod max_tokens=60 --keep", "a copy that new sessions have, too"),
    ),
    "test": (("test prod", "URL, key, one token whole and streamed"),),
    "detect": (("detect prod --probe", "with a few short prompts"),),
    "use": (("use prod", "cells that name no config take it"),),
    "keep": (("keep prod", "a file in your config folder, without the key"),),
    "forget": (("forget prod", "new sessions do not have it any more"),),
    "export": (
        ("export prod prod.json", "LangChain's load_llm reads it, too"),
        ("export --all configs", "a file for each config"),
    ),
    "import": (("import prod.json --as again", "under another name"),),
    "ask": (("ask What is MLflow?", "the rest of the line is the prompt"),),
    "history": (
        ("history -n 50", "the last 50"),
        ("history --search rivers", "also in the history file"),
        ("history --json all.jsonl", "everything, as JSON lines"),
    ),
    "usage": (
        ("usage", "of this session"),
        ("usage --by day --all", "with the history file's other sessions"),
    ),
    "last": (("last --traceback", "after an error"),),
    "code": (("code prod --as curl", "a request without the notebook"),),
    "conversations": (("conversations export trip trip.json", "one conversation as messages"),),
    "record": (("record run.jsonl", "replay run.jsonl then needs no network"),),
}


def _rows(options: tuple[Option, ...]) -> list[tuple[str, str]]:
    rows = []
    for flags, keywords in options:
        value = keywords.get("metavar") or ("|".join(keywords["choices"]) if "choices" in keywords else "")
        shown = value if not flags[0].startswith("-") else " ".join(filter(None, (", ".join(flags), value)))
        rows.append((shown, keywords.get("help", "")))
    return rows


def _columns(rows: list[tuple[str, str]], width: int = 0) -> str:
    """Two columns of text; the left one has `width` characters, or as many as it needs, within bounds."""
    width = width or min(_WIDTH, max(len(left) for left, _ in rows))
    return "\n".join(f"  {left:<{width}}  {right}".rstrip() for left, right in rows)


def cell_help() -> str:
    """Return the help of the magic: examples, the verbs, then the options of a cell."""
    verbs = "\n\n".join(
        f"{group}\n{_columns([(VERBS[name].usage, VERBS[name].help) for name in names if name in VERBS], _WIDTH)}"
        for group, names in VERB_GROUPS.items()
    )
    return (
        f"{_EXAMPLES}\n\n"
        "%azureml VERB …      `%azureml help VERB` tells more; %azureml alone says where you stand\n\n"
        f"{verbs}\n\n"
        "%%azureml [CONFIG] [options]      the body of the cell is the prompt\n\n"
        f"{_columns(_rows(CELL_OPTIONS))}\n\n{_VARIABLES}"
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
    parts = [text, _examples_of(name), _columns(options) if options else ""]
    return "\n\n".join(filter(None, parts))


def _examples_of(verb: str) -> str:
    rows = [(f"%azureml {line}", means) for line, means in _VERB_EXAMPLES.get(verb, ())]
    width = max((len(line) for line, _ in rows if len(line) <= _WIDEST_EXAMPLE), default=_WIDEST_EXAMPLE)
    return _columns(rows, width) if rows else ""


def markdown_tables() -> dict[str, str]:
    """Return the documentation's generated tables by the names of their markers."""
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


def refresh_pages(folder: Path) -> list[Path]:
    """Refresh the generated tables in every Markdown file of `folder`.

    Returns:
        The files whose tables were stale.
    """
    stale = []
    for page in sorted(folder.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        fresh = refresh_tables(text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
            stale.append(page)
    return stale


if __name__ == "__main__":
    refresh_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
