"""`%azureml ask What is MLflow?`: IPython takes a `?` at a line's end for its help, and would not ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ASK = re.compile(r"^(?P<before>\s*(?:[\w, ]+=\s*)?)%azureml\s+(?P<line>ask\s.*\?+)\s*$", re.DOTALL)


def install(ipython: InteractiveShell) -> None:
    """Put `as_calls` before IPython's own reading of `?`."""
    ipython.input_transformers_cleanup.append(as_calls)


def uninstall(ipython: InteractiveShell) -> None:
    """Take it out again."""
    if as_calls in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.remove(as_calls)


def as_calls(lines: list[str]) -> list[str]:
    """The cell's lines, each question of `%azureml ask` as the call that it stands for; those in a text stay text."""
    if lines and lines[0].lstrip().startswith("%%"):
        return lines
    return [
        f"{found['before']}get_ipython().run_line_magic('azureml', {found['line']!r})\n"
        if (found := _ASK.match(line)) and not _in_a_text(lines[:number])
        else line
        for number, line in enumerate(lines)
    ]


def _in_a_text(before: list[str]) -> bool:
    """Whether a triple-quoted text is open after those lines."""
    code = "".join(before)
    return any(code.count(quotes) % 2 for quotes in ('"""', "'''"))
