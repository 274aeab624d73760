"""`%azureml ask What is MLflow?`: without this, IPython takes the `?` at the end of the line as a request for help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ASK = re.compile(r"^(?P<before>\s*(?:[\w, ]+=\s*)?)%azureml\s+(?P<line>ask\s.*\?+)\s*$", re.DOTALL)


def install(ipython: InteractiveShell) -> None:
    """Run `as_calls` before IPython's own handling of `?`."""
    ipython.input_transformers_cleanup.append(as_calls)


def uninstall(ipython: InteractiveShell) -> None:
    """Undo `install`."""
    if as_calls in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.remove(as_calls)


def as_calls(lines: list[str]) -> list[str]:
    """Return the lines of a cell with each `%azureml ask …?` replaced by a call of the magic; in strings they stay."""
    if lines and lines[0].lstrip().startswith("%%"):
        return lines
    return [
        f"{found['before']}get_ipython().run_line_magic('azureml', {found['line']!r})\n"
        if (found := _ASK.match(line)) and not _is_in_string(lines[:number])
        else line
        for number, line in enumerate(lines)
    ]


def _is_in_string(before: list[str]) -> bool:
    """Whether a triple-quoted string is open after those lines."""
    code = "".join(before)
    return any(code.count(quotes) % 2 for quotes in ('"""', "'''"))
