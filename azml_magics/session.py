"""The session of this process: its named configs, the active one, the history and the conversations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from .conversations import Conversations
from .core.errors import ConfigError, UnknownNameError, UsageError
from .history import HISTORY_SIZE, History

if TYPE_CHECKING:
    from pathlib import Path

    from .core.config import LLMConfig
    from .kept_configs import KeptConfig


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


class Session(History):
    """Named configs, the active one, the history and the conversations. All methods are thread-safe.

    Args:
        history_size: How many exchanges the history keeps.

    Attributes:
        conversations: The conversations, by name.
    """

    def __init__(self, history_size: int = HISTORY_SIZE) -> None:
        super().__init__(history_size)
        self._saved: dict[str, SavedConfig] = {}
        self._active = ""
        self.conversations = Conversations(lambda name: self._announce("conversation", name))

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
