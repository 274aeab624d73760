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
from azml_magics.core.key_sources import CredentialKey
from azml_magics.core.pricing import read_price
from azml_magics.core.text import did_you_mean, one_line
from azml_magics.core.wire.kwarg_types import find_broken_objects, find_texts_for_numbers

from . import args, option_values, publishing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    kwargs = model_kwargs(context, options)
    changed = config.merged(model_kwargs=kwargs, **changes)
    check_kwarg_types(changed, kwargs)
    _check_key_stays(config, changed, by_line="key" in changes)
    return changed


def config_changes(context: NotebookContext, options: ConfigOptions) -> dict[str, Any]:
    """Return the fields of an LLMConfig that the options set, `$name` replaced by the variable."""
    given = {field: getattr(options, option) for option, field in _CONFIG_FIELDS.items()}
    changes = {field: value for field, value in given.items() if value is not None}
    if str(changes.get("formatter", "")).startswith("$"):
        changes["formatter"] = context.variable(changes["formatter"])
    if str(changes.get("key", "")).startswith("entra:$"):
        name = changes["key"].removeprefix("entra:$")
        changes["key"] = CredentialKey(context.variable(f"${name}"), name)
    if "system" in changes:
        changes["system"] = option_values.read_text(context, changes["system"], "-s")
    if options.header:
        changes["headers"] = parse_headers(
            [option_values.fill_in(context, word, place="--header ") for word in options.header]
        )
    if options.verify is not None:
        changes["verify"] = False if options.verify.lower() in _OFF else options.verify
    if options.price is not None:
        is_name = option_values.is_reference(options.price)
        price = context.variable(options.price) if is_name else option_values.fill_in(context, options.price)
        changes["price"] = read_price(price)
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
    found = context.variable(name) if name.startswith("$") else None
    return None if isinstance(found, str) else found


def _find_config(context: NotebookContext, options: CellOptions) -> LLMConfig:
    found = find_object(context, options)
    name = options.config or ""
    if found is not None:
        return _as_config(found, name)
    name = option_values.read_text(context, name, "The config")
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
        is_name = options.kwargs.startswith("$")
        given = context.variable(options.kwargs) if is_name else _json_object(context, options.kwargs)
        if not isinstance(given, dict):
            raise UsageError(
                "-k takes a JSON object or a dict", remedy="""Write -k '{"temperature": 0.2}' or -k $kwargs."""
            )
        kwargs.update(given)
    return kwargs | parse_kwargs(context, options.set, "-p")


def parse_kwargs(context: NotebookContext, settings: Sequence[str], option: str) -> dict[str, Any]:
    """Read model kwargs written as KEY=VALUE, where VALUE is JSON, a Python literal, `$name`, or else text.

    Args:
        context: The notebook.
        settings: The words of the line.
        option: The option that took them, for the error message.

    Raises:
        UsageError: A word is not of that form, or there is no such variable.
        UndefinedVariableError: A value has a `{name}` that is not defined.
    """
    pairs = (args.split_pair(setting, option) for setting in settings)
    return {key: option_values.read_value(context, value, option) for key, value in pairs}


def check_kwarg_types(config: LLMConfig, kwargs: Mapping[str, Any], option: str = "-p ") -> None:
    """Check the kwargs of a line: a text in place of a number, a switch or JSON is a typing error.

    The line takes double quotes away, so that JSON without single quotes around it is none.

    Args:
        config: Tells the formatter.
        kwargs: The kwargs that the line sets.
        option: What stands before each of them on the line.

    Raises:
        UsageError: The formatter documents a number, a switch or JSON, and the value is a text.
    """
    for name, kind in find_texts_for_numbers(config, kwargs).items():
        raise UsageError(
            f"{name} takes {_TYPES[kind]}, not the text {one_line(kwargs[name], 40)!r}",
            remedy=f"Write {option}{name}={_EXAMPLES[kind]}, or a variable: {option}{name}=$name.",
        )
    for name in find_broken_objects(config, kwargs):
        raise UsageError(
            f"{name} takes JSON, not the text {one_line(kwargs[name], 40)!r}",
            remedy=f"""Put it into single quotes, {option}'{name}={{"key": 1}}', or write {option}{name}=$name.""",
        )


_TYPES = {"number": "a number", "integer": "a whole number", "boolean": "true or false"}
_EXAMPLES = {"number": "0.5", "integer": "100", "boolean": "true"}


def _json_object(context: NotebookContext, text: str) -> Any:
    try:
        return option_values.read_value(context, json.dumps(json.loads(text)), "-k")
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"-k is not JSON: {error}", remedy="""Write it in single quotes: -k '{"temperature": 0.2}'."""
        ) from None


def warn_of_misspelled_kwargs(config: LLMConfig) -> None:
    """Print a warning for each kwarg whose name is close to one that the formatter lists. It is sent unchanged."""
    try:
        known = [kwarg.name for kwarg in wire.formatter_for(config).kwargs_for(config)]
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
    *("top_logprobs", "logprobs", "n", "best_of", "reasoning", "stream"),
}


def _is_real_kwarg(name: str) -> bool:
    """Whether `name` is a kwarg that resembles another one, as max_tokens and max_new_tokens do."""
    return name in _REAL_KWARGS or any(name == kwarg.name for f in wire.names() for kwarg in wire.get(f).known_kwargs)
