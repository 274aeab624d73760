"""Configs and saved documents as LangChain models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import documents
from ..core import wire
from ..core.errors import AzmlError
from ..core.keys import DEFAULT_KEY, KeyRef, Secret
from ..core.paths import path_of
from .chat import AzureMLChatOnlineEndpoint
from .formatter_adapter import content_formatter_of, takes_messages
from .llm import AzureMLOnlineEndpoint

if TYPE_CHECKING:
    from ..core.config import LLMConfig

_PLAIN = ("endpoint_url", "deployment_name", "system", "model", "api_version", "extra_parameters", "timeout")
_ALLOW_DANGEROUS = "allow_dangerous_deserialization"  # langchain-community's switch; nothing here is dangerous


def from_config(config: LLMConfig) -> AzureMLOnlineEndpoint | AzureMLChatOnlineEndpoint:
    """The LangChain model that calls what `config` calls: a chat model where its formatter has roles."""
    return _class_for(config)(**_arguments(config))


def load_llm(file: str | Path, **kwargs: Any) -> AzureMLOnlineEndpoint | AzureMLChatOnlineEndpoint:
    """The model in a .json or .yaml document that `save` or `%azureml export` wrote, or LangChain's own `save`.

    kwargs: constructor arguments over the document's, such as endpoint_api_key. What neither names comes from the
    environment. DocumentError says what is wrong with a file.
    """
    path = Path(file)
    config = documents.load(path)
    document = documents.loads(path_of(path).read_text(encoding="utf-8-sig"), path.suffix)
    kind = AzureMLChatOnlineEndpoint if document["_type"] == documents.TYPES[1] else AzureMLOnlineEndpoint
    told = {**document, "content_formatter": True, "model_kwargs": True}
    arguments = {name: value for name, value in _arguments(config).items() if told.get(name) is not None}
    kwargs.pop(_ALLOW_DANGEROUS, None)
    return kind(**{**arguments, **kwargs})


def _class_for(config: LLMConfig) -> type[AzureMLOnlineEndpoint] | type[AzureMLChatOnlineEndpoint]:
    try:
        is_chat = takes_messages(wire.formatter_for(config))
    except AzmlError:  # nothing chosen yet: the text class is LangChain's plain form
        is_chat = False
    return AzureMLChatOnlineEndpoint if is_chat else AzureMLOnlineEndpoint


def _arguments(config: LLMConfig) -> dict[str, Any]:
    arguments = {name: getattr(config, name) for name in _PLAIN}
    return {
        **arguments,
        "name": config.name or None,
        "endpoint_api_type": config.endpoint_api_type,
        "max_retries": config.max_retries,
        "content_formatter": content_formatter_of(config),
        "model_kwargs": dict(config.model_kwargs) or None,
        **_key_arguments(config.key),
    }


def _key_arguments(key: KeyRef | Secret | str | None) -> dict[str, Any]:
    if isinstance(key, Secret):
        return {"endpoint_api_key": key.reveal()}
    if key is None:
        return {"key": ""}
    return {} if str(key) == DEFAULT_KEY else {"key": str(key)}
