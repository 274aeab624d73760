"""The config of a cell: the one that its line names, with the line's changes for this call."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from azml_magics.core import wire
from azml_magics.core.config import LLMConfig, takes_key_elsewhere
from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import AzmlError, ConfigError, KeyRefusedError, UsageError
from azml_magics.core.headers import parse_header
from azml_magics.core.prompt.values import parse_value
from azml_magics.core.text import did_you_mean

from . import args, publishing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .context import NotebookContext
    from .parsed_options import CellOptions, ConfigOptions

_CONFIG_FIELDS = {  # option -> field of LLMConfig
    "url": "endpoint_url",
    "type": "endpoint_api_type",
    "deployment": "deployment_name",
    "formatter": "formatter",
    "key": "key",
    "timeout": "timeout",
    "retries": "max_retries",
    "system": "system",
    "model": "model",
    "api_version": "api_version",
    "key_header": "key_header",
    "total_timeout": "total_timeout",
    "proxy": "proxy",
}
_OFF = ("off", "false", "no")  # what --verify takes besides a path


def resolve_config(context: NotebookContext, options: CellOptions) -> LLMConfig:
    """Return the config that the cell names, with the line's changes for this call.

    Raises:
        UnknownNameError: No config has that name.
        ConfigError: The cell names no config, and none is in use.
        KeyRefusedError: --url would send the config's key to another host.
    """
    changes = config_changes(context, options)
    if "timeout" not in changes and context.settings.timeout is not None:
        changes["timeout"] = context.settings.timeout
    config = _find_config(context, options)
    changed = config.merged(model_kwargs=model_kwargs(context, options), **changes)
    _check_key_stays(config, changed, by_line="key" in changes)
    return changed


def config_changes(context: NotebookContext, options: ConfigOptions) -> dict[str, Any]:
    """Return the fields of an LLMConfig that the options set, `$name` replaced by the variable."""
    given = {field: getattr(options, option) for option, field in _CONFIG_FIELDS.items()}
    changes = {field: value for field, value in given.items() if value is not None}
    for field in ("formatter", "system"):
        if str(changes.get(field, "")).startswith("$"):
            changes[field] = context.variable(changes[field])
    if options.header:
        changes["headers"] = parse_headers(options.header)
    if options.verify is not None:
        changes["verify"] = False if options.verify.lower() in _OFF else options.verify
    if options.allow_http:
        changes["allow_http"] = True
    return changes


def parse_headers(words: Sequence[str]) -> dict[str, str]:
    """Read headers written as NAME=VALUE, where VALUE is a text or a key reference.

    Raises:
        UsageError: A word has another form.
        KeyRefusedError: A value looks like a key.
    """
    headers = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError("--header takes NAME=VALUE", remedy="Write --header X-Team=nlp, or NAME=env:VARIABLE.")
        parse_header(name.strip(), value.strip())
        headers[name.strip()] = value.strip()
    return headers


def _check_key_stays(config: LLMConfig, changed: LLMConfig, *, by_line: bool) -> None:
    """KeyRefusedError if the line's --url would send the config's key to a host that it is not for."""
    if takes_key_elsewhere(config, changed, by_line=by_line):
        home, there = (Origin.of(each.endpoint_url).netloc for each in (config, changed))
        raise KeyRefusedError(
            f"The config's key is for {home}, and --url names {there}",
            remedy="Say on the line which key goes there: --key env:NAME, or --key none"
            + (" (and --header NAME=none for a header with a key)." if config.headers else "."),
        )


def find_object(context: NotebookContext, options: CellOptions) -> Any:
    """Return the object that the cell names with `$name` in place of a config; None if it names no object."""
    name = options.config or ""
    return context.variable(name) if name.startswith("$") else None


def _find_config(context: NotebookContext, options: CellOptions) -> LLMConfig:
    name = options.config or ""
    found = find_object(context, options)
    if found is not None:
        return _as_config(found, name)
    wanted = name or context.session.active or context.settings.default_config
    if not wanted and (options.url or os.environ.get("AZUREML_ENDPOINT_URL")):
        return config_from_environment()
    return active_config(context, wanted)


def active_config(context: NotebookContext, name: str = "") -> LLMConfig:
    """Return the config of that name; for "", the one in use or else the default config.

    Raises:
        UnknownNameError: No config has that name.
        ConfigError: There are configs, and none is in use.
    """
    wanted = name or context.session.active or context.settings.default_config
    if not wanted and context.session.names():
        raise ConfigError(
            "No config is in use", remedy=f"%azureml use NAME takes one: {', '.join(context.session.names())}."
        )
    return context.session.get(wanted)


def config_from_environment() -> LLMConfig:
    """Return an unnamed config from the environment variables that LangChain's classes read."""
    return LLMConfig(
        endpoint_url=os.environ.get("AZUREML_ENDPOINT_URL", ""),
        endpoint_api_type=os.environ.get("AZUREML_ENDPOINT_API_TYPE", ""),
        deployment_name=os.environ.get("AZUREML_DEPLOYMENT_NAME", ""),
    )


