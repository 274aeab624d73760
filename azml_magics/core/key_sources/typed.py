"""PromptedKey: a key that the user types once in a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..endpoints import Origin
from ..errors import KeyNotFoundError
from ..secret import Secret
from .base import KeySource

_typed_keys: dict[Origin, Secret] = {}


@dataclass(frozen=True)
class PromptedKey(KeySource):
    """A key that the user types once; it is kept in memory for the endpoint's host and for this session."""

    is_prompted: ClassVar[bool] = True
    is_slow: ClassVar[bool] = False  # the prompt belongs to the thread of the cell

    def __str__(self) -> str:
        return "ask"

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return the typed key, after prompting for it if it was not typed yet or was refused."""
        origin = Origin.of(endpoint_url)
        if origin not in _typed_keys or refused is not None:
            _typed_keys[origin] = prompt_for_key(f"Key for {str(origin) or 'the endpoint'}: ")
        return _typed_keys[origin]

    def is_found(self, endpoint_url: str = "") -> bool | None:
        """Return True if a key was typed for the host, else None: it is prompted for when needed."""
        return True if is_typed(endpoint_url) else None

    def state(self, endpoint_url: str = "") -> str:
        """Return whether the key was typed."""
        return "typed, for this session" if is_typed(endpoint_url) else "asked when needed"


def remember_key(endpoint_url: str, key: Secret) -> None:
    """Keep `key` for the endpoint's host: `ask` does not prompt for it again in this session."""
    _typed_keys[Origin.of(endpoint_url)] = key


def is_typed(endpoint_url: str) -> bool:
    """Whether a key was typed for the endpoint's host in this session."""
    return Origin.of(endpoint_url) in _typed_keys


def forget_typed_keys() -> None:
    """Forget every key that was typed in this session."""
    _typed_keys.clear()


def prompt_for_key(prompt: str) -> Secret:
    """Return a key that the user types at a hidden prompt.

    Raises:
        KeyNotFoundError: Nothing was typed, or nothing can be typed here.
    """
    import getpass

    try:
        key = Secret(getpass.getpass(prompt))
    except Exception as error:  # EOFError in a script, ipykernel's StdinNotImplementedError under "Run all"
        raise KeyNotFoundError(
            "The key cannot be typed here",
            remedy="Name another key source: env:NAME or keyring:SERVICE/NAME.",
            error_code="key-prompt-impossible",
        ) from error
    if not key:
        raise KeyNotFoundError(
            "No key was typed",
            remedy="Try again and type it, or name another key source, such as env:NAME.",
            error_code="no-key-typed",
        )
    return key
