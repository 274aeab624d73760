"""What is done with a config: choose, type, save, keep, export it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from azml_magics.core import key_sources, wire
from azml_magics.core.errors import AzmlError, ConfigError
from azml_magics.core.secret import Secret

from .changes import CONFIG, DRAFT
from .field_texts import formatter_of
from .state import PanelState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .runs import Runs


class ConfigActions(PanelState):
    """The actions on configs. One that fails changes nothing and leaves a note at its place.

    Attributes:
        runs: knows whether the last click was refused, which typing may fix.
    """

    runs: Runs

    # ---- the config

    def choose(self, name: str) -> None:
        """Choose a config; unsaved changes to the former one are kept until it is chosen again."""
        if name == self.name:
            return
        with self.changing(CONFIG, DRAFT, place="config"):
            self.note("config")
            self._drafts.choose(name)

    def new(self) -> None:
        """Start a config without a name."""
        with self.changing(CONFIG, DRAFT, place="config"):
            self._drafts.new()
            self.note("config", "New config: type its URL, then save it under a name.")

    def save(self, name: str = "") -> bool:
        """Save the config under its own name, or as `name`; return whether it was saved."""
        saved = ""
        with self.changing(CONFIG, DRAFT, place="config"):
            saved = self._drafts.save_as(name) if name else self._drafts.save()
            self.note("config", f"Saved {saved} for this session.", "good")
        return bool(saved)

    def keep(self) -> None:
        """Save the config and write it to the user's config folder, so that it outlives the kernel."""
        with self.changing(CONFIG, DRAFT, place="config"):
            name = self._drafts.save()
            written = self.session.keep(name)
            self.note("config", f"Kept {name} beyond this kernel, without a key, in {written.path}.", "good")

    def revert(self) -> None:
        """Discard the unsaved changes."""
        with self.changing(CONFIG, DRAFT, place="config"):
            self._drafts.revert()
            self.note("config", "Unsaved changes discarded.")

    def delete(self) -> None:
        """Delete the chosen config and choose the one before it in the list."""
        with self.changing(CONFIG, DRAFT, place="config"):
            deleted = self._drafts.delete()
            following = f" {self.name} is active now." if self.name else " There is no config left."
            self.note("config", f"Deleted {deleted}.{following}")

    def export(self, path: str, *, langchain: bool = False) -> Path | None:
        """Write the config to a file that LangChain can load.

        Args:
            path: a file name that ends in .json or .yaml.
            langchain: whether to leave out what LangChain's own class does not know.

        Returns:
            The file's path; None if it could not be written.
        """
        written = None
        with self.changing(place="config"):
            written = self._drafts.export(path, langchain=langchain)
            self.note("config", f"Exported to {written}, without the key.", "good")
        return written

    def import_(self, path: str) -> bool:
        """Read a file, or all files of a folder; return whether that succeeded."""
        names: list[str] = []
        with self.changing(CONFIG, DRAFT, place="config"):
            names = self._drafts.import_(path)
            self.note("config", f"Imported {', '.join(names)}.", "good")
        return bool(names)

    # ---- its fields

    @contextlib.contextmanager
    def _editing(self) -> Iterator[None]:
        """Edit the draft; the former note about the config no longer applies."""
        with self._typing(CONFIG, DRAFT):
            self.note("config")
            yield

    @contextlib.contextmanager
    def _typing(self, *parts: str) -> Iterator[None]:
        """Change `parts` by typing; this may fix what the last click was refused for, so its note goes."""
        with self.changing(*parts):
            if self.runs.was_refused:
                self.runs.was_refused = False
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
        """Stop sending a kwarg; the model's default applies."""
        with self._editing():
            self.draft.reset_kwarg(name)

    def set_other_kwargs(self, text: str) -> None:
        """Type JSON into the field for the other kwargs."""
        if self.draft.other_kwargs_json != text:
            with self._editing():
                self.draft.set_other_kwargs(text)

    def set_key(self, text: str) -> None:
        """Keep an API key for the endpoint's host, in memory and for this session; the config refers to it as `ask`."""
        with self.changing(CONFIG, DRAFT, place="endpoint"):
            url = self.draft.config.endpoint_url
            if not url:
                raise ConfigError("An API key belongs to an endpoint", remedy="Type the URL first.")
            key = Secret(text)
            if not key:
                return
            key_sources.remember_key(url, key)
            self.draft.set("key", "ask")
            self.note("endpoint", "The key is kept in memory for this session. It is not saved.", "good")

    def formatter_choices(self) -> list[tuple[str, str]]:
        """(label, name) of the formatters that fit the endpoint, and of the chosen one even if it does not fit."""
        config = self.draft.config
        implied = wire.default_for_url(config.endpoint_url)
        fitting = [(f"from the URL: {implied}" if implied else "choose one", "")]
        for name in wire.names():
            with contextlib.suppress(AzmlError):
                wire.get(name).wire_for(config)
                fitting.append((name, name))
        chosen = self.draft.texts["formatter"]
        return fitting if chosen in [name for _, name in fitting] else [*fitting, (chosen, chosen)]

    def describe_formatter(self) -> str:
        """The chosen formatter's description in one line; "" if none is chosen."""
        formatter = formatter_of(self.draft.config)
        return str(getattr(formatter, "description", "") or "your own formatter") if formatter else ""
