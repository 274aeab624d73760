"""LLMConfig <-> the JSON or YAML document that LangChain's AzureMLOnlineEndpoint.save() writes and load_llm reads.

LangChain's three keys come first, in its order and layout; ours follow, each only if it is set and not the default.
Nothing here imports LangChain, and reading a document evaluates nothing.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core import endpoints, wire
from .core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from .core.errors import AzmlError, DocumentError
from .core.hidden_arguments import hide_arguments
from .core.key_sources import KeySource
from .core.keys import DEFAULT_KEY, KeyRef, is_reference
from .core.paths import path_of
from .core.pricing import read_price
from .core.secret import Secret
from .core.text import did_you_mean
from .document_checks import (
    EXPECTED,
    KEYS,
    NEVER_SAVED,
    SCHEMA,
    TEXT_KEYS,
    TYPES,
    VALUE_KEYS,
    check_keys,
    check_types,
    check_value,
    describe_type,
    parse_headers,
    parse_key,
)
from .document_text import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS", "TYPES", "dumps", "from_document", "load", "load_all", "loads", "save", "to_document"]

LARGEST_FILE = 1024 * 1024
_SUFFIXES = (".json", ".yaml", ".yml")


def to_document(config: LLMConfig, *, langchain: bool = False) -> dict[str, Any]:
    """Convert a config to a document.

    Args:
        config: The config; its name is not part of the document.
        langchain: Whether to write only the keys that LangChain's `save()` writes.

    Returns:
        JSON data in LangChain's order of keys. A literal key is left out.

    Raises:
        DocumentError: The config has a formatter that is not registered under a name.
    """
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
        # LangChain's default is dedicated; ours follows from the URL
        "endpoint_api_type": config.endpoint_api_type
        if config.endpoint_api_type == "serverless" or implied != config.endpoint_api_type
        else None,
        "timeout": _number(config.timeout) if config.timeout != DEFAULT_TIMEOUT else None,
        "max_retries": config.max_retries if config.max_retries != DEFAULT_MAX_RETRIES else None,
        "formatter": _formatter_name(config) or None,
        "key": _reference_to(config),
        "system": config.system or None,
        "api_version": config.api_version or None,
        "extra_parameters": config.extra_parameters,
        "model": config.model or None,
        **_network_settings(config),
        "price": price.to_dict() if (price := read_price(config.price)) else None,
    }
    keyless = config.key is None  # not the default: no key is sent
    document.update({key: value for key, value in ours.items() if value is not None or (key == "key" and keyless)})
    document["azml_schema"] = SCHEMA
    document.update({key: value for key, value in config.extras.items() if key not in document})
    return document


def _reference_to(config: LLMConfig) -> str | None:
    """The reference that a document has: none for the default or a key in memory; entra for a credential."""
    reference = config.key_source.reference if isinstance(config.key, KeyRef | KeySource) else None
    return reference if reference and reference != DEFAULT_KEY and is_reference(reference) else None


def _network_settings(config: LLMConfig) -> dict[str, Any]:
    """The keys that say how the endpoint is reached, None for those that are not set. A key in a header is left out."""
    headers = {name: str(value) for name, value in config.headers.items() if not isinstance(value, Secret)}
    return {
        "total_timeout": None if config.total_timeout is None else _number(config.total_timeout),
        "headers": headers or None,
        "key_header": config.key_header or None,
        "verify": config.verify,
        "proxy": config.proxy,
        "allow_http": config.allow_http or None,
    }


def _formatter_name(config: LLMConfig) -> str:
    formatter = config.formatter
    if not formatter or isinstance(formatter, str):
        return formatter or ""
    if isinstance(formatter, wire.Formatter) and formatter.content_formatter is None:
        return formatter.name
    own = formatter.content_formatter if isinstance(formatter, wire.Formatter) else formatter
    for name in wire.names():
        if wire.get(name).content_formatter is own:
            return name
    raise DocumentError(
        f"The formatter {type(config.formatter).__name__} is not registered under a name, so it cannot be saved",
        remedy='Register it first: azml_magics.register_formatter("my-name", formatter), then use formatter="my-name".',
        error_code="formatter-without-name",
    )


def _is_chat(config: LLMConfig) -> bool:
    try:
        return wire.wire_for(config).chat
    except AzmlError:  # not chosen yet, or registered elsewhere: LangChain's text class is the default
        return False


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


@hide_arguments
def from_document(
    document: Mapping[str, Any], *, name: str = "", source: str = "the document", file: str = ""
) -> LLMConfig:
    """Convert a document to a config.

    Args:
        document: What `to_document` or LangChain's `save()` made. Keys that are unknown here are kept in `extras`.
        name: The name of the config.
        source: Where the document comes from, for messages.
        file: The file that it comes from, if another person may have written it.

    Raises:
        DocumentError: The document is not a saved config; the message names `source`, the key and the remedy.
    """
    if not isinstance(document, dict):
        raise DocumentError(
            f"{source} is not a saved config: it is {describe_type(document)}",
            remedy=EXPECTED,
            error_code="not-a-config",
        )
    kind = document.get("_type")
    if kind not in TYPES:
        what = f"its _type is {kind!r}" if "_type" in document else "it has no _type"
        hint = did_you_mean(kind, TYPES).strip() if isinstance(kind, str) else ""
        raise DocumentError(
            f"{source} is not a saved config: {what}",
            remedy=f"{hint} {EXPECTED}".strip(),
            error_code="not-a-config",
            facts={"hint": hint},
        )
    check_keys(document, source)
    check_types(document, source)
    fields = {key: document[key] for key in (*TEXT_KEYS, "extra_parameters") if document.get(key)}
    fields |= {key: document[key] for key in VALUE_KEYS if document.get(key) is not None}
    fields["model_kwargs"] = document.get("model_kwargs") or {}
    if document.get("key") != "" and "key" in document:
        fields["key"] = parse_key(document["key"], source)
    fields["headers"] = parse_headers(document.get("headers") or {}, source)
    for key, value in fields.items():
        check_value(key, value, source)
    extras = {key: value for key, value in document.items() if key not in KEYS and key not in NEVER_SAVED}
    config = LLMConfig(name=name, extras=extras, file=file, **fields)
    if kind == TYPES[1] and not config.formatter and not wire.default_for_url(config.endpoint_url):
        return config.merged(formatter="openai-chat")
    return config


# ---- files ---------------------------------------------------------------------------------------------------


def save(config: LLMConfig, path: str | Path, *, langchain: bool = False, force: bool = False) -> Path:
    """Write `config` to a file, atomically and readable by its owner only.

    Args:
        config: The config.
        path: The file, with the ending .json, .yaml or .yml; its folder is made if needed.
        langchain: Whether to write only the keys that LangChain's `save()` writes.
        force: Whether to overwrite a file that is not a saved config.

    Returns:
        The path of the file.

    Raises:
        DocumentError: The file cannot be written, or is something else than a saved config.
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
        os.replace(temporary, target)  # noqa: PTH105 - Path.replace is the same call with its arguments in reverse
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
        raise DocumentError(f"{path} does not end in .json or .yaml", remedy="Give the file one of those endings.")


