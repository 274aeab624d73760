"""This project's docstrings as Markdown, for mkdocstrings: an extension of griffe, which reads the sources."""

from __future__ import annotations

import ast
import re
from typing import Any

from griffe import Extension

_FIELD = re.compile(r"^(?P<names>[a-z_]\w*(?:, [a-z_]\w*)*): (?=\S)")


class PlainDocstrings(Extension):
    """Turns `name: what it is` lines into lists and bare code into code blocks."""

    def on_object(self, *, obj: Any, **_further: Any) -> None:
        """Rewrite the docstring of an object that has one."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """The docstring `text` as Markdown."""
    return "\n\n".join(_block(block) for block in text.split("\n\n"))


def _block(block: str) -> str:
    if _is_code(block):
        return f"```python\n{block}\n```"
    if block.startswith("* ") and "\n  + " in block:  # a tree
        return f"```text\n{block}\n```"
    block = re.sub(r"(`[^`]*`)|<", lambda found: found[1] or "&lt;", block)
    if _FIELD.match(block):
        return "\n".join(_FIELD.sub(_item, line) for line in block.split("\n"))
    return block


def _item(found: re.Match[str]) -> str:
    return f"* `{found['names'].replace(', ', '`, `')}`: "


def _is_code(block: str) -> bool:
    """Whether a paragraph is Python that does something; prose hardly ever is."""
    if block.startswith((" ", "*")) or not re.search(r"[(=]", block):
        return False
    try:
        return bool(ast.parse(block).body)
    except SyntaxError:
        return False
