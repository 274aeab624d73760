"""The panel: choose a config, change it, run a prompt, compare responses and save, with widgets.

`model` holds the state and the actions without a widget; `view` draws them with ipywidgets. A process has one panel,
which can be displayed any number of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.session import Session

    from .model.call_state import RenderTemplate
    from .view.panel_view import Panel

_open: list[Panel] = []


def get_panel(
    session: Session,
    variables: Callable[[], Mapping[str, Any]],
    timeout: Callable[[], float | None] = lambda: None,
    start_demo: Callable[[], object] | None = None,
    *,
    start_model: Callable[[], object] | None = None,
    render_template: RenderTemplate | None = None,
    store: Callable[[str, Any], object] | None = None,
    show_reasoning: Callable[[], str] = lambda: "folded",
) -> Panel:
    """The panel of this process, which is made by the first call.

    Args:
        session: the session whose configs and history it shows.
        variables: returns the notebook's variables.
        timeout: returns the notebook's timeout in seconds, None if the notebook sets none.
        start_demo: starts the demo endpoint and saves its configs.
        start_model: starts a small model on this computer and saves its config; None if it is not installed.
        render_template: returns the messages of a prompt template, as `PanelState` says.
        store: stores a value under a name in the notebook.
        show_reasoning: returns how a model's thoughts are shown, as `PanelState` says.
    """
    panel = get_open_panel()
    if panel is None:
        from .model.panel_model import PanelModel
        from .view.panel_view import Panel

        model = PanelModel(
            *(session, variables, timeout, start_demo),
            start_model=start_model,
            render_template=render_template,
            store=store,
            show_reasoning=show_reasoning,
        )
        panel = Panel(model)
        _open[:] = [panel]
    return panel


def get_open_panel() -> Panel | None:
    """The panel if it was made and is not closed, else None."""
    return next((panel for panel in _open if not panel.is_closed), None)


def close() -> None:
    """Stop what the panel is running and close its widgets."""
    while _open:
        _open.pop().close()
