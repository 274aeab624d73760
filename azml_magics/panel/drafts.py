"""The panel's side of the session: which config is chosen, and the unsaved changes to each. No widgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from azml_magics import serialization
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, DocumentError
from azml_magics.session import check_name

from .draft import Draft

if TYPE_CHECKING:
    from azml_magics.session import Change, Session

NEW = ""  # the name of the config that has none yet


class Drafts:
    """A draft for every config that was looked at. What is chosen here is what the session uses, and the other way.

    note: what a change on the other side has done to the draft that is shown, "" mostly.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drafts: dict[str, Draft] = {}
        self._choosing_new = False
        self.note = ""

    @property
    def names(self) -> list[str]:
        """The session's configs, and NEW while one is being made or there is none."""
        names = self._session.names()
        return [*names, NEW] if self.name == NEW else names

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
        self._choosing_new = name == NEW
        if name != NEW:
            self._session.use(name)

    def new(self) -> None:
        """Begin a config, with the endpoint and the formatter left open."""
        self.choose(NEW)
        self._drafts[NEW] = Draft(LLMConfig())

    def put(self, config: LLMConfig) -> None:
        """Show `config` as unsaved changes to the one of its name; as a new one where there is none."""
        name = config.name if config.name in self._session.names() else NEW
        self.choose(name)
        saved = self._session.get(name) if name else LLMConfig()
        self._drafts[name] = Draft(saved, replace(config, name=name))

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
        config = self.checked()
        self._drafts.pop(self.name, None)
        self._drafts.pop(name, None)
        self._session.save(name, config)
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
        self._drafts.pop(self.name, None)

    def delete(self) -> str:
        """Forget the chosen config and take the one before it in the list; returns its name."""
        name = self.name
        if name == NEW:
            self.revert()
            self._choosing_new = False
            return "the new config"
        names = self._session.names()
        at = names.index(name)
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
        return serialization.save(self.checked(), path.strip(), langchain=langchain)

    def import_(self, path: str) -> list[str]:
        """Read one file, or every one of a folder; returns their names, of which the first is chosen."""
        if not path.strip():
            raise DocumentError("No file is named", remedy="Type the path of a .json or .yaml file, or of a folder.")
        where = Path(path.strip()).expanduser()
        configs = serialization.load_all(where) if where.is_dir() else [serialization.load(where)]
        if not configs:
            raise DocumentError(f"{where} holds no .json or .yaml file", remedy="Check the path.")
        for config in configs:
            check_name(config.name)
        for config in configs:
            self._drafts.pop(config.name, None)
            self._session.save(config.name, config, source=str(where))
        self.choose(configs[0].name)
        return [config.name for config in configs]

    # ---- the other side

    def heard(self, change: Change) -> None:
        """Follow a change of the session's: drafts without unsaved changes show what is saved now."""
        if change.kind == "renamed" and change.former in self._drafts:
            self._drafts[change.name] = draft = self._drafts.pop(change.former)
            draft.moved(self._session.get(change.name))
        elif change.kind == "deleted":
            gone = self._drafts.pop(change.name, None)
            if gone is not None and gone.is_changed and not self._session.active:
                self._drafts[NEW] = Draft(LLMConfig(), replace(gone.config, name=""))
                self.note = f"{change.name} was deleted in the notebook; its unsaved state is kept here."
        elif change.kind == "saved" and change.name in self._drafts:
            self._saved_elsewhere(change.name)
        elif change.kind == "used":
            self._choosing_new = False

    def _saved_elsewhere(self, name: str) -> None:
        draft, saved = self._drafts[name], self._session.get(name)
        if draft.saved == saved:
            return
        if not draft.is_changed:
            del self._drafts[name]
        else:
            draft.moved(saved)
            self.note = f"{name} was changed in the notebook, too. Revert shows that; Save writes over it."
