"""%azureml trust: configs of a pyproject.toml or an imported file may send their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics import granting
from azml_magics.core import trust
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import NameOptions


def trust_config(context: NotebookContext, options: NameOptions) -> TextOutput:
    """Trust one config, or list those that have to be trusted before they are sent.

    Raises:
        UnknownNameError: There is no config of that name.
    """
    if not options.name:
        return TextOutput(_list_untrusted(context))
    grants = granting.trust(options.name)
    if not grants:
        return TextOutput(f"{options.name} needs no trust: it does not send a key that a file chose.")
    return TextOutput("\n".join(f"Trusted: {grant}." for grant in grants))


def _list_untrusted(context: NotebookContext) -> str:
    configs = [context.session.get(name) for name in context.session.names()]
    asked = [grant for config in configs if (grant := trust.grant_for(config)) and not trust.is_granted(grant)]
    if not asked:
        return "Nothing to trust: no config of a file sends a key without your consent."
    return "\n".join(f"{grant}: `%azureml trust {grant.name}`" for grant in asked)
