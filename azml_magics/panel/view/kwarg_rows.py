"""Model kwargs as rows: a slider or another control, the value that is sent, and a button that resets it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from ..model.kwargs import choose_few
from .controls import StatusLine, action_button, on_change, set_traits, set_visible, text_field
from .looks import close_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.wire import Kwarg

    from ..model.draft import Draft
    from ..model.panel_model import PanelModel


class KwargRow:
    """One model kwarg: a slider if it has a documented range, a field with the value, and a reset button."""

    def __init__(self, model: PanelModel, kwarg: Kwarg) -> None:
        self.kwarg = kwarg
        self._model = model
        self._slider = _slider(kwarg)
        self._drawn = _default(kwarg)
        self._field = _value_field(kwarg, label="" if self._slider else kwarg.name)
        holder = _with_entry_field(kwarg, self._field) if kwarg.type == "strings" else self._field
        self._reset = action_button(
            "", lambda: model.reset_kwarg(kwarg.name), icon="undo", tooltip=f"Do not send {kwarg.name}"
        )
        self._reset.add_class("azml-reset")
        self._line = StatusLine()
        controls: list[w.Widget] = [holder, self._reset]
        on_change(self._field, lambda value: model.set_kwarg(kwarg.name, _as_typed(value)))
        if self._slider:
            controls.insert(0, self._slider)
            self._field.add_class("azml-value")
            on_change(self._slider, self._slide)
        row = w.HBox(controls)
        row.add_class("azml-row")
        self.widget = w.VBox([row, self._line.widget])

    def draw(self, draft: Draft) -> None:
        """Show the kwarg's value in the draft."""
        value = draft.control_value(self.kwarg)
        set_traits(self._field, value=list(value) if isinstance(value, tuple) else value)
        set_visible(self._field, value or self.kwarg.type != "strings")
        set_traits(self._reset, disabled=not value)
        has_error = self.kwarg.name in draft.errors
        self._line.show(draft.note(self.kwarg), "bad" if has_error else "plain")
        if self._slider:
            self._draw_slider(self._slider, value)

    def _slide(self, value: float) -> None:
        """Take what the user slid to; the browser's echo of a value that is between two steps is not input."""
        assert self._slider is not None
        if abs(value - self._drawn) > self._slider.step / 2 + 1e-9:
            self._model.set_kwarg(self.kwarg.name, f"{value:g}")

    def _draw_slider(self, slider: w.FloatSlider, value: Any) -> None:
        with contextlib.suppress(ValueError):  # an unreadable number leaves the slider at its position
            self._drawn = min(max(float(value or _default(self.kwarg)), slider.min), slider.max)
            set_traits(slider, value=self._drawn)
        (slider.remove_class if value else slider.add_class)("azml-default")


def _slider(kwarg: Kwarg) -> w.FloatSlider | None:
    """A slider over the documented range of a number; None if there is no such range."""
    if kwarg.type != "number" or kwarg.minimum is None or kwarg.maximum is None:
        return None
    return w.FloatSlider(
        description=kwarg.name,
        tooltip=kwarg.help,
        min=kwarg.minimum,
        max=kwarg.maximum,
        step=0.05 if kwarg.maximum - kwarg.minimum > 1 else 0.01,
        value=_default(kwarg),
        readout=False,
    )


def _default(kwarg: Kwarg) -> float:
    """The slider's position while nothing is sent: the documented default if there is one."""
    return float(kwarg.default if kwarg.default is not None else kwarg.minimum or 0)


def _value_field(kwarg: Kwarg, label: str) -> Any:
    """The control that holds the kwarg's value; it is empty while the kwarg is not sent."""
    if kwarg.type == "boolean":
        return w.Dropdown(
            description=label, options=[("default", ""), ("true", "true"), ("false", "false")], tooltip=kwarg.help
        )
    if kwarg.type == "strings":
        return w.TagsInput(allow_duplicates=False, tooltip=kwarg.help)
    default = "" if kwarg.default is None else f" {kwarg.default:g}"
    return w.Text(
        description=label,
        tooltip=kwarg.help if label else kwarg.name,  # the only name of a field beside a slider
        placeholder=f"default{default}",
        continuous_update=False,
    )


def _with_entry_field(kwarg: Kwarg, tags: w.TagsInput) -> w.HBox:
    """The tags below a field that adds one.

    The entry field built into TagsInput does not get Enter in a notebook, and when it loses the focus, nothing has
    it: the next keys would be taken for the notebook's shortcuts.
    """

    def add_tag(tag: str) -> None:
        entry.value = ""
        if tag and tag not in tags.value:
            tags.value = [*tags.value, tag]

    entry = text_field(kwarg.name, add_tag, placeholder="type, then press Enter", tooltip=kwarg.help)
    box = w.HBox([entry, tags])
    box.add_class("azml-tags")
    return box


def _as_typed(value: str | Sequence[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


class KwargRows:
    """A row for every kwarg of the formatter. Rows are reused when the user switches between formatters.

    Attributes:
        few: the rows that are always in sight.
    """

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._rows: dict[Kwarg, KwargRow] = {}
        self._shown: tuple[str, Sequence[Kwarg]] = "", ()
        self._few: set[str] = set()  # names
        self.few = w.VBox()

    def draw(self, draft: Draft, name: str) -> set[str]:
        """Show the few, and return their names.

        Which these are is decided when another config or formatter is chosen: a row does not move while it is edited.
        """
        controls = draft.controls
        if (name, controls) != self._shown:
            self._shown = name, controls
            self._few = choose_few([kwarg.name for kwarg in controls], draft.config.model_kwargs)
        self._draw_rows(self.few, draft, [kwarg for kwarg in controls if kwarg.name in self._few])
        return self._few

    def draw_others(self, box: w.VBox, draft: Draft) -> None:
        """Show the rows of all other kwargs in `box`; `draw` has to come first."""
        self._draw_rows(box, draft, [kwarg for kwarg in draft.controls if kwarg.name not in self._few])

    def _draw_rows(self, box: w.VBox, draft: Draft, kwargs: Sequence[Kwarg]) -> None:
        rows = [self._row(kwarg) for kwarg in kwargs]
        set_traits(box, children=tuple(row.widget for row in rows))
        for row in rows:
            row.draw(draft)

    def close(self) -> None:
        """Close all rows, including those of other formatters."""
        for row in self._rows.values():
            close_tree(row.widget)

    def _row(self, kwarg: Kwarg) -> KwargRow:
        if kwarg not in self._rows:
            self._rows[kwarg] = KwargRow(self._model, kwarg)
        return self._rows[kwarg]
