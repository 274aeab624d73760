"""LLMConfig <-> the JSON or YAML document that LangChain's AzureMLOnlineEndpoint.save() writes and load_llm reads.

LangChain's three keys come first, in its order and layout; ours follow, each only where it is set and no default.
Nothing here imports LangChain, and reading evaluates nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core import endpoint, wire
from .core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from .core.errors import AzmlError, ConfigError, DocumentError, did_you_mean, one_line
from .core.secrets import DEFAULT_KEY, KeyRef

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
LARGEST_FILE = 1024 * 1024
TYPES = ("azureml_endpoint", "azureml_chat_endpoint")
_SUFFIXES = (".json", ".yaml", ".yml")
_TEXTS = ("deployment_name", "endpoint_url", "endpoint_api_type", "formatter", "system", "api_version", "model")
_OURS = (*_TEXTS, "extra_parameters", "model_kwargs", "timeout", "max_retries", "key", "azml_schema", "_type")
_NEVER = {
    "endpoint_api_key": "a key is never kept in a file: take it out, and name where it is under key, such as env:NAME",
    "content_formatter": "LangChain cannot load it: write the formatter's name under formatter",
}


def to_document(config: LLMConfig, *, langchain: bool = False) -> dict[str, Any]:
    """The document of `config`; with `langchain`, only the keys that LangChain's save() writes."""
    formatter = _formatter_name(config)
    document: dict[str, Any] = {
        "deployment_name": config.deployment_name,
        "model_kwargs": dict(config.model_kwargs),
        "_type": TYPES[_is_chat(config)],
    }
    if langchain:
        return document
    implied = endpoint.api_type_of(config.endpoint_url) if config.endpoint_url else "dedicated"
    ours = {
        "endpoint_url": config.endpoint_url or None,
        # LangChain's default is dedicated; a reader of ours goes by the URL
        "endpoint_api_type": config.endpoint_api_type
        if config.endpoint_api_type == "serverless" or implied != config.endpoint_api_type
        else None,
        "timeout": _number(config.timeout) if config.timeout != DEFAULT_TIMEOUT else None,
        "max_retries": config.max_retries if config.max_retries != DEFAULT_MAX_RETRIES else None,
        "formatter": formatter or None,
        "key": str(config.key) if isinstance(config.key, KeyRef) and str(config.key) != DEFAULT_KEY else None,
        "system": config.system,
        "api_version": config.api_version,
        "extra_parameters": config.extra_parameters,
        "model": config.model,
    }
    document.update({key: value for key, value in ours.items() if value is not None})
    document["azml_schema"] = SCHEMA
    document.update({key: value for key, value in config.extras.items() if key not in document})
    return document


def _formatter_name(config: LLMConfig) -> str:
    if isinstance(config.formatter, str):
        return config.formatter
    for name in wire.names():
        if wire.get(name) is config.formatter or getattr(wire.get(name), "theirs", None) is config.formatter:
            return name
    raise DocumentError(
        f"The formatter {type(config.formatter).__name__} has no name to be saved under",
        remedy='Register it first: azml_magics.register_formatter("my-name", formatter), then save with -f my-name.',
    )


def _is_chat(config: LLMConfig) -> bool:
    try:
        return wire.formatter_for(config).chat
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
    for key, remedy in _NEVER.items():
        if key in document:
            raise DocumentError(f"{source} has the key {key!r}", remedy=f"{remedy[0].upper()}{remedy[1:]}.")
    _check_types(document, source)
    fields = {
        key: document[key] for key in (*_TEXTS, "extra_parameters", "timeout", "max_retries") if document.get(key)
    }
    if document.get("max_retries") == 0:
        fields["max_retries"] = 0
    if "key" in document:
        fields["key"] = document["key"]
    extras = {key: value for key, value in document.items() if key not in _OURS}
    if kind == TYPES[1] and not fields.get("formatter"):
        fields["formatter"] = "openai-chat"
    try:
        return LLMConfig(name=name, model_kwargs=document.get("model_kwargs") or {}, extras=extras, **fields)
    except ConfigError as error:
        raise DocumentError(f"{source}: {error.cause}", remedy=error.remedy) from None


