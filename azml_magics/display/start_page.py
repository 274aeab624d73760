"""A short page: where a session stands, and what to do next, with lines to copy."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from ..core.text import printable
from .table import NO_MATH

_CELL = "text-align:left;vertical-align:top;padding:1px 16px 1px 0"


@dataclass(frozen=True)
class StartPage:
    """The page.

    Attributes:
        title: The first line.
        facts: What is so, each with its label.
        prompt: What stands above the steps.
        steps: What can be done next: a line to type, and what it does, or "".
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    prompt: str = ""
    steps: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return printable("\n".join([self.title, *_align(self.facts), self.prompt, *_align(self.steps)]))

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        facts = "".join(_row(html.escape(label), text) for label, text in self.facts)
        steps = "".join(_row(f"<code>{html.escape(line)}</code>", text) for line, text in self.steps)
        page = f"<b>{html.escape(self.title)}</b>{_table(facts)}{html.escape(self.prompt)}{_table(steps)}"
        return {"text/plain": repr(self), "text/html": printable(f'<div class="{NO_MATH}">{page}</div>')}


def _align(rows: tuple[tuple[str, str], ...]) -> list[str]:
    width = max((len(left) for left, right in rows if right), default=0)
    return [f"  {left:<{width}}  {right}".rstrip() for left, right in rows]


def _row(left: str, right: str) -> str:
    return f'<tr><td style="{_CELL};white-space:pre">{left}</td><td style="{_CELL}">{html.escape(right)}</td></tr>'


def _table(rows: str) -> str:
    return f'<table class="{NO_MATH}" style="margin:4px 0"><tbody>{rows}</tbody></table>' if rows else ""
