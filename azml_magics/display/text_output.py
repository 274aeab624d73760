"""Results of cells that are plain text or a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.text import printable
from .markdown import fence_code


@dataclass(frozen=True)
class TextOutput:
    """A few lines of plain text."""

    text: str

    def __repr__(self) -> str:
        return printable(self.text)

    __str__ = __repr__


@dataclass(frozen=True)
class CodeOutput:
    """A program, shown with syntax highlighting; `str()` is its text.

    Attributes:
        text: The program.
        language: What the highlighting is for, as after a Markdown fence.
    """

    text: str
    language: str = "python"

    def __repr__(self) -> str:
        return printable(self.text)

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        shown = printable(self.text)
        return {"text/plain": shown, "text/markdown": fence_code(shown.rstrip("\n"), self.language)}
