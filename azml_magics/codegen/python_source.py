"""Pieces of Python programs, as text."""

from __future__ import annotations

import pprint
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def literal(value: Any, indent: int = 4) -> str:
    """`value` as Python; all lines but the first are indented."""
    return pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n" + " " * indent)


def call_expression(name: str, arguments: dict[str, str]) -> str:
    """A call with an argument on each line; arguments without a value are left out."""
    inside = "".join(f"    {key}={value},\n" for key, value in arguments.items() if value)
    return f"{name}(\n{inside})"


def send_lines(call: str, prompt: Any) -> list[str]:
    """The line that sends the prompt; a long prompt gets a line of its own. `call` has {} for the prompt."""
    written = literal(prompt, len("prompt = "))
    if "\n" in written:
        return [f"prompt = {written}", f"response = {call.format('prompt')}"]
    return [f"response = {call.format(written)}"]


def join_program(imports: Sequence[str], *lines: str) -> str:
    """The lines below the imports; those of the standard library come first."""
    standard = [line for line in imports if line.startswith("import ")]
    others = [line for line in imports if line not in standard]
    blocks = ["\n".join(block) for block in (standard, others, lines) if block]
    return "\n\n".join(blocks) + "\n"
