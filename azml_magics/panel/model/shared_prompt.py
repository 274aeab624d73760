"""A prompt that two browser tabs edit: the text typed last counts, and what it has replaced can be brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .changes import PROMPT, VARIABLES

if TYPE_CHECKING:
    from .state import PanelState

PLACE: Final = "prompt"
_SAID: Final = "Another browser tab has replaced text of this prompt."


class SharedPrompt:
    """Notices that one browser tab replaces what another one has typed.

    Args:
        state: the panel's state.

    Attributes:
        replaced: the prompt before another tab replaced a part of it; "" if there is nothing to bring back.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._editor = ""
        self.replaced = ""

    def follow(self, before: str, after: str, editor: str) -> None:
        """Take note of an edit; call it within `changing`.

        Args:
            before: the prompt before the edit.
            after: the prompt now.
            editor: which tab it came from; "" if that is not known.
        """
        former, self._editor = self._editor, editor
        if editor and former not in {"", editor} and not _is_insertion(before, after):
            self.replaced = before
            self._state.note(PLACE, _SAID, "mark")

    def bring_back(self) -> None:
        """Show the replaced text again; the text that it replaces can be brought back in turn."""
        state = self._state
        if self.replaced:
            with state.changing(PROMPT, VARIABLES):
                state.prompt.text, self.replaced = self.replaced, state.prompt.text

    def forget(self) -> None:
        """Drop the replaced text."""
        if self.replaced:
            with self._state.changing():
                self.replaced = ""
                self._state.note(PLACE)


def _is_insertion(before: str, after: str) -> bool:
    """Whether all characters of the text before are still there, in their order."""
    rest = iter(after)
    return all(character in rest for character in before)
