"""How an endpoint describes its wire format: swagger, /info and the list of models. No prompt is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from azml_magics.core import endpoints, wire
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    ConfigError,
    NotRecordedError,
    PermissionDeniedError,
)

from . import swagger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig

# A failure of these kinds would be that of any other request, too.
_FATAL = (AuthenticationError, PermissionDeniedError, APIConnectionError, ConfigError, NotRecordedError)
_LISTS_MODELS = {"openai-v1", "project", "managed-compute"}  # and has no other description
_INFO_TYPES = {
    "chat-completion": ("openai-chat", "/chat/completions"),
    "chat-completions": ("openai-chat", "/chat/completions"),
    "completion": ("openai", "/completions"),
    "text-generation": ("openai", "/completions"),
    "embeddings": ("embeddings", "/embeddings"),
    "embedding": ("embeddings", "/embeddings"),
}
_TGI_KEYS = {"max_total_tokens", "max_input_length", "max_input_tokens", "docker_label", "max_concurrent_requests"}
_TEI_TYPES = {"embedding", "reranker", "classifier"}


class Candidate(NamedTuple):
    """A formatter that may be the deployment's.

    Attributes:
        formatter: its registered name; "" if it is not known.
        route: the route of its requests, such as "/score"; "" if it is not known.
        reason: what speaks for it.
        api_type: the endpoint type that it needs; "" for the URL's own.
        model: the model that the requests must name; "" if none.
    """

    formatter: str
    route: str
    reason: str
    api_type: str = ""
    model: str = ""


@dataclass(frozen=True)
class Description:
    """What the endpoint's descriptions say.

    Attributes:
        candidates: the formatters that it points to, the most certain first.
        note: why there are none, or "".
    """

    candidates: Sequence[Candidate] = ()
    note: str = ""


def base_url(url: str) -> str:
    """Return the URL without its route, /v1, query and last slash: descriptions and other routes are beside it."""
    return endpoints.base_of(url).removesuffix("/v1")


def swagger_url(url: str) -> str:
    """Return the URL of the deployment's swagger document: /swagger.json beside its route."""
    endpoints.split(url)
    return f"{base_url(url)}/swagger.json"


def fetch_description(config: LLMConfig) -> Description:
    """Ask the endpoint for its descriptions, until one of them names a formatter.

    Args:
        config: A config with the endpoint's URL and key.

    Raises:
        AuthenticationError, PermissionDeniedError, APIConnectionError, ConfigError: No other request would succeed
            either.
    """
    endpoints.split(config.endpoint_url)
    if endpoints.kind_of(config.endpoint_url) in _LISTS_MODELS:
        return _fetch_models(config, f"{base_url(config.endpoint_url)}/v1/models")
    found = _fetch_swagger(config)
    note = found.note
    for fetch, path in ((_fetch_info, "/info"), (_fetch_models, "/v1/models")):
        if any(candidate.formatter for candidate in found.candidates):
            break
        more = fetch(config, f"{base_url(config.endpoint_url)}{path}")
        found = more if more.candidates else found
    return found if found.candidates else Description((), note)


def _fetch_swagger(config: LLMConfig) -> Description:
    from azml_magics.core import client

    url = swagger_url(config.endpoint_url)
    try:
        document = client.fetch(config, url)
    except _FATAL:
        raise
    except AzmlError as error:
        return Description((), f"No swagger: {error.cause.rstrip('.')}.")
    try:
        findings = swagger.findings(json.loads(document))
    except (ValueError, RecursionError):
        return Description((), f"{url} is not JSON.")
    candidates = [Candidate(each.formatter, each.route, each.reason) for each in findings]
    return Description(candidates, "" if candidates else "The swagger document does not tell.")


def _fetch_info(config: LLMConfig, url: str) -> Description:
    """Read /info of text-generation-inference, text-embeddings-inference or the Model Inference API."""
    info = _fetch_json(config, url)
    if not isinstance(info, dict):
        return Description()
    kind = info.get("model_type")
    if isinstance(kind, dict) and _TEI_TYPES & set(kind):
        return _make_description("embeddings", "/v1/embeddings", "its /info is that of text-embeddings-inference")
    if "model_id" in info and _TGI_KEYS & set(info):
        return _make_description("tgi", "/generate", "its /info is that of text-generation-inference")
    if isinstance(kind, str) and kind in _INFO_TYPES:
        return _make_description(*_INFO_TYPES[kind], f"its /info says {kind}")
    return Description()


def _fetch_models(config: LLMConfig, url: str) -> Description:
    """Read the list of models that OpenAI-like servers have."""
    value = _fetch_json(config, url)
    data = value.get("data") if isinstance(value, dict) else None
    items = data if isinstance(data, list) else []
    models = [item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
    if not models:
        return Description()
    path = url.removeprefix(base_url(config.endpoint_url)).removesuffix("/models")
    named = models[0] if len(models) == 1 else f"{len(models)} models"
    model = models[0] if len(models) == 1 else ""
    formatters = endpoints.service_of(config.endpoint_url).wires or ("openai-chat",)
    routes = {"openai-responses": "responses", "openai-chat": "chat/completions"}
    return Description(
        [
            Candidate(name, f"{path}/{routes[name]}", f"it lists {named} under {urlsplit(url).path}", model=model)
            for name in formatters
            if name in routes
        ]
    )


def _make_description(formatter: str, route: str, reason: str) -> Description:
    """Return a description with one formatter; without its name if this version does not have it."""
    return Description([Candidate(formatter if formatter in wire.names() else "", route, reason)])


def _fetch_json(config: LLMConfig, url: str) -> Any:
    """Return what the endpoint has at `url`; None if it has nothing there that can be read."""
    from azml_magics.core import client

    try:
        return json.loads(client.fetch(config.merged(max_retries=0), url))
    except (AzmlError, ValueError, RecursionError):
        return None
