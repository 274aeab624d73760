"""The panel: choose, tweak, run, compare and keep, with widgets. One for each process, however often it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.session import Session

    from .view import Panel

_open: list[Panel] = []


def the_panel(
    session: Session,
    variables: Callable[[], Mapping[str, Any]],
    timeout: Callable[[], float | None] = lambda: None,
) -> Panel:
    """The panel of this process: the same one every time. `variables` and `timeout` give the notebook's."""
    shown = if_open()
    if shown is None:
        from .model import PanelModel
        from .view import Panel

        shown = Panel(PanelModel(session, variables, timeout))
        _open[:] = [shown]
    return shown


def if_open() -> Panel | None:
    """The panel where it was shown before and is still there, else None."""
    return next((shown for shown in _open if not shown.is_closed), None)


def close() -> None:
    """End what the panel runs and take it away."""
    while _open:
        _open.pop().close()
