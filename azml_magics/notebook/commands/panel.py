"""%azureml panel, and the side panel of JupyterLab: the one panel of this process, with the notebook's variables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..magics import AzureMLMagics


def panel(magics: AzureMLMagics, options: Mapping[str, Any]) -> Any:
    """The panel, with the named config chosen; ConfigError where there is nobody to show widgets to."""
    if magics.shell is not None and not hasattr(magics.shell, "kernel"):
        raise ConfigError("The panel needs a notebook", remedy="Here, %azureml help lists what can be typed.")
    if options["name"]:
        magics.session.use(options["name"])
    return opened(magics)


def opened(magics: AzureMLMagics) -> Any:
    """The panel of this process, which from now on looks at the notebook's variables after every cell."""
    from azml_magics import panel as panels

    shown = panels.the_panel(magics.session, magics.own_variables, lambda: magics.timeout)
    if magics.shell is not None and panels.close not in magics.at_exit:
        events = magics.shell.events
        events.register("post_run_cell", _look_again)
        magics.at_exit += [panels.close, lambda: events.unregister("post_run_cell", _look_again)]
    return shown


def _look_again(*_result: Any) -> None:
    """A cell has run: the prompt's variables may have other values now."""
    panels = sys.modules.get("azml_magics.panel")
    shown = panels.if_open() if panels else None
    if shown is not None:
        shown.model.look_again()
