"""LLMConfig <-> the JSON or YAML document that LangChain's AzureMLOnlineEndpoint.save() writes and load_llm reads.

LangChain's three keys come first, in its order and layout; ours follow, each only where it is set and no default.
Nothing here imports LangChain, and reading evaluates nothing.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core import endpoints, wire
from .core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from .core.errors import AzmlError, ConfigError, DocumentError
from .core.keys import DEFAULT_KEY, KeyRef
from .core.paths import path_of
from .core.text import did_you_mean
from .document_text import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dumps", "from_document", "load", "load_all", "loads", "save", "to_document"]

SCHEMA = 1
LARGEST_FILE = 1024 * 1024
TYPES = ("azureml_endpoint", "azureml_chat_endpoint")
_SUFFIXES = (".json", ".yaml", ".yml")
_TEXTS = ("deployment_name", "endpoint_url", "endpoint_api_type", "formatter", "system", "api_version", "model")
KEYS = (*_TEXTS, "extra_parameters", "model_kwargs", "timeout", "max_retries", "key", "azml_schema", "_type")
_NEVER = {
    "endpoint_api_key": "a key is never kept in a file: take it out, and name where it is under key, such as env:NAME",
    "content_formatter": "LangChain cannot load it: write the formatter's name under formatter",
}


def to_document(config: LLMConfig, *, langchain: bool = False) -> dict[str, Any]:
    """The document of `config`; with `langchain`, only the keys that LangChain's save() writes."""
    document: dict[str, Any] = {
        "deployment_name": config.deployment_name,
        "model_kwargs": dict(config.model_kwargs),
        "_type": TYPES[_is_chat(config)],
    }
    if langchain:
        return document
    implied = endpoints.api_type_of(config.endpoint_url) if config.endpoint_url else "dedicated"
    ours = {
        "endpoint_url": config.endpoint_url or None,
        # LangChain's default is dedicated; a reader of ours goes by the URL
        "endpoint_api_type": config.endpoint_api_type
        if config.endpoint_api_type == "serverless" or implied != config.endpoint_api_type
        else None,
        "timeout": _number(config.timeout) if config.timeout != DEFAULT_TIMEOUT else None,
        "max_retries": config.max_retries if config.max_retries != DEFAULT_MAX_RETRIES else None,
        "formatter": _formatter_name(config) or None,
        "key": str(config.key) if isinstance(config.key, KeyRef) and str(config.key) != DEFAULT_KEY else None,
        "system": config.system or None,
        "api_version": config.api_version or None,
        "extra_parameters": config.extra_parameters,
        "model": config.model or None,
    }
    keyless = config.key is None  # which is not the default: it sends no key at all
    document.update({key: value for key, value in ours.items() if value is not None or (key == "key" and keyless)})
    document["azml_schema"] = SCHEMA
    document.update({key: value for key, value in config.extras.items() if key not in document})
    return document


def _formatter_name(config: LLMConfig) -> str:
    formatter = config.formatter
    if not formatter or isinstance(formatter, str):
        return formatter or ""
    own = formatter.content_formatter if isinstance(formatter, wire.Formatter) else formatter
    for name in wire.names():
        known = wire.get(name)
        if known == formatter or (known.content_formatter is not None and known.content_formatter is own):
            return name
    raise DocumentError(
        f"The formatter {type(config.formatter).__name__} has no name to be saved under",
        remedy='Register it first: azml_magics.register_formatter("my-name", formatter), then save with -f my-name.',
    )


def _is_chat(config: LLMConfig) -> bool:
    try:
        return wire.wire_for(config).chat
    except AzmlError:  # not chosen yet, or registered elsewhere: LangChain's text class is its plain form
        return False


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def from_document(document: Mapping[str, Any], *, name: str = "", source: str = "the document") -> LLMConfig:
    """The config that `document` describes. DocumentError names `source`, the key and the remedy."""
    if not isinstance(document, dict):
        raise DocumentError(f"{source} is no saved config: it holds {_kind(document)}", remedy=_EXPECTED)
    kind = document.get("_type")
    if kind not in TYPES:
        what = f"its _type is {kind!r}" if "_type" in document else "it has no _type"
        hint = did_you_mean(kind, TYPES) if isinstance(kind, str) else ""
        raise DocumentError(f"{source} is no saved config: {what}", remedy=(hint + " " + _EXPECTED).strip())
    _check_keys(document, source)
    _check_types(document, source)
    fields = {key: document[key] for key in (*_TEXTS, "extra_parameters") if document.get(key)}
    fields |= {key: document[key] for key in ("timeout", "max_retries") if document.get(key) is not None}
    fields["model_kwargs"] = document.get("model_kwargs") or {}
    if "key" in document:
        fields["key"] = _reference(document["key"], source)
    for key, value in fields.items():
        _check_value(key, value, source)
    extras = {key: value for key, value in document.items() if key not in KEYS}
    config = LLMConfig(name=name, extras=extras, **fields)
    if kind == TYPES[1] and not config.formatter and not wire.default_for_url(config.endpoint_url):
        return config.merged(formatter="openai-chat")
    return config


