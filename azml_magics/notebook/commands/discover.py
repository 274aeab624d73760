"""%azureml discover: the endpoints and deployments that the sign-in can see, and configs for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import AzmlError, UsageError
from azml_magics.core.http.auth import clear_text_error
from azml_magics.display.text_output import TextOutput

from ..remedies import notebook_line

if TYPE_CHECKING:
    from azml_magics.azure.discovery import Discovery
    from azml_magics.core.config import LLMConfig

    from ..context import NotebookContext
    from ..parsed_options import DiscoverOptions


def discover_endpoints(context: NotebookContext, options: DiscoverOptions) -> Discovery | TextOutput:
    """Return what the sign-in can see, or with --save what was saved of it.

    Raises:
        UsageError: A URL stands behind --save.
        AzmlError: Nothing can be asked, or there is no such deployment.
    """
    if url := next((name for name in options.save or () if "://" in name), ""):
        raise UsageError("The project's URL goes before --save", remedy=f"Write %azureml discover {url} --save.")
    found = _find(context, options)
    if options.save is None:
        found.hint = "To save some as configs: %azureml discover --save NAME …" if any(_askable(found)) else ""
        return found
    return TextOutput("\n".join(_save(context, options, found)))


def _find(context: NotebookContext, options: DiscoverOptions) -> Discovery:
    """Return what the last %azureml discover found if the line only names what to save of it, else search."""
    from azml_magics.azure import discovery

    last = context.state.discovery
    places = (options.project, options.workspace, options.resource_group, options.subscription, options.tenant)
    is_new = any((*places, options.sign_in))
    if last and options.save is not None and not is_new and all(last.names(name) for name in options.save):
        return last
    found = discovery.discover(
        options.project,
        workspace=options.workspace,
        resource_group=options.resource_group,
        subscription=options.subscription,
        tenant=options.tenant,
        sign_in=options.sign_in,
    )
    context.state.discovery = found or last  # an empty table is nothing to save from
    return found


def _save(context: NotebookContext, options: DiscoverOptions, found: Discovery) -> list[str]:
    """Save configs, and return a line for each."""
    changes = {} if options.key is None else {"key": options.key}
    active = context.session.active
    configs = found.save(
        *(options.save or ()),
        session=context.session,
        activate=not context.settings.default_config,
        detect=True,
        **changes,
    )
    if not configs:
        return ["Nothing was saved: no deployment takes a prompt.", *found.notes()]
    lines = [line for config in configs for line in _describe(config, found)]
    in_use = context.session.active
    return [*lines, *([f"In use: {in_use}."] if in_use != active else [])]


def _describe(config: LLMConfig, found: Discovery) -> list[str]:
    """Return a line that says what was saved, and one with what it still needs before it works."""
    row = found.row_of(config)
    key = str(config.key).partition(":")[0]  # URL and the id of the resource are long, and `show` has them
    renamed = f"{row.name}, " if row.name != config.name else ""
    where = f" in {row.owner}" if row.owner else ""
    lines = [f"Saved {config.name}: {renamed}{config.formatter or 'no formatter yet'}{where}, key {key}."]
    if row.reason_not_askable:
        return [*lines, f"  No prompt can be sent to it now: {row.reason_not_askable}."]
    if not config.formatter:
        lines.append(f"  Find its formatter: %azureml detect {config.name} --probe")
    problem: AzmlError | None = clear_text_error(config, config.endpoint_url)
    return [*lines, f"  Before it works: {notebook_line(problem)}"] if problem else lines


def _askable(found: Discovery) -> list[str]:
    return [row.name for row in found if row.is_askable]
