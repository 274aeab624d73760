"""The parts of the panel that can change, and the notifier that tells listeners which of them did."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azml_magics.core.errors import AzmlError

from .error_messages import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG: Final = "config"  # the list of configs, the chosen one, and whether it has unsaved changes
DRAFT: Final = "draft"  # the fields and kwargs of the chosen config
PROMPT: Final = "prompt"  # the prompt's text and the values typed for its variables
OPTIONS: Final = "options"  # the schema, the tools and the variable for the response
CASES: Final = "cases"  # the test cases and the run over them
VARIABLES: Final = "variables"  # the prompt's variables and their values in the notebook
STATE: Final = "state"  # what is running
RESULT: Final = "result"  # what the result tabs show
HISTORY: Final = "history"  # the calls of this session
FOUND: Final = "found"  # what a sign-in can see
NOTES: Final = "notes"  # status lines
CONVERSATION: Final = "conversation"  # the turns of the conversation, and which one it is
COMPARISON: Final = "comparison"  # what Compare would send
COLUMNS: Final = "columns"  # which response is selected, and what it is compared with
FOLDS: Final = "folds"  # which folds and tabs are open

ALL: Final = frozenset(
    {CONFIG, DRAFT, PROMPT, OPTIONS, VARIABLES, STATE, RESULT, HISTORY, FOUND, NOTES}
    | {CONVERSATION, CASES, COMPARISON, COLUMNS, FOLDS}
)


@dataclass(frozen=True)
class PanelNote:
    """A status line.

    Attributes:
        text: the line; "" shows nothing.
        mood: "good", "bad" or "plain", which selects the colour.
        error_code: the code of the error that it describes; "" for other notes.
    """

    text: str = ""
    mood: str = "plain"
    error_code: str = ""


class ChangeNotifier:
    """Serialises changes and tells listeners which parts changed.

    Methods may be called from any thread. Listeners run in the thread that made the change, one change at a time.

    Attributes:
        notes: place ("config", "connect", "endpoint", "run", "cell", "conversation", ...) -> its status line.
    """

    def __init__(self) -> None:
        self.notes: dict[str, PanelNote] = {}
        self._lock = threading.RLock()
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._changed: set[str] = set()
        self._depth = 0

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Call `listener` with the changed parts after every change from now on."""
        self._listeners.append(listener)

    def unsubscribe_all(self) -> None:
        """Drop all listeners."""
        self._listeners.clear()

    @contextlib.contextmanager
    def changing(self, *parts: str, place: str = "") -> Iterator[None]:
        """Hold the lock while `parts` change, then notify the listeners.

        Blocks may be nested; listeners are notified once, at the end of the outermost one.

        Args:
            parts: the parts that change within the block.
            place: where to show an AzmlError raised within the block; without a place it is raised.
        """
        with self._lock:
            self._depth += 1
            self._changed.update(parts)
            try:
                yield
            except AzmlError as error:
                if not place:
                    raise
                self.note(place, describe_error(error), "bad", error.error_code)
            finally:
                self._depth -= 1
                if not self._depth:
                    self._notify()

    def note(self, place: str, text: str = "", mood: str = "plain", error_code: str = "") -> None:
        """Set the status line at `place`; call it within `changing`."""
        self.notes[place] = PanelNote(text, mood, error_code)
        self._changed.add(NOTES)

    def _notify(self) -> None:
        changed, self._changed = frozenset(self._changed), set()
        for listener in list(self._listeners) if changed else []:
            _call_listener(listener, changed)


def _call_listener(listener: Callable[[frozenset[str]], None], changed: frozenset[str]) -> None:
    try:
        listener(changed)
    except Exception:  # a drawing error must not keep a response from being recorded
        logging.getLogger(__name__).debug("The panel could not be drawn", exc_info=True)
