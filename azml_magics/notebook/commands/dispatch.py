"""The verbs of %azureml: configs here; the demo, files, checks and the past in their own modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core import wire
from azml_magics.core.errors import AzmlError, ConfigError, UsageError
from azml_magics.core.keys import KeyRef, Secret
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt import extract

from .. import args, calls, cell, display, help_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.core.config import LLMConfig

    from ..context import NotebookContext

    Command = Callable[[NotebookContext, Mapping[str, Any]], Any]


def run(context: NotebookContext, verb: str, rest: str) -> Any:
    """What `%azureml VERB REST` gives."""
    if verb == "ask":  # the rest is the prompt itself, quotes and all
        return cell.run(context, args.CellOptions(), rest)
    from . import check, conversations, demo, detect, files, history, panel, record

    options = args.parser_of(verb).read(args.words_of(rest))
    commands: dict[str, Command] = {
        "demo": demo.demo,
        "save": save,
        "use": use,
        "list": list_configs,
        "show": show,
        "rename": rename,
        "delete": delete,
        "export": files.export,
        "import": files.import_,
        "test": check.test,
        "detect": detect.detect,
        "history": history.history,
        "last": history.last,
        "repair": repair,
        "code": show_code,
        "conversations": conversations.conversations,
        "panel": panel.panel,
        "record": record.record,
        "replay": record.replay,
        "stop-recording": record.stop,
        "help": show_help,
        "version": version,
    }
    return commands[verb](context, options)


# ---- configs ---------------------------------------------------------------------------------------------------


def save(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:
    """Create a config, or change the one of that name, or a copy of another."""
    session, name = context.session, options["name"]
    if any("://" in word.partition("=")[0] for word in options["values"]):
        raise UsageError("A URL goes behind --url", remedy=f"Write %azureml save {name} --url URL.")
    base = options["copy_of"] or (name if name in session.names() else "")
    config = session.get(base) if base else calls.from_environment()
    changes = args.config_changes(dict(options))
    for field in ("formatter", "system"):
        if str(changes.get(field, "")).startswith("$"):
            changes[field] = context.variable(changes[field])
    if changes.get("formatter"):
        wire.as_formatter(changes["formatter"])
    kwargs = {
        key: extract.json_or_text(value) for key, value in (args.pair(word, "save NAME") for word in options["values"])
    }
    config = config.merged(model_kwargs=kwargs, **changes)
    config = session.save(name, config, activate=not context.settings.default_config)
    calls.warn_of_misspelt_kwargs(config)
    return display.Note(f"Saved {name}: {_in_words(config)}{_still_missing(config)}")


def _in_words(config: LLMConfig) -> str:
    where = config.endpoint_url or "no URL yet"
    return f"{formatter_name(config) or 'no formatter yet'} at {where}, key {key_state(config)}"


def _still_missing(config: LLMConfig) -> str:
    """What would keep the config from working, as a last sentence."""
    if not config.endpoint_url:
        return f"\nGive it a URL: %azureml save {config.name} --url URL"
    try:
        wire.formatter_for(config)
    except AzmlError as error:
        return f"\nBefore it can answer: {error}"
    return ""


def formatter_name(config: LLMConfig) -> str:
    """The name of the config's formatter, chosen or implied by its route; "" while neither is there."""
    if config.formatter and not isinstance(config.formatter, str):
        return str(getattr(config.formatter, "name", "") or type(config.formatter).__name__)
    return config.formatter or wire.default_for_route(config.endpoint_url)


def key_state(config: LLMConfig) -> str:
    """Where the key is and whether it is found, in words."""
    if config.key is None:
        return "none"
    if isinstance(config.key, Secret):
        return "in memory"
    assert isinstance(config.key, KeyRef)
    found = config.key.is_found()
    return f"{config.key} ({'found' if found else 'asked when needed' if found is None else 'not set'})"