_EXPECTED = "It should be what LangChain's AzureMLOnlineEndpoint.save() or `%azureml export` wrote."


def _check_types(document: Mapping[str, Any], source: str) -> None:
    expected: dict[str, tuple[type, ...]] = dict.fromkeys((*_TEXTS, "extra_parameters", "key"), (str,))
    expected |= {"model_kwargs": (dict,), "timeout": (int, float, str), "max_retries": (int,), "azml_schema": (int,)}
    for key, types in expected.items():
        value = document.get(key)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            wanted = {str: "a text", dict: "an object", int: "a number"}[types[0]]
            raise DocumentError(f"{source}: {key} is {_kind(value)}", remedy=f"Make it {wanted}.")
    if (document.get("azml_schema") or 0) > SCHEMA:
        raise DocumentError(
            f"{source} was written by a later azml-magics (schema {document['azml_schema']})",
            remedy="Upgrade with pip install -U azml-magics.",
        )


def _kind(value: Any) -> str:
    kinds = {str: "a text", dict: "an object", list: "a list", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), "a number")


# ---- text ----------------------------------------------------------------------------------------------------


def dumps(document: Mapping[str, Any], suffix: str = ".json") -> str:
    """The document as LangChain writes it: JSON indented by 4 without a final newline, or block-style YAML."""
    if suffix == ".json":
        return json.dumps(document, indent=4)
    import yaml

    return str(yaml.dump(dict(document), default_flow_style=False))


def loads(text: str, suffix: str = ".json", source: str = "the document") -> Any:
    """What `dumps` wrote; DocumentError where it is cut off or no JSON or YAML."""
    if suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            cut = not text.rstrip().endswith("}")
            raise DocumentError(
                f"{source} is not whole JSON ({one_line(str(error), 100)})",
                remedy="It seems cut off: export it again." if cut else "Mend it there, or export it again.",
            ) from None
    return _yaml(text, source)


def _yaml(text: str, source: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Without aliases: a small document of them unfolds to gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it uses aliases")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(
            f"{source} is no plain YAML ({one_line(str(error), 100)})", remedy="Mend it, or export it again."
        ) from None


# ---- files ---------------------------------------------------------------------------------------------------


def save(config: LLMConfig, path: str | Path, *, langchain: bool = False, force: bool = False) -> Path:
    """Write `config` to `path` (.json, .yaml or .yml), atomically and readable by its owner only.

    An existing file that is no such document is left alone unless `force`.
    """
    target = Path(path).expanduser()
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
    except OSError as error:
        raise DocumentError(
            f"{target} cannot be written: {error.strerror or error}", remedy="Choose another path."
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return target


def _check_suffix(path: Path) -> None:
    if path.suffix not in _SUFFIXES:
        raise DocumentError(f"{path} is neither .json nor .yaml", remedy="Give the file one of those endings.")


def _check_overwrite(target: Path) -> None:
    if not target.exists():
        return
    try:
        load(target)
    except DocumentError:
        raise DocumentError(
            f"{target} is there and is no saved config", remedy="Choose another path, or -f to overwrite it."
        ) from None


def load(path: str | Path, *, name: str = "") -> LLMConfig:
    """The config in the file at `path`, named `name` or after the file. DocumentError says what is wrong with it."""
    source = Path(path).expanduser()
    _check_suffix(source)
    try:
        if source.stat().st_size > LARGEST_FILE:
            raise DocumentError(
                f"{source} is larger than 1 MiB", remedy="A saved config is far smaller: check the path."
            )
        text = source.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DocumentError(f"{source} cannot be read: {error.strerror or error}", remedy="Check the path.") from None
    except UnicodeDecodeError:
        raise DocumentError(f"{source} is not UTF-8 text", remedy="Check the path, or export it again.") from None
    return from_document(loads(text, source.suffix, str(source)), name=name or source.stem, source=str(source))


def load_all(folder: str | Path) -> list[LLMConfig]:
    """The configs in every .json, .yaml and .yml file of `folder`, by file name; the first bad one is raised."""
    root = Path(folder).expanduser()
    return [load(path) for path in sorted(root.iterdir()) if path.suffix in _SUFFIXES and path.is_file()]
