"""Trust, given in the panel: what a config of a file was refused for, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azml_magics.core import trust

from .changes import STATE

if TYPE_CHECKING:
    from azml_magics.core.grants import Grant

    from .state import PanelState

UNTRUSTED: Final = "untrusted-config"


class ConfigTrust:
    """Lets the user trust the config in the controls, once a request of it was refused."""

    def __init__(self, state: PanelState) -> None:
        self._state = state

    @property
    def is_asked(self) -> bool:
        """Whether the config in the controls would send just what the user was told of; an edit may change that."""
        return self._asked() is not None

    def _asked(self) -> Grant | None:
        config = self._state.draft.config
        grant = trust.grant_for(config)
        is_told = grant is not None and grant == trust.refused(config.name)
        return grant if is_told and grant is not None and not trust.is_granted(grant) else None

    def give(self) -> None:
        """Trust the config with what was refused, in this session and later ones."""
        state, asked = self._state, self._asked()
        if asked is None:
            return
        with state.changing(STATE):
            trust.grant(state.draft.config)
            for place in [place for place, note in state.notes.items() if note.error_code == UNTRUSTED]:
                state.note(place, f"Trusted: {asked}. Run it again.", "good")
