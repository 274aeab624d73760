"""What a docstring says of a function and of its parameters: Google's `Args:` section."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import NamedTuple

_SECTION = re.compile(r"^(?P<name>[A-Z][A-Za-z ]+):\s*$")
_ARGUMENTS = {"Args", "Arguments", "Parameters", "Params"}
_ENTRY = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?:\((?P<type>[^)]*)\))?\s*:\s*(?P<text>.*)$")


class Documentation(NamedTuple):
    """A docstring, read.

    Attributes:
        summary: Everything before the first section.
        parameters: The description of each parameter by its name.
        types: The type of each parameter that has one in parentheses.
    """

    summary: str
    parameters: dict[str, str]
    types: dict[str, str]


def read_docstring(text: str | None) -> Documentation:
    """Return what a docstring says; a text without sections is all summary."""
    lines = inspect.cleandoc(text or "").splitlines()
    starts = [at for at, line in enumerate(lines) if _SECTION.match(line)]
    summary = "\n".join(lines[: starts[0]] if starts else lines).strip()
    parameters: dict[str, str] = {}
    types: dict[str, str] = {}
    for start, end in itertools.pairwise([*starts, len(lines)]):
        if lines[start].rstrip().rstrip(":") in _ARGUMENTS:
            _read_entries(lines[start + 1 : end], parameters, types)
    return Documentation(summary, parameters, types)


def _read_entries(lines: list[str], parameters: dict[str, str], types: dict[str, str]) -> None:
    """Read the entries of a section; a line that is indented more goes on with the entry above it."""
    indent = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 0)
    name = ""
    for line in lines:
        entry = _ENTRY.match(line.strip())
        if entry and len(line) - len(line.lstrip()) <= indent:
            name = entry["name"]
            parameters[name] = entry["text"].strip()
            if entry["type"]:
                types[name] = entry["type"].removesuffix(", optional").strip()
        elif name and line.strip():
            parameters[name] = f"{parameters[name]} {line.strip()}".strip()
