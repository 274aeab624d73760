"""Layout and style objects that all widgets of a panel share.

ipywidgets makes one of each for every widget, and each of them is a widget with its own message: three quarters of a
panel. A widget is hidden by a class (`set_visible`), so none of them needs a layout of its own.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import ipywidgets as w

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = ("layout", "style")


class Looks:
    """One blank layout and one style of each kind.

    They belong to all widgets: never set an attribute of `widget.layout` or `widget.style`, use a class of STYLE.
    """

    def __init__(self) -> None:
        self._shared: dict[type[Any], Any] = {}

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Within this block, widgets that this thread makes share their layouts and styles."""
        before, thread = w.Widget._widget_construction_callback, threading.get_ident()  # noqa: SLF001 - no other way to read it

        def share(widget: Any) -> None:
            if before is not None:
                before(widget)
            if threading.get_ident() == thread:
                self._share_parts(widget)

        w.Widget.on_widget_constructed(share)
        try:
            yield
        finally:
            w.Widget.on_widget_constructed(before)

    def _share_parts(self, widget: Any) -> None:
        """Give a widget the shared parts before it is opened, unless it was made with its own."""
        for name in _PARTS:
            if widget.has_trait(name) and not widget.trait_has_value(name):
                kind = widget.traits()[name].klass
                if kind not in self._shared:
                    self._shared[kind] = getattr(widget, name)  # makes it
                    self._shared[kind].azml_is_shared = True
                setattr(widget, name, self._shared[kind])

    def close(self) -> None:
        """Close what was shared; the widgets must be closed before."""
        for part in self._shared.values():
            part.close()
        self._shared.clear()


def close_tree(widget: Any) -> None:
    """Close a widget and everything in it: removing it would leave it in the page and in the saved notebook."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for name in _PARTS:
        part = getattr(widget, name, None)
        if part is not None and not getattr(part, "azml_is_shared", False):
            part.close()
    widget.close()