def use(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:
    """Make a config the active one."""
    config = context.session.use(options["name"])
    return display.Note(f"In use: {config.name} ({_in_words(config)})")


def list_configs(context: NotebookContext, options: Mapping[str, Any]) -> Any:  # noqa: ARG001 - a command's signature
    """A table of the configs; a star marks the active one."""
    session = context.session
    if not session.names():
        return display.Note("No configs yet. `%azureml demo` makes some; `%azureml save NAME --url URL` makes yours.")
    rows = []
    for name in session.names():
        config, source = session.saved(name)
        rows.append(
            (
                "*" if name == session.active else "",
                name,
                config.endpoint_api_type,
                formatter_name(config) or "(choose with -f)",
                config.endpoint_url or "(none)",
                key_state(config),
                source,
            )
        )
    return display.Table(("", "config", "type", "formatter", "endpoint", "key", "from"), rows)


def show(context: NotebookContext, options: Mapping[str, Any]) -> display.Table:
    """Everything about a config, in the words of the options that set it."""
    config, source = context.session.saved(calls.in_use(context, options["name"] or "").name)
    facts = {
        "config": config.name,
        "url": config.endpoint_url,
        "type": config.endpoint_api_type,
        "deployment": config.deployment_name,
        "formatter": formatter_name(config),
        "key": key_state(config),
        "system": config.system,
        "model": config.model,
        "api-version": config.api_version,
        "extra-parameters": config.extra_parameters,
        "timeout": f"{config.timeout:g} s",
        "retries": str(config.max_retries),
        "from": source,
        **{f"kwarg {name}": repr(value) for name, value in config.model_kwargs.items()},
    }
    return display.Table(("", ""), [(name, str(value)) for name, value in facts.items() if value])


def rename(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:
    """Give a config another name."""
    context.session.rename(options["name"], options["new"])
    return display.Note(f"{options['name']} is now {options['new']}.")


def delete(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:
    """Forget a config; the active one only with --force."""
    name = options["name"]
    if name == context.session.active and not options["force"]:
        raise UsageError(f"{name} is the config in use", remedy=f"Use another first, or %azureml delete {name} -f.")
    context.session.delete(name)
    return display.Note(f"Deleted {name}.")


# ---- the last call ---------------------------------------------------------------------------------------------


def repair(context: NotebookContext, options: Mapping[str, Any]) -> Any:  # noqa: ARG001 - a command's signature
    """Ask once more for an answer that did not keep to its schema."""
    return cell.repair(context)


def show_code(context: NotebookContext, options: Mapping[str, Any]) -> display.Code:
    """The last call, or one with the named config, as code."""
    from azml_magics import codegen

    language = options["language"]
    if options["name"] == "last" and "last" not in context.session.names():
        exchange = context.session.last
        if exchange is None:
            raise ConfigError("Nothing has been asked yet", remedy="Name a config: %azureml code NAME.")
        config, messages = exchange.config, exchange.messages
        if config.name.startswith("$"):
            raise ConfigError(
                f"{config.name} is a LangChain object, and its code is in your notebook",
                remedy="Name a config for the code of a call with it: %azureml code NAME.",
            )
    else:
        config = context.session.get(options["name"])
        messages = as_messages("Hello", config.system)
    shown = "bash" if language == "curl" else "python"
    return display.Code(codegen.code(config, messages, language), shown)


# ---- about -----------------------------------------------------------------------------------------------------


def show_help(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:  # noqa: ARG001 - a command's signature
    """The overview, or one verb, or the formatters."""
    return display.Note(help_text.verb_help(options["topic"] or ""))


def version(context: NotebookContext, options: Mapping[str, Any]) -> display.Note:  # noqa: ARG001 - a command's signature
    """The versions of this package, Python, and what it stands on."""
    import platform
    from importlib import metadata

    from azml_magics import __version__

    packages = ("ipython", "ipykernel", "ipywidgets", "langchain-core", "httpx", "traitlets")
    lines = [f"azml-magics {__version__}", f"Python {platform.python_version()}"]
    installed = {d.name.lower(): d.version for d in metadata.distributions() if d.name}
    lines += [f"{package} {installed.get(package, 'is not installed')}" for package in packages]
    return display.Note("\n".join(lines))
