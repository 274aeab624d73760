"""The session of this process: its named configs, the active one, the history and the conversations."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from .core.errors import ConfigError, UnknownNameError, UsageError
from .core.messages import preview_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .compare.comparison import Batch
    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response

HISTORY_SIZE = 200


class SavedConfig(NamedTuple):
    """A named config.

    Attributes:
        config: The config.
        source: Where it came from: "session", or the path of a file.
    """

    config: LLMConfig
    source: str = "session"


class Change(NamedTuple):
    """What listeners are told.

    Attributes:
        kind: "saved", "deleted", "renamed" or "used" for a config, "recorded" for an exchange.
        name: The name of the config.
        former: The name before it was renamed, else "".
    """

    kind: str
    name: str
    former: str = ""


@dataclass(frozen=True)
class Exchange:
    """One prompt and its response.

    Attributes:
        number: 1 for the first exchange of the session.
        config: The config that the prompt was sent with.
        messages: The messages that were sent.
        response: The response; with an `error`, what had arrived of it, or None.
        error: Why the request failed, or None.
        recorded_at: When it was recorded, in UTC.
    """

    number: int
    config: LLMConfig
    messages: Sequence[Message]
    response: Response | None = None
    error: BaseException | None = field(default=None, repr=False)
    recorded_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return preview_text(message)
        return ""


class Session:
    """Named configs, the active one, the history and the conversations. All methods are thread-safe.

    Args:
        history_size: How many exchanges the history keeps.

    Attributes:
        conversations: The messages of each conversation, by name.
        conversation_models: Which model made the last response of each conversation.
    """

    def __init__(self, history_size: int = HISTORY_SIZE) -> None:
        self._lock = threading.RLock()
        self._saved: dict[str, SavedConfig] = {}
        self._active = ""
        self._history: deque[Exchange] = deque(maxlen=history_size)
        self._count = 0
        self._listeners: list[Callable[[Change], None]] = []
        self._last_batch: Batch | None = None
        self.conversations: dict[str, list[Message]] = {}
        self.conversation_models: dict[str, str] = {}

    # ---- configs

    @property
    def active(self) -> str:
        """The name of the active config, "" while there is none."""
        return self._active

    def names(self) -> list[str]:
        """The configs' names, in the order they were first saved."""
        with self._lock:
            return list(self._saved)

    def get(self, name: str = "") -> LLMConfig:
        """The config of that name, or the active one. Raises as `get_saved` does."""
        return self.get_saved(name).config

    def get_saved(self, name: str = "") -> SavedConfig:
        """The config of that name, or the active one, with its source.

        Raises:
            UnknownNameError: There is no config of that name.
            ConfigError: No name is given, and no config is active.
        """
        with self._lock:
            wanted = name or self._active
            if not wanted:
                raise ConfigError(
                    "There is no config yet",
                    remedy="Save one: azml_magics.session.current().save(NAME, LLMConfig(...)).",
                    error_code="no-config",
                )
            if wanted not in self._saved:
                raise UnknownNameError.of("config", wanted, self._saved, error_code="unknown-config")
            return self._saved[wanted]

    def save(self, name: str, config: LLMConfig, source: str = "session", *, activate: bool = True) -> LLMConfig:
        """Save a config under a name, in place of the one that has it.

        Args:
            name: The name.
            config: The config.
            source: Where it comes from: "session", or the path of a file.
            activate: Whether it becomes the active config if there is none.

        Returns:
            The config with its name.

        Raises:
            UsageError: The name cannot be used on a magic's line.
        """
        check_name(name)
        with self._lock:
            named = replace(config, name=name)
            self._saved[name] = SavedConfig(named, source)
            self._active = self._active or (name if activate else "")
        self._announce("saved", name)
        return named

    def use(self, name: str) -> LLMConfig:
        """Make `name` the active config."""
        with self._lock:
            config = self.get(name)
            self._active = name = config.name
        self._announce("used", name)
        return config

    def rename(self, old: str, new: str) -> None:
        """Give a config another name; it stays active if it was.

        Raises:
            UnknownNameError: There is no config named `old`.
            ConfigError: There is another config named `new`.
            UsageError: The new name cannot be used on a magic's line.
        """
        check_name(new)
        with self._lock:
            saved = self.get_saved(old)
            old = saved.config.name
            if new in self._saved and new != old:
                raise ConfigError(
                    f"There is already a config named {new!r}", remedy="Delete it first, or choose another name."
                )
            renamed = SavedConfig(replace(saved.config, name=new), saved.source)
            self._saved = {(new if name == old else name): value for name, value in self._saved.items()}
            self._saved[new] = renamed
            self._active = new if self._active == old else self._active
        self._announce("renamed", new, old)

    def delete(self, name: str) -> None:
        """Delete a config; if it was the active one, none is active."""
        with self._lock:
            name = self.get(name).name
            del self._saved[name]
            self._active = "" if self._active == name else self._active
        self._announce("deleted", name)

    # ---- history

    @property
    def last(self) -> Exchange | None:
        """The most recent exchange, or None."""
        with self._lock:
            return self._history[-1] if self._history else None

    @property
    def last_batch(self) -> Batch | None:
        """The rows of the last cell if it sent several requests; None if it sent one."""
        return self._last_batch

    def record_batch(self, batch: Batch) -> None:
        """Keep the rows of a cell that sent several requests as the last response."""
        self._last_batch = batch

    @property
    def history(self) -> list[Exchange]:
        """The last exchanges, oldest first; at most as many as the history's size."""
        with self._lock:
            return list(self._history)

    def resize_history(self, size: int) -> None:
        """Keep the last `size` exchanges from now on."""
        with self._lock:
            self._history = deque(self._history, maxlen=size)

    def record(
        self,
        config: LLMConfig,
        messages: Sequence[Message],
        response: Response | None = None,
        error: BaseException | None = None,
    ) -> Exchange:
        """Add an exchange to the history.

        Args:
            config: The config that the prompt was sent with.
            messages: The messages that were sent.
            response: The response, or what had arrived of it.
            error: Why the request failed.
        """
        with self._lock:
            self._count += 1
            exchange = Exchange(self._count, config, list(messages), response, error)
            self._history.append(exchange)
            self._last_batch = None
        self._announce("recorded", config.name)
        return exchange

    # ---- listeners

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with every change from now on; returns the function that ends it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def _announce(self, kind: str, name: str, former: str = "") -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:  # outside the lock: a listener may call the session
            _notify(listener, Change(kind, name, former))


def _notify(listener: Callable[[Change], None], change: Change) -> None:
    try:
        listener(change)
    except Exception:  # the change is made, and the other listeners must be called
        logging.getLogger(__name__).exception("A listener of the session failed")


def check_name(name: str) -> None:
    """Raise UsageError if `name` cannot be used on a magic's line."""
    if not name or name[0] in "-$%" or not name.isprintable() or any(ch in " \"'=,/\\{}" for ch in name):
        raise UsageError(
            f"{name!r} cannot name a config",
            remedy="Use letters, digits, dots, - and _, such as prod or hr-bot.",
        )


_current = Session()


def current() -> Session:
    """The session of this process, shared by the magics, the panel and plain Python."""
    return _current


def reset() -> Session:
    """Replace the session by an empty one, as when the extension is unloaded."""
    global _current  # noqa: PLW0603 - one session a process is the point
    _current = Session()
    return _current
