"""A fold whose content is built when it is first opened: most are never opened, and every widget costs a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import ipywidgets as w

from ..model.changes import ALL, FOLDS
from .controls import fold, on_change, set_title, set_traits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..model.panel_model import PanelModel


class PanelSection(Protocol):
    """A part of the panel.

    Attributes:
        parts: what it draws; it is drawn again when one of them has changed.
    """

    parts: frozenset[str]

    def draw(self) -> None:
        """Show the model's state."""


class FoldedSection(PanelSection, Protocol):
    """A section for a fold.

    Attributes:
        widget: its content.
    """

    widget: Any


SectionT = TypeVar("SectionT", bound=FoldedSection)


class LazyFold(Generic[SectionT]):
    """A section under a heading that opens and closes it: built when it is first opened, drawn while it is open.

    Args:
        model: the panel's model.
        title: the heading, or a function that returns it.
        build: makes the section.
        parts: what the heading and the section show; by default everything.

    Attributes:
        widget: the heading with the content below it.
        section: the section; None before the fold was opened for the first time.
    """

    def __init__(
        self,
        model: PanelModel,
        title: str | Callable[[], str],
        build: Callable[[], SectionT],
        parts: Iterable[str] = ALL,
    ) -> None:
        self.parts = frozenset({*parts, FOLDS})
        self.section: SectionT | None = None
        self._model, self._title, self._build = model, title, build
        self._content = w.VBox()
        self.widget = on_change(fold(self._content), lambda _: self._toggle(), "selected_index")
        self._draw_title()

    @property
    def is_open(self) -> bool:
        """Whether its content is in sight."""
        return self.widget.selected_index is not None

    def open(self) -> SectionT:
        """Open it, and return its section."""
        with self._model.changing(FOLDS):
            set_traits(self.widget, selected_index=0)
        assert self.section is not None  # the panel has drawn it
        return self.section

    def _toggle(self) -> None:
        with self._model.changing(FOLDS):  # the panel draws it
            pass

    def draw(self) -> None:
        """Show the heading, and the section if the fold is open."""
        self._draw_title()
        if self.is_open:
            if self.section is None:
                self.section = self._build()
            self.section.draw()
            set_traits(self._content, children=(self.section.widget,))

    def _draw_title(self) -> None:
        set_title(self.widget, self._title if isinstance(self._title, str) else self._title())
