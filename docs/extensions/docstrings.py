"""Docstrings as Sphinx shows them: `name` is code, examples are too, and types lead to the public name of a class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import azml_magics
import azml_magics.emulator.control_plane.server  # before autodoc sets TYPE_CHECKING: pydantic fails
import azml_magics.emulator.server
from azml_magics import langchain

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_BEFORE_NAPOLEON = 400
_EXAMPLES = ("Example:", "Examples:")
_MARKUP = re.compile(r"\*|(?<=\w)_(?!\w)")  # text, which reStructuredText would take for emphasis or a link
_CODE = re.compile(r"(``.+?``|`[^`\n]+`)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to what reads docstrings and looks up names."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=_BEFORE_NAPOLEON)
    app.connect("missing-reference", find_public_name)
    return {"parallel_read_safe": True}


def as_restructured_text(*event: Any) -> None:
    """Mark code as reStructuredText does: spans in backticks, and the block below "Examples:"."""
    lines: list[str] = event[-1]
    marked: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.strip() not in _EXAMPLES:
            marked.append(_with_code_spans(line))
            continue
        block = _indented_block(lines[number:], _indent(line))
        number += len(block)
        has_prompts = any(each.lstrip().startswith(">>>") for each in block)
        marked += [line, *(block if has_prompts else _code_block(block, _indent(line) + 4))]
    lines[:] = marked


def _with_code_spans(line: str) -> str:
    parts = _CODE.split(line)
    for place, part in enumerate(parts):
        if part.startswith("`"):
            is_in_a_word = parts[place + 1][:1].isalnum()  # `{column}`s
            parts[place] = f"``{part.strip('`')}``" + ("\\ " if is_in_a_word else "")
        elif not line.lstrip().startswith("* "):
            parts[place] = _MARKUP.sub(r"\\\g<0>", part)
    return "".join(parts)


def _code_block(block: list[str], indent: int) -> list[str]:
    """A block of code that begins `indent` characters into the line."""
    return [f"{' ' * indent}.. code-block:: python", "", *(f"    {line}" if line else "" for line in block), ""]


def _indented_block(lines: list[str], indent: int) -> list[str]:
    block = []
    for line in lines:
        if line.strip() and _indent(line) <= indent:
            break
        block.append(line)
    return block


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def find_public_name(
    app: Sphinx, environment: BuildEnvironment, node: pending_xref, shown: TextElement
) -> Element | None:
    """Lead `azml_magics.core.response.Response`, as annotations have it, to `azml_magics.Response`.

    A type of this package that is not public is shown without a link; a name that a page links to must exist.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py":
        return None
    name = target.rpartition(".")[2]
    python = environment.domains["py"]
    for module in (azml_magics, langchain, azml_magics.errors):
        public = f"{module.__name__}.{name}"
        if name in module.__all__ and target != public and public in python.objects:
            return python.resolve_xref(environment, node["refdoc"], app.builder, "obj", public, node, shown)
    return None if node.get("refexplicit") else shown
