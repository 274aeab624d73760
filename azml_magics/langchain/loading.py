"""Configs and saved documents as LangChain models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import documents
from ..core import wire
from ..core.config import LLMConfig
from ..core.errors import AzmlError
from ..core.key_sources import NO_KEY, CredentialKey, ProvidedToken
from ..core.keys import DEFAULT_KEY
from ..core.paths import path_of
from ..core.secret import Secret
from .chat import AzureMLChatOnlineEndpoint
from .formatter_adapter import takes_messages, to_content_formatter
from .llm import AzureMLOnlineEndpoint

_PLAIN = (
    *("endpoint_url", "endpoint_api_type", "deployment_name", "system", "model", "api_version", "extra_parameters"),
    *("timeout", "total_timeout", "max_retries", "key_header", "verify", "proxy", "allow_http"),
)
_ALLOW_DANGEROUS = "allow_dangerous_deserialization"  # langchain-community's argument; nothing here evaluates code


def from_config(config: LLMConfig) -> AzureMLOnlineEndpoint | AzureMLChatOnlineEndpoint:
    """Return the LangChain model of a config.

    Args:
        config: Any LLMConfig.

    Returns:
        A chat model if the config's formatter takes messages, else a text model.
    """
    model = _choose_class(config)(**_make_arguments(config))
    model._file = config.file  # noqa: SLF001 - not an argument: nothing but a file's config sets it
    return model


def load_llm(file: str | Path, **kwargs: Any) -> AzureMLOnlineEndpoint | AzureMLChatOnlineEndpoint:
    """Load the model in a .json or .yaml document, as written by `save`, `%azureml export` or LangChain's own `save`.

    Args:
        file: Path of the document.
        **kwargs: Constructor arguments that override the document's, such as endpoint_api_key.

    Returns:
        The model. What neither the document nor `kwargs` set comes from the environment.

    Raises:
        DocumentError: The file cannot be read, or is not a saved config.
    """
    path = Path(file)
    config = documents.load(path)
    document = documents.loads(path_of(path).read_text(encoding="utf-8-sig"), path.suffix)
    kind = AzureMLChatOnlineEndpoint if document["_type"] == documents.TYPES[1] else AzureMLOnlineEndpoint
    is_set = {name for name, value in document.items() if value is not None} | {"content_formatter", "model_kwargs"}
    if "key" in document:  # null says that no key is sent
        is_set.add("key")
    arguments = {name: value for name, value in _make_arguments(config).items() if name in is_set}
    kwargs.pop(_ALLOW_DANGEROUS, None)
    if not {"credential", "azure_ad_token_provider"}.isdisjoint(kwargs):
        arguments.pop("key", None)  # the document's reference gives way
    return kind(**{**arguments, **kwargs})


def _choose_class(config: LLMConfig) -> type[AzureMLOnlineEndpoint] | type[AzureMLChatOnlineEndpoint]:
    try:
        wire.wire_for(config)
        is_chat = takes_messages(wire.formatter_for(config))
    except AzmlError:  # no formatter yet
        is_chat = False
    return AzureMLChatOnlineEndpoint if is_chat else AzureMLOnlineEndpoint


def _make_arguments(config: LLMConfig) -> dict[str, Any]:
    arguments = {name: getattr(config, name) for name in _PLAIN}
    return {
        **arguments,
        "name": config.name or None,
        "headers": dict(config.headers) or None,
        "content_formatter": to_content_formatter(config),
        "model_kwargs": dict(config.model_kwargs) or None,
        **_make_key_arguments(config.key),
    }


def _make_key_arguments(key: Any) -> dict[str, Any]:
    if isinstance(key, CredentialKey):
        return {"credential": key.credential}
    if isinstance(key, ProvidedToken):
        return {"azure_ad_token_provider": key.provider}
    if isinstance(key, Secret):
        return {"endpoint_api_key": key.reveal()}
    if key is None:
        return {"key": NO_KEY}
    return {} if str(key) == DEFAULT_KEY else {"key": str(key)}