def _check_overwrite(target: Path) -> None:
    try:
        if not target.exists():
            return
        load(target)
    except OSError:  # such as a name that is too long: writing will report it
        return
    except DocumentError:
        raise DocumentError(
            f"{target} exists and is not a saved config",
            remedy="Choose another path, or pass force=True to overwrite it.",
            error_code="overwrite",
        ) from None


@hide_arguments
def load(path: str | Path, *, name: str = "", is_trusted: bool = True) -> LLMConfig:
    """Read a config from a file.

    Args:
        path: The file, with the ending .json, .yaml or .yml.
        name: The name of the config; by default that of the file without its ending.
        is_trusted: Whether the config may send its keys where it says. Otherwise the user is asked at its first
            request (`azml_magics.trust`), as for a file that a notebook imports.

    Raises:
        DocumentError: The file cannot be read, or is not a saved config.
    """
    source = path_of(path)
    _check_suffix(source)
    try:
        facts = source.stat()
        if not stat.S_ISREG(facts.st_mode):  # reading a pipe would block
            raise DocumentError(f"{source} is not a file", remedy="Check the path.")
        if facts.st_size > LARGEST_FILE:
            raise DocumentError(
                f"{source} is larger than 1 MiB", remedy="A saved config is much smaller: check the path."
            )
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError(f"{source} is not UTF-8 text", remedy="Check the path, or export it again.") from None
    except DocumentError:
        raise
    except (OSError, ValueError) as error:
        raise DocumentError(f"{source} cannot be read: {_reason(error)}", remedy="Check the path.") from None
    document = loads(text, source.suffix, str(source))
    file = "" if is_trusted else str(source)
    return from_document(document, name=name or source.stem, source=str(source), file=file)


def load_all(folder: str | Path, *, is_trusted: bool = True) -> list[LLMConfig]:
    """Read the configs in every .json, .yaml and .yml file of `folder`, in the order of the file names.

    Args:
        folder: The folder.
        is_trusted: As for `load`.

    Raises:
        DocumentError: The folder or one of the files cannot be read, or a file is not a saved config.
    """
    root = path_of(folder)
    try:
        paths = sorted(path for path in root.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    except (OSError, ValueError) as error:
        raise DocumentError(f"{root} cannot be read: {_reason(error)}", remedy="Check the path.") from None
    return [load(path, is_trusted=is_trusted) for path in paths]
