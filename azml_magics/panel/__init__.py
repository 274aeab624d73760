"""The panel: choose, tweak, run, compare and keep, with widgets. One for each process, however often it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.session import Session

    from .view import Panel

_open: list[Panel] = []


def the_panel(session: Session, variables: Callable[[], Mapping[str, Any]]) -> Panel:
    """The panel of this process: the same one every time. `variables` gives the notebook's."""
    if not _open:
        from .model import PanelModel
        from .view import Panel

        _open.append(Panel(PanelModel(session, variables)))
    return _open[0]


def if_open() -> Panel | None:
    """The panel where it was shown before, else None."""
    return next(iter(_open), None)


def close() -> None:
    """End what the panel runs and take it away."""
    while _open:
        _open.pop().close()
