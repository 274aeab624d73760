"""The versions of the panel: name, rate and note them, see what differs, restore one, export them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.errors import AzmlError, DocumentError, UnknownNameError, UsageError
from azml_magics.core.paths import path_of
from azml_magics.core.redaction import redact_data

from .changes import HISTORY
from .version import RATINGS, Difference, Version, compare_parts, outcome_text, parts_of_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from .run_history import History
    from .state import PanelState


class Versions:
    """Every run of the session's history is a version; those of the history file are, too.

    What prevents an action becomes the note at "run".

    Args:
        state: the panel's state.
        history: restores a run into the controls.
    """

    def __init__(self, state: PanelState, history: History) -> None:
        self._state = state
        self._history = history

    def entries(self) -> list[Version]:
        """The versions, newest first."""
        return [Version(exchange) for exchange in reversed(self._state.session.history)]

    def get(self, version_id: str) -> Version:
        """The version with that id.

        Raises:
            UnknownNameError: if the history no longer contains it.
        """
        found = next((each for each in self._state.session.history if each.id == version_id), None)
        if found is None:
            raise UnknownNameError("The history no longer contains this version")
        return Version(found)

    def set_name(self, version_id: str, name: str) -> None:
        """Name a version; "" takes the name away."""
        self._annotate(version_id, name=name.strip())

    def set_note(self, version_id: str, note: str) -> None:
        """Note something about a version."""
        self._annotate(version_id, note=note)

    def rate(self, version_id: str, rating: str) -> None:
        """Rate a version "good" or "bad"; "" takes the rating away."""
        with self._state.changing(HISTORY, place="run"):
            if rating and rating not in RATINGS:
                raise UsageError(f"A version is rated good or bad, not {rating!r}")
            self._annotate(version_id, rating=rating)

    def differences(self, before: str, after: str) -> list[Difference]:
        """What differs between two versions: prompt, variables, system message, settings and response.

        Args:
            before: the id of the first version.
            after: that of the second one.

        Raises:
            UnknownNameError: if the history no longer contains one of them.
        """
        return compare_parts(self.get(before).parts, self.get(after).parts)

    def differences_from_controls(self, version_id: str) -> list[Difference]:
        """What differs between a version and what the panel has now: its controls and the response it shows.

        Raises:
            UnknownNameError: if the history no longer contains the version.
        """
        return compare_parts(self.get(version_id).parts, self._parts_now())

    def _parts_now(self) -> dict[str, str]:
        state = self._state
        config, result = replace(state.draft.config, name=state.name), state.result
        with contextlib.suppress(AzmlError):  # Run would refuse it
            config = state.with_options(BatchRequest({}, config, [])).as_recorded()[0]
        try:
            system = state.filled_config().system or ""
        except AzmlError:  # a variable without a value: Run would refuse it, and here its name is what differs
            system = state.draft.texts["system"]
        row = result.row if result is not None and len(result.requests) == 1 else None
        return parts_of_run(config, state.prompt, system, outcome_text(row.response, row.error) if row else "")

    def restore(self, version_id: str) -> None:
        """Put a version into the controls; `undo` brings back what they had before the first restored one."""
        with self._state.changing(place="run"):
            self._history.restore(self.get(version_id).exchange.number)

    @property
    def can_undo(self) -> bool:
        """Whether a version was restored, and not run or undone since."""
        return self._history.can_go_back

    def undo(self) -> None:
        """Show the controls as they were before a version was restored."""
        self._history.go_back()

    def export(self, path: str, version_ids: Sequence[str] = ()) -> Path | None:
        """Write versions as JSON lines, oldest first, without keys.

        Args:
            path: the file.
            version_ids: the versions; () for all.

        Returns:
            The file's path; None if it could not be written.
        """
        written = None
        with self._state.changing(place="run"):
            if not path.strip():
                raise DocumentError("There is no file name", remedy="Type one that ends in .jsonl.")
            wanted = set(version_ids)
            chosen = [version for version in reversed(self.entries()) if version.id in wanted or not wanted]
            written = _write(chosen, path_of(path.strip()))
            count = f"{len(chosen)} version{'' if len(chosen) == 1 else 's'}"
            self._state.note("run", f"Exported {count} to {written}, without keys.", "good")
        return written

    def _annotate(self, version_id: str, **notes: Any) -> None:
        with self._state.changing(HISTORY, place="run"):
            self._state.session.annotate(version_id, **notes)


def _write(versions: list[Version], path: Path) -> Path:
    lines = [json.dumps(_to_dict(version), ensure_ascii=False, default=str) + "\n" for version in versions]
    try:  # a surrogate is not valid UTF-8, and its JSON escape is
        path.write_bytes("".join(lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror or error}", remedy="Choose another.") from None
    return path


def _to_dict(version: Version) -> Any:
    from azml_magics.exchange_data import exchange_to_dict, known_secrets

    data = {**exchange_to_dict(version.exchange), "notes": dict(version.exchange.notes)}
    return redact_data(data, *known_secrets(version.exchange.config))
