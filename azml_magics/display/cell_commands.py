"""Install commands as a cell of a notebook runs them."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"\b([Rr]un |with )((?:pip|conda) install\b|conda update\b|uv pip install\b)")


def as_cell_commands(text: str) -> str:
    """Return a message with its install commands as a cell runs them: `%pip install pandas`, `!uv pip install ...`."""
    return _COMMAND.sub(lambda found: f"{found[1]}{'!' if found[2].startswith('uv') else '%'}{found[2]}", text)
