"""The session of this process: its named configs, the active one, the history and the conversations."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .core.errors import ConfigError, UnknownNameError, UsageError
from .exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .compare.comparison import Batch
    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response
    from .history_file import HistoryFile
    from .kept_configs import KeptConfig

HISTORY_SIZE = 200


class SavedConfig(NamedTuple):
    """A named config.

    Attributes:
        config: The config.
        source: Where it came from: "session", or the path of a file.
        kept: The config in the user's config folder, as this session knows it; None if it is not kept.
    """

    config: LLMConfig
    source: str = "session"
    kept: LLMConfig | None = None

    @property
    def is_changed(self) -> bool:
        """Whether it is kept, and was changed in this session."""
        return self.kept is not None and self.kept != self.config


class Change(NamedTuple):
    """What listeners are told.

    Attributes:
        kind: "saved", "deleted", "renamed", "used", "kept" or "forgotten" for a config, "recorded" or "noted" for an
            exchange.
        name: The name of the config.
        former: The name before it was renamed, else "".
    """

    kind: str
    name: str
    former: str = ""


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
        self._history_file: HistoryFile | None = None
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
            kept = self._saved[name].kept if source == "session" and name in self._saved else None
            self._saved[name] = SavedConfig(named, source, kept)
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
            source = "session" if saved.kept is not None else saved.source  # the file has the old name
            renamed = SavedConfig(replace(saved.config, name=new), source)
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

    # ---- configs that outlive the session

    def keep(self, name: str = "") -> KeptConfig:
        """Write a config to the user's config folder, so that new sessions have it.

        Args:
            name: The config; "" for the active one.

        Raises:
            UnknownNameError: There is no such config.
            KeyRefusedError: A key of the config is in memory only.
            DocumentError: The file cannot be written, or the config has parts that it cannot hold.
        """
        from . import kept_configs

        saved = self.get_saved(name)
        name = saved.config.name
        written = kept_configs.keep(saved.config, saved.kept)
        with self._lock:
            self._saved[name] = SavedConfig(saved.config, str(written.path), saved.config)
        self._announce("kept", name)
        return written

    def add_kept(self, config: LLMConfig, path: str | Path) -> None:
        """Add a config that was read from the user's config folder; one that this session has saved stays as it is."""
        check_name(config.name)
        with self._lock:
            former = self._saved.get(config.name)
            if former is not None and former.source == "session":
                self._saved[config.name] = former._replace(kept=config)
                return
            self._saved[config.name] = SavedConfig(config, str(path), config)
        self._announce("saved", config.name)

    def forget(self, name: str) -> Path:
        """Delete the file of a kept config; the config stays for this session. Returns the path of the file.

        Raises:
            UnknownNameError: No config of that name is kept.
            DocumentError: The file cannot be deleted.
        """
        from . import kept_configs

        path = kept_configs.forget(name)
        with self._lock:
            if name in self._saved and self._saved[name].kept is not None:
                self._saved[name] = SavedConfig(self._saved[name].config)
        self._announce("forgotten", name)
        return path

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
        """The last exchanges, oldest first, those from the history file among them; as many as the history's size."""
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
            file = self._history_file
        if file is not None:
            file.append(exchange)
        self._announce("recorded", config.name)
        return exchange

    def annotate(self, exchange_id: str, **notes: Any) -> Exchange:
        """Add notes to an exchange of the history, such as a name or a rating; also in the history file.

        Args:
            exchange_id: The exchange's `id`.
            **notes: JSON data by name; a note replaces an earlier one of its name.

        Raises:
            UnknownNameError: The history has no such exchange.
        """
        with self._lock:
            at = next((at for at, each in enumerate(self._history) if each.id == exchange_id), None)
            if at is None:
                raise UnknownNameError(f"The history no longer contains the exchange {exchange_id!r}")
            former = self._history[at]
            self._history[at] = exchange = replace(former, notes={**former.notes, **notes})
            file = self._history_file
        if file is not None:
            file.append_notes(exchange, notes)
        self._announce("noted", exchange.config.name)
        return exchange

    # ---- the history file

    @property
    def history_file(self) -> Path | None:
        """The file that every exchange is written to; None without one."""
        return self._history_file.path if self._history_file else None

    def open_history(self, path: str | Path, *, warn: Callable[[str], object] | None = None) -> int:
        """Write every exchange from now on to a file, and put those that it has before the history.

        Args:
            path: The file; other kernels may use it, too.
            warn: Called with a line if something cannot be read or written, or the file was rotated; by default the
                lines are logged.

        Returns:
            How many exchanges were read.

        Raises:
            ConfigError: The file is not a history file, or cannot be read.
        """
        from .history_file import HistoryFile

        file = HistoryFile(path, warn=warn)
        with self._lock:
            if self._history_file is not None and self._history_file.path == file.path:
                return 0
        found = file.read(self._history.maxlen)
        with self._lock:
            own = [exchange for exchange in self._history if not exchange.is_earlier]
            known = {exchange.id for exchange in own}
            earlier = [exchange for exchange in found if exchange.id not in known]
            self._history = deque([*earlier, *own], maxlen=self._history.maxlen)
            self._history_file = file
        self._announce("recorded", "")
        return len(earlier)

    def full_history(self) -> list[Exchange]:
        """The history with everything that the history file has, also of sessions that run beside this one."""
        with self._lock:
            file, recent = self._history_file, list(self._history)
        if file is None:
            return recent
        own = {exchange.id: exchange for exchange in recent if not exchange.is_earlier}
        return [*(exchange for exchange in file.read() if exchange.id not in own), *own.values()]

    def close_history(self) -> None:
        """Write no more exchanges to the history file; what was read from it stays."""
        with self._lock:
            self._history_file = None

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
