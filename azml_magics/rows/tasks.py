"""A row becomes a task: what to send for it, unless it cannot be sent or the journal has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.messages import Message
    from ..core.response import Response
    from .folder_journal import FolderJournal
    from .journal import Journal
    from .prompts import RowPrompt
    from .table_rows import Record


@dataclass(frozen=True, slots=True)
class Task:
    """A row to send.

    Attributes:
        record: The row.
        messages: The messages of its request.
        key, n: The identity of its journal entry.
    """

    record: Record
    messages: list[Message]
    key: bytes = b""
    n: int = 0


class Deliver(Protocol):
    """What takes a row that needs no request."""

    def __call__(
        self, record: Record, response: Response | None, error: BaseException | None, *, reused: bool = False
    ) -> None: ...


class TaskMaker:
    """Makes the tasks of a run; one thread at a time calls it, in the rows' order."""

    def __init__(
        self,
        row_prompt: RowPrompt,
        journal: Journal | FolderJournal | None,
        deliver: Deliver,
        *,
        retry_failed: bool = False,
        on_messages: Callable[[Record, list[Message]], object] | None = None,
    ) -> None:
        """Prepare to make tasks.

        Args:
            row_prompt: Makes the messages.
            journal: The journal that may have rows.
            deliver: Takes the rows that need no request.
            retry_failed: Whether rows that have an error in the journal are sent again.
            on_messages: Called with the messages of each row.
        """
        self._row_prompt = row_prompt
        self._journal = journal
        self._deliver = deliver
        self._retry_failed = retry_failed
        self._on_messages = on_messages

    def make(self, record: Record) -> Task | None:
        """Return what to send for the row; None if it cannot be sent, or the journal has it."""
        try:
            messages = self._row_prompt.messages(record)
        except Exception as error:  # noqa: BLE001 - a value is missing, or the user's function failed: the row's error
            self._deliver(record, None, error.with_traceback(None))
            return None
        if self._on_messages is not None:
            self._on_messages(record, messages)
        if self._journal is None:
            return Task(record, messages)
        key = self._row_prompt.key(messages)
        n = self._journal.next_number(key)
        entry = self._journal.find(key, n)
        if entry is None or (entry[1] is not None and self._retry_failed):
            return Task(record, messages, key, n)
        self._deliver(record, *entry, reused=True)
        return None
