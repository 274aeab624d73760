"""%azureml test: check a config step by step, and say what to do if a step fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.display.table import TableOutput

from .. import cell_config
from ..remedies import notebook_line

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import NameOptions


def check_config(context: NotebookContext, options: NameOptions) -> TableOutput:
    """Return a check list: config complete, key found, endpoint reached, key accepted, a few tokens received."""
    from azml_magics.azure import check

    config = cell_config.active_config(context, options.name or "")
    found = check.check(config, describe=notebook_line)
    rows = [(found[step][0], step, found[step][1]) for step in check.STEPS]
    return TableOutput(("", "step", config.name), rows, note="It works." if check.works(found) else "")
