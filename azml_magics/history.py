"""The history of a session: every prompt with its response, in memory and, if the user wants it, in a file."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .changes import Announcer
from .core.errors import AzmlError, UnknownNameError
from .exchange import UNFINISHED, Exchange
from .usage import UsageTally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .compare.comparison import Batch
    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response
    from .history_file import HistoryFile

HISTORY_SIZE = 200


class History(Announcer):
    """The last exchanges. All methods are thread-safe.

    Args:
        size: How many exchanges it keeps.

    Attributes:
        usage: How many requests were sent since the session began, and what they used.
    """

    def __init__(self, size: int = HISTORY_SIZE) -> None:
        super().__init__()
        self._history: deque[Exchange] = deque(maxlen=size)
        self._count = 0
        self._history_file: HistoryFile | None = None
        self._last_batch: Batch | None = None
        self.usage = UsageTally()

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

    def announce_request(self, exchange_id: str, config: LLMConfig, messages: Sequence[Message], **notes: Any) -> None:
        """Write to the history file, if there is one, that a request is sent now.

        If the kernel ends before the response is recorded, the file has the prompt all the same.

        Args:
            exchange_id: A new id, which `record` is given later.
            config: The config that the prompt is sent with.
            messages: The messages.
            **notes: What `annotate` takes.
        """
        error = AzmlError(UNFINISHED, remedy="Send the prompt again.")
        exchange = Exchange(0, config, list(messages), error=error, id=exchange_id)
        with self._lock:
            file = self._history_file
        if file is not None:
            file.append(exchange)
            if notes:
                file.append_notes(exchange, notes)

    def record(
        self,
        config: LLMConfig,
        messages: Sequence[Message],
        response: Response | None = None,
        error: BaseException | None = None,
        *,
        exchange_id: str = "",
    ) -> Exchange:
        """Add an exchange to the history.

        Args:
            config: The config that the prompt was sent with.
            messages: The messages that were sent.
            response: The response, or what had arrived of it.
            error: Why the request failed.
            exchange_id: The id that `announce_request` was given; by default a new one.
        """
        with self._lock:
            self._count += 1
            exchange = Exchange(self._count, config, list(messages), response, error)
            exchange = replace(exchange, id=exchange_id) if exchange_id else exchange
            self._history.append(exchange)
            self._last_batch = None
            file = self._history_file
        self.usage.add_exchange(exchange)
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
