"""All that the panel does, without a widget: what is chosen and typed, what runs, what is shown.

The view draws what this says and calls it when something is clicked. Every method may be called from any thread;
listeners are told which parts have changed, in the thread that changed them, one at a time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.core import keys, wire
from azml_magics.core.errors import AzmlError, ConfigError
from azml_magics.core.keys import Secret
from azml_magics.core.messages import as_messages

from . import cell_source
from .draft import formatter_of
from .drafts import Drafts
from .events import CONFIG, DRAFT, HISTORY, NOTES, PROMPT, VARIABLES
from .history import Past
from .messages import in_words
from .prompt import Prompt, stripped
from .runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.session import Change, Session

    from .draft import Draft
    from .prompt import Variable


@dataclass(frozen=True)
class Note:
    """A line about what was done: "good", "bad" or "plain"."""

    text: str = ""
    mood: str = "plain"


class PanelModel:
    """The panel's state and its actions. What an action cannot do it says in `notes`, by place, and changes nothing.

    variables: gives the notebook's variables. timeout: gives the notebook's own, in seconds, None where it has none.
    notes: place ("config", "endpoint", "run", "cell") -> Note.
    """

    def __init__(
        self,
        session: Session,
        variables: Callable[[], Mapping[str, Any]] = dict,
        timeout: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.session = session
        self._variables = variables
        self.timeout = timeout
        self._lock = threading.RLock()
        self._drafts = Drafts(session)
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._changed: set[str] = set()
        self._depth = 0
        self.prompt = Prompt()
        self.notes: dict[str, Note] = {}
        self.runs = Runs(self)
        self.past = Past(self)
        self._unsubscribe = session.subscribe(self._heard)

    def close(self) -> None:
        """Stop what runs, and listen to the session no more."""
        self._unsubscribe()
        self.runs.close()
        self._listeners.clear()

    # ---- telling

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Tell `listener` from now on which of PARTS have changed."""
        self._listeners.append(listener)

    @contextlib.contextmanager
    def changing(self, *parts: str, place: str = "") -> Iterator[None]:
        """Hold the lock while those parts change, then tell; an AzmlError becomes the note at `place`."""
        with self._lock:
            self._depth += 1
            self._changed.update(parts)
            try:
                yield
            except AzmlError as error:
                if not place:
                    raise
                self.note(place, in_words(error), "bad")
            finally:
                self._depth -= 1
                if not self._depth:
                    self._tell()

    def _tell(self) -> None:
        changed, self._changed = frozenset(self._changed), set()
        for listener in list(self._listeners) if changed else []:
            _told(listener, changed)

    def note(self, place: str, text: str = "", mood: str = "plain") -> None:
        """Say something at a place, within `changing`."""
        self.notes[place] = Note(text, mood)
        self._changed.add(NOTES)

    def _heard(self, change: Change) -> None:
        if change.kind == "asked":
            with self.changing(HISTORY):
                return
        with self.changing(CONFIG, DRAFT):
            self._drafts.heard(change)
            self.note("config", self._drafts.note)

    # ---- the config

    @property
    def names(self) -> list[str]:
        """The configs to choose from; NEW ("") for one that has no name yet."""
        return self._drafts.names

    @property
    def name(self) -> str:
        """The chosen config's name, NEW while it has none."""
        return self._drafts.name

    @property
    def draft(self) -> Draft:
        """The chosen config as it is being edited."""
        return self._drafts.current

    def choose(self, name: str) -> None:
        """Choose a config; unsaved changes to the one before are kept for when it is chosen again."""
        if name == self.name:
            return
        with self.changing(CONFIG, DRAFT, place="config"):
            self.note("config")
            self._drafts.choose(name)

    def new(self) -> None:
        """Begin a config that has no name yet."""
        with self.changing(CONFIG, DRAFT, place="config"):
            self._drafts.new()
            self.note("config", "A new config: give it a URL, and save it under a name.")

    def save(self, name: str = "") -> bool:
        """Save under the config's own name, or as `name`; says whether it was."""
        saved = ""
        with self.changing(CONFIG, DRAFT, place="config"):
            saved = self._drafts.save_as(name) if name else self._drafts.save()
            self.note("config", f"Saved {saved}.", "good")
        return bool(saved)

    def revert(self) -> None:
        """Drop the unsaved changes."""
        with self.changing(CONFIG, DRAFT, place="config"):
            self._drafts.revert()
            self.note("config", "Unsaved changes dropped.")

    def delete(self) -> None:
        """Forget the chosen config; the one before it in the list is chosen."""
        with self.changing(CONFIG, DRAFT, place="config"):
            deleted = self._drafts.delete()
            left = f" {self.name} is in use now." if self.name else " There is no config left."
            self.note("config", f"Deleted {deleted}.{left}")

    def export(self, path: str, *, langchain: bool = False) -> Path | None:
        """Write the config as LangChain reads it; the file's path, None where that could not be."""
        written = None
        with self.changing(place="config"):
            written = self._drafts.export(path, langchain=langchain)
            self.note("config", f"Exported to {written}. The key is not in it.", "good")
        return written

    def import_(self, path: str) -> bool:
        """Read a file, or every one of a folder; says whether that was possible."""
        names: list[str] = []
        with self.changing(CONFIG, DRAFT, place="config"):
            names = self._drafts.import_(path)
            self.note("config", f"Imported {', '.join(names)}.", "good")
        return bool(names)

    # ---- its fields

    @contextlib.contextmanager
    def _editing(self) -> Iterator[None]:
        """While the draft is edited; what was said of it before is old news then."""
        with self._typing(CONFIG, DRAFT):
            self.note("config")
            yield

    @contextlib.contextmanager
    def _typing(self, *parts: str) -> Iterator[None]:
        """While those parts are typed into; why the last click was refused may be mended by it."""
        with self.changing(*parts):
            if self.runs.refused:
                self.runs.refused = False
                self.note("run")
            yield

    def set(self, field: str, text: str) -> None:
        """Type into a field of the config."""
        if self.draft.texts[field] != text:
            with self._editing():
                self.draft.set(field, text)

    def set_kwarg(self, name: str, typed: str | tuple[str, ...]) -> None:
        """Type into a kwarg's control."""
        with self._editing():
            self.draft.set_kwarg(name, typed)

    def reset_kwarg(self, name: str) -> None:
        """Leave a kwarg to the provider's default."""
        with self._editing():
            self.draft.reset_kwarg(name)

    def set_rest(self, text: str) -> None:
        """Type JSON into the box for the other kwargs."""
        if self.draft.rest != text:
            with self._editing():
                self.draft.set_rest(text)

    def type_key(self, text: str) -> None:
        """Keep a key for the endpoint's host, in memory and for this session; the config then refers to it as `ask`."""
        with self.changing(CONFIG, DRAFT, place="endpoint"):
            url = self.draft.config.endpoint_url
            if not url:
                raise ConfigError("The key belongs to an endpoint", remedy="Type the URL first.")
            key = Secret(text)
            if not key:
                return
            keys.answer(url, key)
            self.draft.set("key", "ask")
            self.note("endpoint", "The key is kept for this session, and nowhere else.", "good")

    def formatters(self) -> list[tuple[str, str]]:
        """(label, name) of the formatters that fit the endpoint, the chosen one among them in any case."""
        config = self.draft.config
        implied = wire.default_for_route(config.endpoint_url)
        found = [(f"by the URL: {implied}" if implied else "choose one", "")]
        for name in wire.names():
            with contextlib.suppress(AzmlError):
                wire.get(name).check(config)
                found.append((name, name))
        chosen = self.draft.texts["formatter"]
        return found if chosen in [name for _, name in found] else [*found, (chosen, chosen)]

    def describe_formatter(self) -> str:
        """The chosen formatter in a line, "" while there is none."""
        formatter = formatter_of(self.draft.config)
        return str(getattr(formatter, "description", "") or "your own formatter") if formatter else ""

    # ---- the prompt

    def show(self, config: LLMConfig, prompt: Prompt) -> None:
        """Put a config and a prompt into the controls, as unsaved changes where they differ."""
        with self.changing(CONFIG, DRAFT, PROMPT, VARIABLES, place="run"):
            self._drafts.put(config)
            self.prompt = prompt

    def show_again(self, name: str, prompt: Prompt) -> None:
        """Put into the controls what every `show` has laid aside: the config of that name, and a prompt."""
        with self.changing(CONFIG, DRAFT, PROMPT, VARIABLES, place="run"):
            self._drafts.take_back(name)
            self.prompt = prompt

    def settle(self) -> None:
        """What was last shown stays: forget what was laid aside for it."""
        with self.changing():
            self._drafts.settle()

    def set_prompt(self, text: str) -> None:
        """Type into the prompt box."""
        if self.prompt.text != text:
            with self._typing(PROMPT, VARIABLES):
                self.prompt.text = text

    def set_variable(self, name: str, text: str) -> None:
        """Type a value for a prompt variable; blank takes the notebook's."""
        if self.prompt.typed.get(name, "") != text:
            with self._typing(PROMPT):
                self.prompt.typed[name] = text

    def variables(self) -> list[Variable]:
        """The prompt's variables, with what the notebook has for them now."""
        return self.prompt.variables(self._variables())

    def look_again(self) -> None:
        """The notebook's variables may have changed: a cell has run."""
        if self.prompt.text:
            with self.changing(VARIABLES):
                pass

    def values(self) -> Mapping[str, Any]:
        """The notebook's variables, as they are now."""
        return self._variables()

    def messages(self) -> list[Message]:
        """What is sent, with the variables' values; PromptError where one is missing."""
        return as_messages(self.prompt.rendered(self._variables()), self.draft.config.system)

    def cell(self, *further: str) -> cell_source.Cell:
        """The cell that a person could have typed in the panel's place."""
        return cell_source.cell(self.draft.config, self.base, stripped(self.prompt.text), self.prompt.given(), further)

    @property
    def base(self) -> LLMConfig:
        """What a cell starts from: the saved config; where it has no name yet, the one in use."""
        is_new = not self.name and self.session.active
        return self.session.get() if is_new else self.draft.saved


def _told(listener: Callable[[frozenset[str]], None], changed: frozenset[str]) -> None:
    try:
        listener(changed)
    except Exception:  # a drawing that fails must not keep an answer from being recorded
        logging.getLogger(__name__).debug("The panel could not be drawn", exc_info=True)
