"""What a Python program is told about a prompt before its rows are sent."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .prompts import RowPrompt


def warn_of_surprises(row_prompt: RowPrompt, *others: str) -> None:
    """Warn of everything in the prompt that goes out otherwise than its writer may expect, at the caller's line.

    Args:
        row_prompt: The prompt, checked against its table.
        others: Further sentences.
    """
    for sentence in (*row_prompt.surprises, *others):
        warnings.warn(sentence, UserWarning, stacklevel=3)
