"""%azureml trust: configs of a pyproject.toml or an imported file may send their keys, or no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics import granting
from azml_magics.core import trust
from azml_magics.core.errors import UsageError
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import TrustOptions


def trust_config(context: NotebookContext, options: TrustOptions) -> TextOutput:
    """Trust one config or take that back, or list what is trusted and what has to be.

    Raises:
        UnknownNameError: There is no config of that name.
        UsageError: `--revoke` without a name.
    """
    if options.revoke:
        return TextOutput(_revoke(context, options.name))
    if not options.name:
        return TextOutput(_list(context))
    grants = granting.trust(options.name)
    if not grants:
        return TextOutput(f"{options.name} needs no trust: it does not send a key that a file chose.")
    return TextOutput("\n".join(f"Trusted: {grant}." for grant in grants))


def _revoke(context: NotebookContext, name: str | None) -> str:
    if not name:
        raise UsageError("--revoke takes a name", remedy="%azureml trust lists what is trusted.")
    lines = [f"No longer trusted: {grant}." for grant in granting.revoke_trust(name)]
    if name in context.session.names() and trust.is_trusted_file(context.session.get(name).file):
        lines.append(f"{trust.VARIABLE} still names its file. Take it out there.")
    return "\n".join(lines) or f"{name} was not trusted."


def _list(context: NotebookContext) -> str:
    configs = [context.session.get(name) for name in context.session.names()]
    needed = [grant for config in configs if (grant := trust.grant_for(config))]
    trusted = [f"Trusted: {grant}." for grant in needed if trust.is_granted(grant)]
    asked = [f"{grant}: `%azureml trust {grant.name}`" for grant in needed if not trust.is_granted(grant)]
    nothing = "Nothing to trust: no config of a file sends a key without your consent."
    return "\n".join([*(asked or [nothing]), *trusted])
