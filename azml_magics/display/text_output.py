"""Results of cells that are plain text or a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .markdown import fence_code


@dataclass(frozen=True)
class TextOutput:
    """A few lines of plain text."""

    text: str

    def __repr__(self) -> str:
        return self.text

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
        return self.text

    __str__ = __repr__

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/markdown": fence_code(self.text.rstrip("\n"), self.language)}