def _as_config(found: Any, name: str) -> LLMConfig:
    if isinstance(found, LLMConfig):
        return found
    if callable(getattr(found, "to_config", None)):  # azml_magics' LangChain classes
        config = found.to_config()
        assert isinstance(config, LLMConfig)
        return config
    raise UsageError(
        f"{name} is not a config: it is of the type {type(found).__name__}",
        remedy="Name a saved config, an LLMConfig, or an AzureMLOnlineEndpoint of azml_magics.langchain.",
    )


def model_kwargs(context: NotebookContext, options: CellOptions) -> dict[str, Any]:
    """Return the model kwargs of the line: those of -k, and over them those of -p.

    Raises:
        UsageError: -k is neither a JSON object nor a dict, or -p is not KEY=VALUE.
    """
    kwargs: dict[str, Any] = {}
    if options.kwargs is not None:
        given = context.variable(options.kwargs) if options.kwargs.startswith("$") else _json_object(options.kwargs)
        if not isinstance(given, dict):
            raise UsageError(
                "-k takes a JSON object or a dict", remedy="""Write -k '{"temperature": 0.2}' or -k $kwargs."""
            )
        kwargs.update(given)
    return kwargs | parse_kwargs(options.set, "-p")


def parse_kwargs(settings: Sequence[str], option: str) -> dict[str, Any]:
    """Read model kwargs written as KEY=VALUE, where VALUE is JSON or else text.

    Args:
        settings: The words of the line.
        option: The option that took them, for the error message.

    Raises:
        UsageError: A word is not of that form.
    """
    pairs = (args.split_pair(setting, option) for setting in settings)
    return {key: parse_value(value) for key, value in pairs}


def _json_object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"-k is not JSON: {error}", remedy="""Write it in single quotes: -k '{"temperature": 0.2}'."""
        ) from None


def warn_of_misspelled_kwargs(config: LLMConfig) -> None:
    """Print a warning for each kwarg whose name is close to one that the formatter lists. It is sent unchanged."""
    try:
        known = [kwarg.name for kwarg in wire.formatter_for(config).known_kwargs]
    except AzmlError:  # the call itself reports it
        return
    for name in config.model_kwargs:
        hint = did_you_mean(name, known).strip() if known and name not in known else ""
        if hint and not _is_real_kwarg(name):
            publishing.print_warning(f"the model kwarg {name!r} is sent as it is. {hint}")


# Real kwargs that no formatter lists and that resemble one (vLLM, TGI, transformers, OpenAI).
_REAL_KWARGS = {
    *("max_gen_len", "max_completion_tokens", "max_length", "min_length", "min_tokens", "min_new_tokens"),
    *("length_penalty", "min_p", "typical_p", "stop_token_ids", "stop_strings", "stop_sequences"),
    *("top_logprobs", "logprobs", "n", "best_of"),
}


def _is_real_kwarg(name: str) -> bool:
    """Whether `name` is a kwarg that resembles another one, as max_tokens and max_new_tokens do."""
    return name in _REAL_KWARGS or any(name == kwarg.name for f in wire.names() for kwarg in wire.get(f).known_kwargs)
