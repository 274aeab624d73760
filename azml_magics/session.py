"""Session: the named configs of this process, the active one, and the history; locked, and it announces changes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from .core.errors import ConfigError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .compare.comparison import Batch
    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response

HISTORY_SIZE = 200


class Saved(NamedTuple):
    """A named config and where it came from: "session", or a file's path."""

    config: LLMConfig
    source: str = "session"


class Change(NamedTuple):
    """What listeners are told: kind is "saved", "deleted", "renamed", "used" or "asked"; name is the config's.

    former: the name before it was renamed.
    """

    kind: str
    name: str
    former: str = ""


@dataclass(frozen=True)
class Exchange:
    """One prompt and what became of it. `response` may be partial beside an `error`; times are UTC."""

    number: int
    config: LLMConfig
    messages: Sequence[Message]
    response: Response | None = None
    error: BaseException | None = field(default=None, repr=False)
    asked_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        for turn in reversed(self.messages):
            content = turn.get("content")
            if turn.get("role") == "user":
                return content if isinstance(content, str) else _texts(content)
        return ""


def _texts(parts: Any) -> str:
    return " ".join(part.get("text", f"[{part.get('type')}]") for part in parts or () if isinstance(part, dict))


class Session:
    """Named configs, the active one, and the history. Every method may be called from any thread.

    conversations: the turns of each, by name; where a cell says `-c NAME`, they grow and are sent along.
    """

    def __init__(self, history_size: int = HISTORY_SIZE) -> None:
        self._lock = threading.RLock()
        self._saved: dict[str, Saved] = {}
        self._active = ""
        self._history: deque[Exchange] = deque(maxlen=history_size)
        self._count = 0
        self._listeners: list[Callable[[Change], None]] = []
        self._last_batch: Batch | None = None
        self.conversations: dict[str, list[Message]] = {}

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
        """The config of that name, or the active one; UnknownNameError or ConfigError where there is none."""
        return self.saved(name).config

    def saved(self, name: str = "") -> Saved:
        """The config of that name, or the active one, with its source."""
        with self._lock:
            wanted = name or self._active
            if not wanted:
                raise ConfigError(
                    "There is no config yet",
                    remedy="Run `%azureml demo` to try without an account, "
                    "or `%azureml save NAME --url URL -f FORMATTER`.",
                )
            if wanted not in self._saved:
                raise UnknownNameError.of("config", wanted, self._saved, "`%azureml save NAME --url URL` makes one.")
            return self._saved[wanted]

    def save(self, name: str, config: LLMConfig, source: str = "session", *, activate: bool = True) -> LLMConfig:
        """Keep `config` as `name`, over one of that name; the first one is the active one, if it may `activate`."""
        check_name(name)
        with self._lock:
            named = replace(config, name=name)
            self._saved[name] = Saved(named, source)
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
        """Give a config another name; it stays active if it was."""
        check_name(new)
        with self._lock:
            saved = self.saved(old)
            old = saved.config.name
            if new in self._saved and new != old:
                raise ConfigError(
                    f"There is a config named {new!r} already", remedy="Delete it first, or choose another."
                )
            renamed = Saved(replace(saved.config, name=new), saved.source)
            self._saved = {(new if name == old else name): value for name, value in self._saved.items()}
            self._saved[new] = renamed
            self._active = new if self._active == old else self._active
        self._announce("renamed", new, old)

    def delete(self, name: str) -> None:
        """Forget a config; without the active one, none is active."""
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
        """The rows of the last cell, where it asked for several answers; None where it asked for one."""
        return self._last_batch

    def keep_batch(self, batch: Batch) -> None:
        """Remember the rows of a side-by-side cell as the last answer."""
        self._last_batch = batch

    @property
    def history(self) -> list[Exchange]:
        """The exchanges, oldest first; as many as the history's size."""
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
        """Add an exchange to the history."""
        with self._lock:
            self._count += 1
            exchange = Exchange(self._count, config, list(messages), response, error)
            self._history.append(exchange)
            self._last_batch = None
        self._announce("asked", config.name)
        return exchange

    # ---- listeners

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Tell `listener` of every change from now on; returns what ends that."""
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
        for listener in listeners:  # outside the lock: a listener may ask the session
            _tell(listener, Change(kind, name, former))


def _tell(listener: Callable[[Change], None], change: Change) -> None:
    try:
        listener(change)
    except Exception:  # what was done is done, and the other listeners are to hear of it
        logging.getLogger(__name__).exception("A listener of the session failed")


def check_name(name: str) -> None:
    """UsageError where `name` cannot name a config on a magic's line."""
    if not name or name[0] in "-$%" or not name.isprintable() or any(ch in " \"'=,/\\{}" for ch in name):
        raise UsageError(
            f"{name!r} cannot name a config", remedy="Use letters, digits, dots, - and _, such as prod or hr-bot."
        )


_current = Session()


def current() -> Session:
    """The session of this process, shared by the magics, the panel and plain Python."""
    return _current


def reset() -> Session:
    """Start over with an empty session: what unloading the extension does."""
    global _current  # noqa: PLW0603 - one session a process is the point
    _current = Session()
    return _current
