"""The panel's side of the session: which config is chosen, and the unsaved changes to each. No widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics import documents
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, DocumentError
from azml_magics.core.paths import is_folder, path_of
from azml_magics.session import check_name

from .draft import Draft

if TYPE_CHECKING:
    from pathlib import Path

    from azml_magics.session import Change, Session

NEW = ""  # the name of the config that has none yet


class Drafts:
    """A draft for every config that was looked at. What is chosen here is what the session uses, and the other way.

    note: what a change on the other side has done to the draft that is shown, "" mostly.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drafts: dict[str, Draft] = {}
        self._aside: dict[str, Draft | None] = {}  # what `put` has laid something over, None where there was no draft
        self._choosing_new = False
        self.note = ""

    @property
    def names(self) -> list[str]:
        """The session's configs, and NEW while one is being made or there is none."""
        names = self._session.names()
        return [*names, NEW] if self.name == NEW or self._new_is_begun() else names

    def _new_is_begun(self) -> bool:
        return NEW in self._drafts and self._drafts[NEW].is_changed

    @property
    def name(self) -> str:
        """The chosen config's name; NEW for one that was not saved yet."""
        return NEW if self._choosing_new else self._session.active

    @property
    def current(self) -> Draft:
        """The draft of the chosen config."""
        name = self.name
        if name not in self._drafts:
            self._drafts[name] = Draft(self._session.get(name) if name else LLMConfig())
        return self._drafts[name]

    def choose(self, name: str) -> None:
        """Make a config the chosen one, and the session's active one."""
        self.note = ""
        if name != NEW:
            self._session.use(name)
        self._choosing_new = name == NEW

    def new(self) -> None:
        """Begin a config, with the endpoint and the formatter left open; one that was begun before goes on."""
        self.choose(NEW)

    # ---- an older state

    def put(self, config: LLMConfig) -> None:
        """Show `config` as unsaved changes to the one of its name; as a new one where there is none.

        What was unsaved there is laid aside, until `take_back` or `settle`.
        """
        name = config.name if config.name in self._session.names() else NEW
        self.choose(name)
        self._aside.setdefault(name, self._drafts.get(name))
        saved = self._session.get(name) if name else LLMConfig()
        self._drafts[name] = Draft(saved, replace(config, name=name))

    def take_back(self, name: str) -> None:
        """Undo what was `put`, and choose `name` again where it is still there."""
        for each, draft in self._aside.items():
            self._drafts.pop(each, None)
            if draft is not None and (each == NEW or each in self._session.names()):
                draft.moved(self._session.get(each) if each else LLMConfig())
                self._drafts[each] = draft
        self._aside.clear()
        if name == NEW or name in self._session.names():
            self.choose(name)

    def settle(self) -> None:
        """What was `put` stays: forget what was laid aside for it."""
        self._aside.clear()

    # ---- keeping

    def save(self) -> str:
        """Save the chosen config under its name; returns that. ConfigError where a field is wrong or it has no name."""
        if self.name == NEW:
            raise ConfigError("It has no name yet", remedy="Type one, and save it as that.")
        return self.save_as(self.name)

    def save_as(self, name: str) -> str:
        """Save the draft under `name`, and choose it; the one it came from stays as it was.

        ConfigError where a field is wrong, or another config has that name.
        """
        name = name.strip()
        check_name(name)
        if name != self.name and name in self._session.names():
            raise ConfigError(
                f"There is a config named {name} already", remedy="Choose another name, or delete that one first."
            )
        draft, config = self.current, self.checked()
        self._drafts.pop(self.name, None)
        self._drafts.pop(name, None)
        draft.begin(self._session.save(name, config))
        self._drafts[name] = draft  # itself, and no other one: a detection may be about it
        self.choose(name)
        return name

    def checked(self) -> LLMConfig:
        """The draft's config; ConfigError where a field is wrong."""
        for field, message in self.current.errors.items():
            if not (field == "formatter" and not self.current.texts["formatter"]):  # one may be chosen later
                raise ConfigError(f"{field}: {message}")
        return self.current.config

    def revert(self) -> None:
        """Drop the unsaved changes."""
        self.note = ""
        self.current.begin(self._session.get(self.name) if self.name else LLMConfig())

    def delete(self) -> str:
        """Forget the chosen config and take the one before it in the list; returns its name."""
        name = self.name
        if name == NEW:
            self.revert()
            self._choosing_new = False
            return "the new config"
        names = self._session.names()
        at = names.index(name) if name in names else 0
        self._drafts.pop(name, None)
        self._session.delete(name)
        left = names[:at] + names[at + 1 :]
        if left:
            self.choose(left[max(0, at - 1)])
        return name

    # ---- files

    def export(self, path: str, *, langchain: bool) -> Path:
        """Write the draft to a file, as LangChain reads it; returns the path. DocumentError where that cannot be."""
        if not path.strip():
            raise DocumentError("No file is named", remedy="Type a name that ends in .json or .yaml.")
        return documents.save(self.checked(), path.strip(), langchain=langchain)

    def import_(self, path: str) -> list[str]:
        """Read one file, or every one of a folder; returns their names, of which the first is chosen."""
        if not path.strip():
            raise DocumentError("No file is named", remedy="Type the path of a .json or .yaml file, or of a folder.")
        where = path.strip()
        configs = documents.load_all(where) if is_folder(where) else [documents.load(where)]
        if not configs:
            raise DocumentError(f"{where} holds no .json or .yaml file", remedy="Check the path.")
        for config in configs:
            check_name(config.name)
        for config in configs:
            self._drafts.pop(config.name, None)
            self._session.save(config.name, config, source=str(path_of(where)))
        self.choose(configs[0].name)
        return [config.name for config in configs]

    # ---- the other side

    def heard(self, change: Change) -> None:
        """Follow a change of the session's: drafts without unsaved changes show what is saved now."""
        if change.kind == "renamed":
            self._renamed_elsewhere(change)
        elif change.kind == "deleted":
            gone = self._drafts.pop(change.name, None)
            if gone is not None and gone.is_changed and self.name == NEW:
                self._deleted_elsewhere(change.name, gone)
        elif change.kind == "saved" and change.name in self._drafts:
            self._saved_elsewhere(change.name)
        elif change.kind == "used":
            self._choosing_new = False

    def _renamed_elsewhere(self, change: Change) -> None:
        if change.former in self._drafts:
            self._drafts[change.name] = draft = self._drafts.pop(change.former)
            draft.moved(self._session.get(change.name))
        if change.former in self._aside:
            self._aside[change.name] = self._aside.pop(change.former)

    def _deleted_elsewhere(self, name: str, gone: Draft) -> None:
        if self._choosing_new or self._new_is_begun():
            self.note = f"{name} was deleted in the notebook, and its unsaved changes with it."
        else:
            self._drafts[NEW] = Draft(LLMConfig(), replace(gone.config, name=""))
            self.note = f"{name} was deleted in the notebook; its unsaved state is kept here."

    def _saved_elsewhere(self, name: str) -> None:
        draft, saved = self._drafts[name], self._session.get(name)
        if draft.saved == saved:
            return
        was_changed = draft.is_changed
        draft.moved(saved)
        if not (was_changed and draft.is_changed):
            del self._drafts[name]
        else:
            self.note = f"{name} was changed in the notebook, too. Revert shows that; Save writes over it."
