"""%azureml detect: the formatter that a deployment needs, from its swagger and, with --probe, by trying."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from azml_magics.core.config import LLMConfig
from azml_magics.core.endpoints import Origin
from azml_magics.display.table import TableOutput

from .. import cell_config, publishing

if TYPE_CHECKING:
    from azml_magics.azure.detect import Detection

    from ..context import NotebookContext
    from ..parsed_options import DetectOptions


def detect_formatter(context: NotebookContext, options: DetectOptions) -> TableOutput:
    """Return a table of the formatters found, the likeliest first, with the evidence for each and what to type."""
    from azml_magics.azure import detect

    name = options.name or ""
    config = _config_for_url(context, name) if "://" in name else cell_config.active_config(context, name)
    found = detect.detect(config, probe=options.probe, say=publishing.print_warning)
    if found.best:
        note = f"To use it: %azureml save {config.name or 'NAME'}{_options(found)}"
    elif options.probe:
        note = found.note
    else:
        note = f"{found.note} Try %azureml detect {name} --probe: it sends at most 12 short prompts."
    rows = [(each.formatter, each.route, each.reason) for each in found.candidates]
    return TableOutput(("formatter", "route", "because"), rows, note=note.strip())


def _options(found: Detection) -> str:
    """What to type behind `save NAME` for the formatter that was found."""
    assert found.best is not None
    url = f" --url {found.url}" if found.url else ""
    given = {"--type": found.best.api_type, "--model": found.best.model, "-f": found.best.formatter}
    return url + "".join(f" {option} {shlex.quote(value)}" for option, value in given.items() if value)


def _config_for_url(context: NotebookContext, url: str) -> LLMConfig:
    """An unnamed config for a URL, with the key of a config for the same host; the config in use comes first."""
    origin = Origin.of(url)
    for name in filter(None, (context.session.active, *context.session.names())):
        known = context.session.get(name)
        if origin and Origin.of(known.endpoint_url) == origin:
            return known.merged(endpoint_url=url, name="", formatter="")
    return LLMConfig(endpoint_url=url)
