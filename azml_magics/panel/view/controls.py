"""Stock widgets, and what connects them to the model: only the user's input reaches it, never what the panel draws."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets as w
from traitlets import Unicode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..model.changes import PanelNote

_PAUSE = 0.01  # seconds
_thread = threading.local()  # `drawing` is set for each thread: another thread may receive input meanwhile


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Within this block, changes of a control are drawn by the panel and are not input."""
    before = getattr(_thread, "drawing", False)
    _thread.drawing = True
    try:
        yield
    finally:
        _thread.drawing = before


def on_change(control: w.Widget, call: Callable[[Any], Any], trait: str = "value") -> Any:
    """Call `call` with the new value whenever the user changes it.

    Args:
        control: the widget to observe.
        call: takes the new value.
        trait: the observed trait.

    Returns:
        The control.
    """

    def forward_input(change: Any) -> None:
        if not getattr(_thread, "drawing", False):
            call(change["new"])

    control.observe(forward_input, trait)
    return control


def set_traits(control: Any, **traits: Any) -> None:
    """Set the traits whose value differs: setting an equal one would send a message."""
    for name, value in traits.items():
        if getattr(control, name) != value:
            setattr(control, name, value)


def has_text(root: w.Widget, text: str) -> bool:
    """Return whether a field for long texts within `root` has exactly this text."""
    if isinstance(root, w.Textarea) and root.value == text:
        return True
    return any(has_text(child, text) for child in getattr(root, "children", ()))


_HIDDEN = "azml-hidden"


def set_visible(control: Any, visible: object) -> None:
    """Show the control, or hide it without leaving a gap."""
    (control.remove_class if visible else control.add_class)(_HIDDEN)


def is_visible(control: Any) -> bool:
    """Whether the control is shown, as far as `set_visible` decides."""
    return _HIDDEN not in control._dom_classes  # noqa: SLF001 - its other name is add_class, which only adds


def let_messages_leave() -> None:
    """Pause while hundreds of widgets are closed, which takes a panel whose folds and tabs were all opened.

    Each sends a message. ZeroMQ drops those of a kernel that pile up, 500 to 1,000, before its own thread sends them.
    """
    time.sleep(_PAUSE)


def text_field(description: str, call: Callable[[str], Any], **traits: Any) -> w.Text:
    """A one-line text field; `call` gets the text when Enter is pressed or the field loses the focus."""
    field: w.Text = on_change(w.Text(description=description, continuous_update=False, **traits), call)
    return field


class KeyBox(w.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field whose value is never sent back to a frontend, not even as an echo."""

    value = Unicode("").tag(sync=True, echo_update=False)


class ReferenceBox(w.Text):  # type: ignore[misc]  # ipywidgets has no types
    """A text field that names a secret. It sends no echo, so a secret typed there by mistake leaves no copy."""

    value = Unicode("").tag(sync=True, echo_update=False)


class SharedArea(w.Textarea):  # type: ignore[misc]  # ipywidgets has no types
    """A text area that knows which browser tab was typed in last.

    Attributes:
        editor: the session of that tab's connection to the kernel; "" if nothing was typed.
    """

    editor = ""

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        self.editor = msg.get("header", {}).get("session", "")
        super()._handle_msg(msg)


def text_area(description: str, call: Callable[[str], Any], **traits: Any) -> w.Textarea:
    """A text field of several lines; `call` gets the text with every key unless the traits say otherwise."""
    area: w.Textarea = on_change(w.Textarea(description=description, **traits), call)
    return area


def action_button(label: str, call: Callable[[], Any], **traits: Any) -> w.Button:
    """A button; screen readers read its tooltip if it has no label."""
    button = w.Button(description=label, **traits)
    button.on_click(lambda _: call())
    return button


def button_row(*made: w.Widget) -> w.HBox:
    """Buttons in a row that wraps in a narrow panel."""
    row = w.HBox(list(made))
    row.add_class("azml-buttons")
    return row


def cell_buttons(text: w.Textarea, send_out: Callable[[str, str], None], what: str = "") -> w.HBox:
    """The buttons that copy a cell's text or insert the cell into the notebook.

    Args:
        text: The cell.
        send_out: Called with "copy" or "insert", and the text.
        what: Which cell, for the names of the buttons where there are several.
    """
    names = (f"Copy {what} cell", f"Insert {what} cell") if what else ("Copy", "Insert cell")
    return button_row(
        action_button(names[0], lambda: send_out("copy", text.value), icon="copy", tooltip="Copy the cell's text"),
        action_button(
            names[1],
            lambda: send_out("insert", text.value),
            icon="plus-square",
            tooltip="Insert it below the notebook's current cell",
        ),
    )


def fold(content: w.Widget, title: str = "") -> w.Accordion:
    """The content under a heading that opens and closes it."""
    made = w.Accordion([content], selected_index=None)
    made.set_title(0, title)
    return made


def set_title(made: w.Accordion, title: str) -> None:
    """Set the heading of a fold."""
    if made.titles != (title,):
        made.set_title(0, title)


def set_options(choice: Any, options: Sequence[Any]) -> None:
    """Set a list's options if they differ; equal ones would reset the selection."""
    if choice.options != tuple(options):
        choice.options = tuple(options)


_NO_MATH = ("tex2jax_ignore", "mathjax_ignore")  # the frontend would typeset $…$ in a label, such as a server's message


class StatusLine:
    """A line of text with a mood, hidden while it is empty. Its content is always shown as plain text."""

    def __init__(self, *classes: str) -> None:
        self._classes = ("azml-line", *_NO_MATH, *classes)
        self.widget = w.Label(_dom_classes=(*self._classes, _HIDDEN))

    def show(self, text: str, mood: str = "plain") -> None:
        """Show `text`; "" hides the line."""
        # all classes at once: add_class would send a message for each of them
        set_traits(self.widget, value=text, _dom_classes=(*self._classes, f"azml-{mood}" if text else _HIDDEN))

    def show_note(self, note: PanelNote | None) -> None:
        """Show a note of the model; None hides the line."""
        self.show(note.text if note else "", note.mood if note else "plain")
