"""What a Python program is told about a prompt before its rows are sent."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mapper import RowMapper


def warn_of_surprises(mapper: RowMapper) -> None:
    """Warn of everything in the prompt that goes out otherwise than its writer may expect, at the caller's line."""
    for sentence in mapper.row_prompt.surprises:
        warnings.warn(sentence, UserWarning, stacklevel=3)
