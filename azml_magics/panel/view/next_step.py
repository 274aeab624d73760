"""The button beside a status line: the next step that its error asks for. One table, from an error's code to a button.

A code without a button here has its remedy in words only. *Repair* stands beside what came of a response that does not
match its schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .controls import action_button, set_traits, set_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.changes import PanelNote
    from ..model.panel_model import PanelModel

CONNECT: Final = "Connect"
DETECT: Final = "Detect"
REPAIR: Final = "Repair"
TRUST: Final = "Trust"
TYPE_KEY: Final = "Type the key"

_BUTTONS: Final[Mapping[str, str]] = {
    "authentication": TYPE_KEY,
    "config-without-url": CONNECT,
    "formatter-field": DETECT,
    "key-not-found": TYPE_KEY,
    "key-prompt-impossible": TYPE_KEY,
    "key-variable-not-set": TYPE_KEY,
    "keyring-empty": TYPE_KEY,
    "keyring-unreadable": TYPE_KEY,
    "no-config": CONNECT,
    "no-endpoint-url": CONNECT,
    "no-formatter": DETECT,
    "no-key-sent": TYPE_KEY,
    "no-key-typed": TYPE_KEY,
    "untrusted-config": TRUST,
    "wrong-wire": DETECT,
}
_TOOLTIPS: Final[Mapping[str, str]] = {
    CONNECT: "Paste a URL, or sign in",
    DETECT: "Ask the deployment for its formatter",
    REPAIR: "Ask again, and tell the model what does not match the schema",
    TRUST: "Let this config send its key to the host that is named, now and later",
    TYPE_KEY: "Go to the field for a key that is kept in memory only",
}


class NextStep:
    """The button for one status line; hidden while its note asks for no step that can be taken there.

    Args:
        model: the panel's model.
        steps: a button's label -> what it does.
    """

    def __init__(self, model: PanelModel, steps: Mapping[str, Callable[[], object]]) -> None:
        self._model = model
        self._steps = steps
        self.widget = action_button("", self._take)
        self.widget.add_class("azml-next")
        set_visible(self.widget, False)

    def _take(self) -> None:
        step = self._steps.get(self.widget.description)
        if step is not None:
            step()

    def draw(self, note: PanelNote | None, *, can_repair: bool = False) -> None:
        """Show the step that the note asks for.

        Args:
            note: the status line.
            can_repair: whether it is about a response that can be repaired, which is offered unless its error asks
                for another step first.
        """
        label = _BUTTONS.get(note.error_code, "") if note else ""
        if not label and can_repair and note and note.text:
            label = REPAIR
        is_offered = label in self._steps and (label != TRUST or self._model.trust.is_asked)
        if is_offered:
            set_traits(self.widget, description=label, tooltip=_TOOLTIPS[label], disabled=bool(self._model.running))
        set_visible(self.widget, is_offered)
