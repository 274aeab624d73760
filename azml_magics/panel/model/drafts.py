"""The chosen config, and the unsaved changes to every config of the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics import documents
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, DocumentError
from azml_magics.core.paths import is_folder, path_of
from azml_magics.session import check_name

from .draft import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from azml_magics.changes import Change
    from azml_magics.session import Session

NEW = ""  # stands for the config that has no name yet


class Drafts:
    """One draft for every config that was shown. The chosen config is always the session's active one.

    Args:
        session: has the configs.
        values: returns what the variables of a system message stand for.

    Attributes:
        note: how a change made in the notebook affected the drafts; "" if it did not.
    """

    def __init__(self, session: Session, values: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._session = session
        self._values = values
        self._drafts: dict[str, Draft] = {}
        self._stash: dict[str, Draft | None] = {}  # what `preview` replaced; None if there was no draft
        self._choosing_new = False
        self.note = ""

    @property
    def names(self) -> list[str]:
        """The session's configs, and NEW while a new one is being edited or there are none."""
        names = self._session.names()
        return [*names, NEW] if self.name == NEW or self._has_new_draft() else names

    def _has_new_draft(self) -> bool:
        return NEW in self._drafts and self._drafts[NEW].is_changed

    @property
    def name(self) -> str:
        """The chosen config's name; NEW if it was not saved yet."""
        return NEW if self._choosing_new else self._session.active

    @property
    def current(self) -> Draft:
        """The draft of the chosen config."""
        name = self.name
        if name not in self._drafts:
            self._drafts[name] = Draft(self._session.get(name) if name else LLMConfig())
        return self._drafts[name]

    def choose(self, name: str) -> None:
        """Choose a config and make it the session's active one."""
        self.note = ""
        if name != NEW:
            self._session.use(name)
        self._choosing_new = name == NEW

    def new(self) -> None:
        """Choose the new config; one that was being edited is continued."""
        self.choose(NEW)

    # ---- preview of an older config

    def preview(self, config: LLMConfig) -> None:
        """Show `config` as unsaved changes to the saved one of its name, or as a new one if there is none.

        The draft that it replaces is stashed until `restore` or `accept`.
        """
        name = config.name if config.name in self._session.names() else NEW
        self.choose(name)
        self._stash.setdefault(name, self._drafts.get(name))
        saved = self._session.get(name) if name else LLMConfig()
        self._drafts[name] = Draft(saved, replace(config, name=name))

    def restore(self, name: str) -> None:
        """Bring back the stashed drafts, and choose `name` if that config still exists."""
        for former, draft in self._stash.items():
            self._drafts.pop(former, None)
            if draft is not None and (former == NEW or former in self._session.names()):
                draft.rebase(self._session.get(former) if former else LLMConfig())
                self._drafts[former] = draft
        self._stash.clear()
        if name == NEW or name in self._session.names():
            self.choose(name)

    def accept(self) -> None:
        """Keep what was previewed, and drop the stashed drafts."""
        self._stash.clear()

    # ---- saving

    def save(self) -> str:
        """Save the chosen config under its name, and return the name.

        Raises:
            ConfigError: if it has no name yet or a field is wrong.
        """
        if self.name == NEW:
            raise ConfigError("This config has no name yet", remedy="Save it under a name.")
        return self.save_as(self.name)

    def save_as(self, name: str) -> str:
        """Save the draft under `name` and choose it; the config it was made from stays unchanged.

        Returns:
            The name without spaces around it.

        Raises:
            ConfigError: if a field is wrong or another config has that name.
        """
        name = name.strip()
        check_name(name)
        if name != self.name and name in self._session.names():
            raise ConfigError(
                f"A config named {name} already exists", remedy="Choose another name, or delete that config first."
            )
        draft, config = self.current, self.valid_config()
        self._drafts.pop(self.name, None)
        self._drafts.pop(name, None)
        draft.begin(self._session.save(name, config))
        self._drafts[name] = draft  # the same object: a running detection may be about it
        self.choose(name)
        return name

    def valid_config(self) -> LLMConfig:
        """The draft's config.

        Raises:
            ConfigError: if a field is wrong.
            UndefinedVariableError: if the system message has a variable without a value.
        """
        for field, message in self.current.errors.items():
            if not (field == "formatter" and not self.current.texts["formatter"]):  # it can be chosen later
                raise ConfigError(f"{field}: {message}")
        return replace(self.current.config, system=self.current.fill_system(self._values()))

    def revert(self) -> None:
        """Discard the unsaved changes."""
        self.note = ""
        self.current.begin(self._session.get(self.name) if self.name else LLMConfig())

    def delete(self) -> str:
        """Delete the chosen config, choose the one before it in the list, and return the deleted name."""
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
        """Write the draft to a file that LangChain can load, and return its path.

        Args:
            path: a file name that ends in .json or .yaml.
            langchain: whether to leave out what LangChain's own class does not know.

        Raises:
            DocumentError: if it cannot be written.
        """
        if not path.strip():
            raise DocumentError("There is no file name", remedy="Type a name that ends in .json or .yaml.")
        return documents.save(self.valid_config(), path.strip(), langchain=langchain)

    def import_(self, path: str) -> list[str]:
        """Read a file, or all files of a folder, save their configs, and choose the first.

        Returns:
            The configs' names.

        Raises:
            DocumentError: if there is no such file or it cannot be read.
        """
        if not path.strip():
            raise DocumentError(
                "There is no file name", remedy="Type the path of a .json or .yaml file, or of a folder."
            )
        source = path.strip()
        load = documents.load_all if is_folder(source) else _load_one
        configs = load(source, is_trusted=False)
        if not configs:
            raise DocumentError(f"{source} contains no .json or .yaml file", remedy="Check the path.")
        for config in configs:
            check_name(config.name)
        for config in configs:
            self._drafts.pop(config.name, None)
            self._session.save(config.name, config, source=str(path_of(source)))
        self.choose(configs[0].name)
        return [config.name for config in configs]

    # ---- changes made in the notebook

    def follow(self, change: Change) -> None:
        """Apply a change of the session: drafts without unsaved changes show what is saved now."""
        if change.kind == "renamed":
            self._follow_rename(change)
        elif change.kind == "deleted":
            gone = self._drafts.pop(change.name, None)
            if gone is not None and gone.is_changed and self.name == NEW:
                self._follow_delete(change.name, gone)
        elif change.kind == "saved" and change.name in self._drafts:
            self._follow_save(change.name)
        elif change.kind == "used":
            self._choosing_new = False

    def _follow_rename(self, change: Change) -> None:
        if change.former in self._drafts:
            self._drafts[change.name] = draft = self._drafts.pop(change.former)
            draft.rebase(self._session.get(change.name))
        if change.former in self._stash:
            self._stash[change.name] = self._stash.pop(change.former)

    def _follow_delete(self, name: str, gone: Draft) -> None:
        if self._choosing_new or self._has_new_draft():
            self.note = f"{name} was deleted in the notebook, and its unsaved changes with it."
        else:
            self._drafts[NEW] = Draft(LLMConfig(), replace(gone.config, name=""))
            self.note = f"{name} was deleted in the notebook; its unsaved changes are kept here."

    def _follow_save(self, name: str) -> None:
        draft, saved = self._drafts[name], self._session.get(name)
        if draft.saved == saved:
            return
        was_changed = draft.is_changed
        draft.rebase(saved)
        if not (was_changed and draft.is_changed):
            del self._drafts[name]
        else:
            self.note = f"{name} was changed in the notebook too. Revert shows that version; Save replaces it."


def _load_one(path: str, *, is_trusted: bool) -> list[LLMConfig]:
    return [documents.load(path, is_trusted=is_trusted)]
