"""%azureml panel, and the side panel of JupyterLab: the one panel of this process, with the notebook's variables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from azml_magics.core.browser import check_threads
from azml_magics.core.errors import ConfigError

from .. import prompt_templates
from . import demo_endpoint, demo_model

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import NameOptions


def show_panel(context: NotebookContext, options: NameOptions) -> Any:
    """Return the panel, with the named config chosen.

    Raises:
        ConfigError: A terminal cannot show widgets.
    """
    if not hasattr(context.shell, "kernel"):
        raise ConfigError(
            "The panel needs a notebook", remedy="In a terminal, %azureml help lists the verbs and options."
        )
    if options.name:
        context.session.use(options.name)
    return open_panel(context)


def open_panel(context: NotebookContext) -> Any:
    """Return the panel of this process. From now on it reads the notebook's variables after every cell.

    Raises:
        UsageError: This is Python in a browser, whose widgets cannot run requests beside it.
    """
    check_threads("The panel's requests")
    from azml_magics import panel as panels

    top_level = context.with_locals({})
    shown = panels.get_panel(
        context.session,
        lambda: top_level.prompt_variables,
        lambda: context.settings.timeout,
        lambda: demo_endpoint.start(context),
        start_model=(lambda: demo_model.start(context, "", is_quiet=True)) if demo_model.is_installed() else None,
        render_template=prompt_templates.render,
        store=top_level.store,
        show_reasoning=lambda: context.settings.show_reasoning,
    )
    if panels.close not in context.state.exit_callbacks:
        events = context.shell.events
        events.register("post_run_cell", _refresh_panel)
        context.on_exit(panels.close)
        context.on_exit(lambda: events.unregister("post_run_cell", _refresh_panel))
    return shown


def _refresh_panel(*_result: Any) -> None:
    """A cell has run: the prompt's variables may have changed."""
    panels = sys.modules.get("azml_magics.panel")
    shown = panels.get_open_panel() if panels else None
    if shown is not None:
        shown.model.refresh_variables()