def _check_value(key: str, value: Any, source: str) -> None:
    """DocumentError where no config takes `value` under `key`: one key at a time, so that the line can name it."""
    try:
        LLMConfig(**{key: value})
    except ConfigError as error:
        where = "" if key in error.cause or key == "model_kwargs" else f"{key}: "
        raise DocumentError(f"{source}: {where}{error.cause}", remedy=error.remedy or f"Mend {key}.") from None


def _reference(written: str | None, source: str) -> KeyRef | None:
    try:
        return None if written is None else KeyRef.parse(written)
    except ConfigError as error:
        raise DocumentError(
            f"{source}: the key 'key' holds no key reference",
            remedy=f"{error.remedy} A key itself is never kept in a file.",
        ) from None


_EXPECTED = "It should be what LangChain's AzureMLOnlineEndpoint.save() or `%azureml export` wrote."


def _check_keys(document: Mapping[Any, Any], source: str) -> None:
    """DocumentError for a key that no document may have, or whose value could not be saved again."""
    for key, remedy in _NEVER.items():
        if key in document:
            raise DocumentError(f"{source} has the key {key!r}", remedy=f"{remedy[0].upper()}{remedy[1:]}.")
    for key, value in document.items():
        if not isinstance(key, str):
            raise DocumentError(f"{source} has the key {key!r}, which is no text", remedy="Put it in quotes.")
        if key in KEYS:
            continue
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise DocumentError(
                f"{source}: the key {key!r} holds what no JSON can hold", remedy="Take it out, or put it in quotes."
            ) from None


def _check_types(document: Mapping[str, Any], source: str) -> None:
    expected: dict[str, tuple[type, ...]] = dict.fromkeys((*_TEXTS, "extra_parameters", "key"), (str,))
    expected |= {"model_kwargs": (dict,), "timeout": (float, int, str), "max_retries": (int,), "azml_schema": (int,)}
    for key, types in expected.items():
        value = document.get(key)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            wanted = {str: "a text", dict: "an object", int: "a whole number", float: "a number"}[types[0]]
            raise DocumentError(f"{source}: {key} is {_kind(value)}", remedy=f"Make it {wanted}.")
    if (document.get("azml_schema") or 0) > SCHEMA:
        raise DocumentError(
            f"{source} was written by a later azml-magics (schema {document['azml_schema']})",
            remedy="Upgrade with pip install -U azml-magics.",
        )


def _kind(value: Any) -> str:
    kinds = {
        str: "a text",
        dict: "an object",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a fraction",
        type(None): "nothing",
    }
    return kinds.get(type(value), f"of type {type(value).__name__}")


# ---- files ---------------------------------------------------------------------------------------------------


def save(config: LLMConfig, path: str | Path, *, langchain: bool = False, force: bool = False) -> Path:
    """Write `config` to `path` (.json, .yaml or .yml), atomically and readable by its owner only.

    An existing file that is no such document is left alone unless `force`.
    """
    target = path_of(path)
    _check_suffix(target)
    text = dumps(to_document(config, langchain=langchain), target.suffix)
    if not force:
        _check_overwrite(target)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, target)  # noqa: PTH105 - Path.replace is the same call with the names turned round
        temporary = None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DocumentError(f"{target} cannot be written: {_reason(error)}", remedy="Choose another path.") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return target


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _check_suffix(path: Path) -> None:
    if path.suffix not in _SUFFIXES:
        raise DocumentError(f"{path} is neither .json nor .yaml", remedy="Give the file one of those endings.")


def _check_overwrite(target: Path) -> None:
    try:
        if not target.exists():
            return
        load(target)
    except OSError:  # such as a name that is too long: writing says so
        return
    except DocumentError:
        raise DocumentError(
            f"{target} is there and is no saved config", remedy="Choose another path, or -f to overwrite it."
        ) from None


def load(path: str | Path, *, name: str = "") -> LLMConfig:
    """The config in the file at `path`, named `name` or after the file. DocumentError says what is wrong with it."""
    source = path_of(path)
    _check_suffix(source)
    try:
        facts = source.stat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe would keep us waiting
            raise DocumentError(f"{source} is no file", remedy="Check the path.")
        if facts.st_size > LARGEST_FILE:
            raise DocumentError(
                f"{source} is larger than 1 MiB", remedy="A saved config is far smaller: check the path."
            )
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError(f"{source} is not UTF-8 text", remedy="Check the path, or export it again.") from None
    except DocumentError:
        raise
    except (OSError, ValueError) as error:
        raise DocumentError(f"{source} cannot be read: {_reason(error)}", remedy="Check the path.") from None
    return from_document(loads(text, source.suffix, str(source)), name=name or source.stem, source=str(source))


def load_all(folder: str | Path) -> list[LLMConfig]:
    """The configs in every .json, .yaml and .yml file of `folder`, by file name; the first bad one is raised."""
    root = path_of(folder)
    try:
        paths = sorted(path for path in root.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    except (OSError, ValueError) as error:
        raise DocumentError(f"{root} cannot be read: {_reason(error)}", remedy="Check the path.") from None
    return [load(path) for path in paths]
