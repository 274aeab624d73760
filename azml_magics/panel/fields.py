"""Stock controls, and what binds them: a control calls the model when a person changes it, never when it is drawn."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import ipywidgets as w

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from azml_magics.core.wire import Kwarg

    from .draft import Draft
    from .model import Note, PanelModel

_here = threading.local()  # whether this very thread is drawing: another one may hear a person meanwhile


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """While this lasts, what changes in a control is our doing, and no person's."""
    before = getattr(_here, "drawing", False)
    _here.drawing = True
    try:
        yield
    finally:
        _here.drawing = before


def on_change(control: w.Widget, call: Callable[[Any], Any], trait: str = "value") -> Any:
    """Call `call` with the new value whenever a person changes it; returns the control."""

    def heard(change: Any) -> None:
        if not getattr(_here, "drawing", False):
            call(change["new"])

    control.observe(heard, trait)
    return control


def put(control: Any, **traits: Any) -> None:
    """Set those traits that differ: an equal one would be a message for nothing."""
    for name, value in traits.items():
        if getattr(control, name) != value:
            setattr(control, name, value)


def shown(control: Any, yes: object) -> None:
    """Show the control, or leave no room for it."""
    put(control.layout, display=None if yes else "none")


def closed(widget: Any) -> None:
    """Close a widget and all that is in it: one that is only taken out stays in the page and in the saved notebook."""
    for child in getattr(widget, "children", ()):
        closed(child)
    for part in ("layout", "style"):
        if hasattr(widget, part):
            getattr(widget, part).close()
    widget.close()


def text(description: str, call: Callable[[str], Any], **traits: Any) -> w.Text:
    """A line to type in; `call` hears of it when Enter is pressed or the field is left."""
    made: w.Text = on_change(w.Text(description=description, continuous_update=False, **traits), call)
    return made


def area(description: str, call: Callable[[str], Any], **traits: Any) -> w.Textarea:
    """Several lines to type in."""
    made: w.Textarea = on_change(w.Textarea(description=description, **traits), call)
    return made


def button(label: str, call: Callable[[], Any], **traits: Any) -> w.Button:
    """A button; its tooltip is what a screen reader says of an icon."""
    made = w.Button(description=label, **traits)
    made.on_click(lambda _: call())
    return made


def buttons(*made: w.Button) -> w.HBox:
    """Buttons in a line that breaks where it is narrow."""
    box = w.HBox(list(made))
    box.add_class("azml-buttons")
    return box


_NO_MATH = ("tex2jax_ignore", "mathjax_ignore")  # a label's $…$ would be typeset: a server's message is text


class Line:
    """A line of text with a mood: takes no room while it is empty. Whatever is in it stays text."""

    def __init__(self, *classes: str) -> None:
        # all at once: there are many lines, and add_class would send a message for each class
        looks = ("azml-line", *_NO_MATH, *classes)
        self.widget = w.Label(_dom_classes=looks, layout=w.Layout(display="none"))
        self._mood = ""

    def say(self, text: str, mood: str = "plain") -> None:
        """Show `text`; "" takes the line away."""
        put(self.widget, value=text)
        shown(self.widget, text)
        if text and mood != self._mood:
            self.widget.remove_class(f"azml-{self._mood}")
            self.widget.add_class(f"azml-{mood}")
            self._mood = mood

    def note(self, note: Note | None) -> None:
        """Show a note of the model's."""
        self.say(note.text if note else "", note.mood if note else "plain")


# ---- a kwarg ---------------------------------------------------------------------------------------------------


