"""%azureml save, use, list, show, rename and delete: the configs of this session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics import kept_configs
from azml_magics.core import headers, wire
from azml_magics.core.errors import UsageError
from azml_magics.core.pricing import Price
from azml_magics.display.table import TableOutput
from azml_magics.display.text_output import TextOutput

from .. import cell_config
from . import config_facts, kept

if TYPE_CHECKING:
    from ..context import NotebookContext
    from ..parsed_options import DeleteOptions, NameOptions, RenameOptions, SaveOptions


def save(context: NotebookContext, options: SaveOptions) -> TextOutput:
    """Create a config, or change the one of that name, or a copy of another."""
    session, name = context.session, options.name
    if any("://" in word.partition("=")[0] for word in options.values):
        raise UsageError("A URL goes behind --url", remedy=f"Write %azureml save {name} --url URL.")
    base = options.copy_of or (name if name in session.names() else "")
    config = session.get(base) if base else cell_config.config_from_environment()
    changes = cell_config.config_changes(context, options)
    if changes.get("formatter"):
        wire.as_formatter(changes["formatter"])
    kwargs = cell_config.parse_kwargs(context, options.values, "save NAME")
    config = config.merged(model_kwargs=kwargs, **changes)
    cell_config.check_kwarg_types(config, kwargs, option="")
    if options.keep:
        kept_configs.check_keepable(replace(config, name=name))
    config = session.save(name, config, activate=not context.settings.default_config)
    cell_config.warn_of_misspelled_kwargs(config)
    kept_line = kept.keep_config(context, name) if options.keep else ""
    saved = session.get_saved(name)
    where = " for this session" if saved.kept is None or saved.is_changed else ""
    change_line = f"The kept config is as it was; to keep this one: %azureml keep {name}" if saved.is_changed else ""
    lines = (
        f"Saved {name}{where}: {config_facts.describe(config)}",
        *wire.notices_for(config),
        kept_line,
        change_line,
        config_facts.next_step(config),
    )
    return TextOutput("\n".join(filter(None, lines)))


def use(context: NotebookContext, options: NameOptions) -> TextOutput:
    """Make a config the active one."""
    config = context.session.use(options.name or "")
    return TextOutput(f"In use: {config.name} ({config_facts.describe(config)})")


def list_configs(context: NotebookContext) -> TableOutput | TextOutput:
    """Return a table of the configs; a star marks the active one."""
    session = context.session
    if not session.names():
        return TextOutput("No configs yet. `%azureml demo` makes some; `%azureml save NAME --url URL` makes yours.")
    rows = []
    for name in session.names():
        saved = session.get_saved(name)
        config = saved.config
        rows.append(
            (
                "*" if name == session.active else "",
                name,
                config.endpoint_api_type,
                config_facts.formatter_name(config) or "(choose with -f)",
                config.endpoint_url or "(none)",
                config.key_source.summarize(config.endpoint_url),
                kept.describe_source(saved),
            )
        )
    return TableOutput(("", "config", "type", "formatter", "endpoint", "key", "from"), rows)


def show(context: NotebookContext, options: NameOptions) -> TableOutput:
    """Return everything about a config, under the names of the options that set it."""
    saved = context.session.get_saved(cell_config.active_config(context, options.name or "").name)
    config = saved.config
    facts = {
        "config": config.name,
        "url": config.endpoint_url,
        "type": config.endpoint_api_type,
        "deployment": config.deployment_name,
        "formatter": config_facts.formatter_name(config),
        "key": config.key_source.describe(config.endpoint_url),
        "system": config.system,
        "model": config.model,
        "api-version": config.api_version,
        "extra-parameters": config.extra_parameters,
        "timeout": f"{config.timeout:g} s",
        "total-timeout": f"{config.total_timeout:g} s" if config.total_timeout else "",
        "retries": str(config.max_retries),
        **{f"header {name}": headers.describe(value, config.endpoint_url) for name, value in config.headers.items()},
        "key-header": config.key_header,
        "verify": "off: certificates are not checked" if config.verify is False else config.verify,
        "proxy": config.proxy,
        "allow-http": "yes: the key may be sent over plain http" if config.allow_http else "",
        "price": config.price.describe() if isinstance(config.price, Price) else "",
        "from": kept.describe_source(saved, with_path=True),
        **{f"kwarg {name}": repr(value) for name, value in config.model_kwargs.items()},
    }
    return TableOutput(("", ""), [(name, str(value)) for name, value in facts.items() if value])


def rename(context: NotebookContext, options: RenameOptions) -> TextOutput:
    """Give a config another name."""
    former = context.session.get_saved(options.name)
    context.session.rename(options.name, options.new)
    return TextOutput(f"{options.name} is now {options.new}.{kept.describe_rest(former)}")


def delete(context: NotebookContext, options: DeleteOptions) -> TextOutput:
    """Delete a config; the active one only with --force."""
    name = options.name
    if name == context.session.active and not options.force:
        raise UsageError(f"{name} is the config in use", remedy=f"Use another first, or %azureml delete {name} -f.")
    former = context.session.get_saved(name)
    context.session.delete(name)
    return TextOutput(f"Deleted {name}.{kept.describe_rest(former)}")
