"""A reasoning model's thoughts in Markdown: one HTML element above the answer, folded or open.

The element is one line without a blank one, so that every Markdown reader takes all of it for HTML, and the thoughts
are in a `<pre>`, in which no reader looks for mathematics.
"""

from __future__ import annotations

import html

from ..core.text import printable

LONGEST = 100_000  # characters of thoughts in an output
_LONGEST_LIVE = 2_000  # characters that are shown while they grow: the end of them
_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:0 0 0 8px;border-left:3px solid #8886"
_GREY = "opacity:0.75"
_MARKDOWN = {"\n": "<br>", "$": "&#36;", "\\": "&#92;", "`": "&#96;", "*": "&#42;", "_": "&#95;", "[": "&#91;"}


def fold_reasoning(reasoning: str, *, tokens: int = 0, is_open: bool = False) -> str:
    """Return the thoughts as an HTML element; "" if there are none.

    Args:
        reasoning: The thoughts. Only their beginning is shown if they are very long.
        tokens: How many tokens they took; 0 if unknown.
        is_open: Whether the element is unfolded at first.
    """
    if not reasoning.strip():
        return ""
    shown = reasoning if len(reasoning) <= LONGEST else f"{reasoning[:LONGEST]}…"
    count = f" ({tokens:,} tokens)" if tokens else ""
    return _element(f"Reasoning{count}", shown, is_open=is_open)


def growing_reasoning(reasoning: str) -> str:
    """Return thoughts that still grow as an open HTML element with the end of them."""
    shown = reasoning if len(reasoning) <= _LONGEST_LIVE else f"…{reasoning[-_LONGEST_LIVE:]}"
    return _element("Reasoning…", shown, is_open=True)


def _element(summary: str, text: str, *, is_open: bool) -> str:
    opened = " open" if is_open else ""
    return (
        f'<details{opened} style="{_GREY}"><summary>{summary}</summary>'
        f'<pre style="{_PRE}">{inert_html(text.strip())}</pre></details>'
    )


def inert_html(text: str) -> str:
    """Return `text` as HTML on one line, in which no Markdown reader sees Markdown or mathematics."""
    escaped = html.escape(printable(text.replace("\r\n", "\n").replace("\r", "\n")).replace("\t", "    "))
    return "".join(_MARKDOWN.get(char, char) for char in escaped)