class KwargRow:
    """One model kwarg: a slider where it has a range, a field that says what is sent, and what takes it back."""

    def __init__(self, model: PanelModel, kwarg: Kwarg) -> None:
        self.kwarg = kwarg
        self._slider = _slider(kwarg)
        self._field = _field(kwarg, label="" if self._slider else kwarg.name)
        holder = _with_entry(kwarg, self._field) if kwarg.type == "strings" else self._field
        self._reset = button(
            "", lambda: model.reset_kwarg(kwarg.name), icon="undo", tooltip=f"Do not send {kwarg.name}"
        )
        self._reset.add_class("azml-reset")
        self._line = Line()
        controls: list[w.Widget] = [holder, self._reset]
        on_change(self._field, lambda typed: model.set_kwarg(kwarg.name, _typed(typed)))
        if self._slider:
            controls.insert(0, self._slider)
            self._field.add_class("azml-value")
            on_change(self._slider, lambda value: model.set_kwarg(kwarg.name, f"{value:g}"))
        row = w.HBox(controls)
        row.add_class("azml-row")
        self.widget = w.VBox([row, self._line.widget])

    def draw(self, draft: Draft) -> None:
        """Show what the draft has for the kwarg."""
        typed = draft.typed(self.kwarg)
        put(self._field, value=list(typed) if isinstance(typed, tuple) else typed)
        shown(self._field, typed or self.kwarg.type != "strings")
        put(self._reset, disabled=not typed)
        problem = self.kwarg.name in draft.errors
        self._line.say(draft.note(self.kwarg), "bad" if problem else "plain")
        if self._slider:
            self._draw_slider(typed)

    def _draw_slider(self, typed: Any) -> None:
        slider = self._slider
        assert slider is not None
        with contextlib.suppress(ValueError):
            put(slider, value=min(max(float(typed or _start(self.kwarg)), slider.min), slider.max))
        (slider.remove_class if typed else slider.add_class)("azml-default")


def _slider(kwarg: Kwarg) -> w.FloatSlider | None:
    """A slider over the documented range of a number; None where there is none."""
    if kwarg.type != "number" or kwarg.minimum is None or kwarg.maximum is None:
        return None
    return w.FloatSlider(
        description=kwarg.name,
        tooltip=kwarg.help,
        min=kwarg.minimum,
        max=kwarg.maximum,
        step=0.05 if kwarg.maximum - kwarg.minimum > 1 else 0.01,
        value=_start(kwarg),
        readout=False,
    )


def _start(kwarg: Kwarg) -> float:
    """Where the slider stands while nothing is sent: at the provider's default where that is known."""
    return float(kwarg.default if kwarg.default is not None else kwarg.minimum or 0)


def _field(kwarg: Kwarg, label: str) -> Any:
    """What says the kwarg's value, blank while it is not sent."""
    if kwarg.type == "boolean":
        return w.Dropdown(
            description=label, options=[("default", ""), ("true", "true"), ("false", "false")], tooltip=kwarg.help
        )
    if kwarg.type == "strings":
        return w.TagsInput(allow_duplicates=False, tooltip=kwarg.help)
    default = "" if kwarg.default is None else f" {kwarg.default:g}"
    return w.Text(
        description=label,
        tooltip=kwarg.help if label else kwarg.name,  # beside a slider it is the field's only name
        placeholder=f"default{default}",
        continuous_update=False,
    )


def _with_entry(kwarg: Kwarg, tags: w.TagsInput) -> w.HBox:
    """The tags below a line that a further one is typed into.

    The line that tags have of their own hears no Enter in a notebook, and when it is left, the focus goes nowhere:
    what is typed next would be taken for the notebook's shortcuts.
    """

    def entered(tag: str) -> None:
        entry.value = ""
        if tag and tag not in tags.value:
            tags.value = [*tags.value, tag]

    entry = text(kwarg.name, entered, placeholder="type, then Enter", tooltip=kwarg.help)
    box = w.HBox([entry, tags])
    box.add_class("azml-tags")
    return box


def _typed(value: str | Sequence[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


class KwargRows:
    """A row for every kwarg of the formatter. Rows are kept: switching back and forth makes nothing new."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._made: dict[Kwarg, KwargRow] = {}
        self.widget = w.VBox()

    def draw(self, draft: Draft) -> None:
        """Show the draft's kwargs."""
        rows = [self._made.get(kwarg) or self._make(kwarg) for kwarg in draft.controls]
        put(self.widget, children=tuple(row.widget for row in rows))
        for row in rows:
            row.draw(draft)

    def close(self) -> None:
        """Close all rows, also those that are not shown now."""
        for row in self._made.values():
            closed(row.widget)

    def _make(self, kwarg: Kwarg) -> KwargRow:
        self._made[kwarg] = row = KwargRow(self._model, kwarg)
        return row
