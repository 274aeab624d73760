"""What a prompt may take along when another process sends its rows: no key, and nothing that lives in this process."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from ..core import trust
from ..core.errors import ConfigError, UsageError
from ..core.key_sources import LiteralKey

if TYPE_CHECKING:
    from .prompts import RowPrompt


def check_travels(row_prompt: RowPrompt, places: str) -> None:
    """Check that other processes can send the rows of a prompt.

    Args:
        row_prompt: The prompt.
        places: Where they are sent, such as "workers".

    Raises:
        ConfigError: The key is in this process only.
        UsageError: The prompt is for a LangChain object.
    """
    if not row_prompt.can_travel:
        raise UsageError(
            f"A LangChain object has its keys and connections in this process, and cannot be sent to the {places}",
            remedy="Pass a config, or collect the rows first and send them from here.",
            error_code="runnable-cluster",
        )
    trust.check(row_prompt.config)
    sources = row_prompt.config.all_key_sources
    if any(source.is_prompted or isinstance(source, LiteralKey) for source in sources):
        raise ConfigError(
            f"This config's key is in this process only and cannot be sent to the {places}",
            remedy=f"Give all {places} the key and name it with env:NAME or keyring:SERVICE/NAME, or use entra.",
        )


def for_others(row_prompt: RowPrompt) -> RowPrompt:
    """Return the prompt without the file of its config: what the user trusts was checked here, where they said it."""
    sent = copy(row_prompt)
    sent.config = row_prompt.config.merged(file="")
    return sent
