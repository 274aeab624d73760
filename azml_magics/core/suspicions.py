"""What looked wrong with a call before it was sent. The server decides; its refusal then says what to check first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .config import LLMConfig
    from .errors import AzmlError

_CHAT_KWARGS = ("response_format", "tools", "tool_choice")
_PLACEHOLDER = re.compile(r"\byour\b|^name\.|\bexample\.(com|org|net)$|^endpoint[-_]url$", re.IGNORECASE)
# Codes of refusals that do not tell what to change.
_REQUEST = frozenset(
    {"request-rejected", "parameters-rejected", "wrong-formatter", "not-found", "model", "bad-request"}
)
_MODEL = _REQUEST | {"no-such-deployment", "no-such-model"}
_KEY = frozenset({"authentication", "wrong-audience"})
_CONNECTION = frozenset({"connection-connect-error", "connection-connect-timeout"})


@dataclass(frozen=True)
class Suspicion:
    """One thing that may be why a server refuses a call.

    Attributes:
        error_code: The code that the refusal gets, for a front end's remedy.
        remedy: What to do, in plain Python words.
        refusals: The codes of the refusals that it may explain.
        facts: What the remedy of a front end names.
    """

    error_code: str
    remedy: str
    refusals: frozenset[str] = _REQUEST
    facts: Mapping[str, Any] = field(default_factory=dict)


def explain(error: AzmlError, config: LLMConfig, url: str) -> AzmlError:
    """Put what looked wrong with the call into the remedy of its refusal, and return the error.

    A refusal whose own code tells what is wrong keeps its remedy.

    Args:
        error: Why the call failed.
        config: The call's config.
        url: Where the request went.
    """
    for suspicion in suspicions_of(config, url):
        if error.error_code in suspicion.refusals:
            error.error_code, error.remedy = suspicion.error_code, suspicion.remedy
            error.add_facts(**suspicion.facts)
            break
    return error


def suspicions_of(config: LLMConfig, url: str) -> Iterator[Suspicion]:
    """Yield what looks wrong with a call, the likeliest reason for a refusal first.

    Args:
        config: The call's config.
        url: Where the request goes.
    """
    service = endpoints.service_of(url)
    if _PLACEHOLDER.search(endpoints.Origin.of(url).host):
        yield Suspicion(
            error_code="placeholder-url",
            remedy="The URL looks like a placeholder: set endpoint_url to the endpoint's own.",
            refusals=_CONNECTION | _REQUEST | _KEY,
        )
    for notice in endpoints.notices_of(config.endpoint_url):
        yield Suspicion(
            error_code="unknown-path",
            remedy=f"{notice} Check endpoint_url.",
            refusals=_CONNECTION | _REQUEST,
            facts={"notice": notice},
        )
    if not config.all_key_sources:
        yield Suspicion(error_code="no-key-sent", remedy="The request had no key: set key.", refusals=_KEY)
    elif service.entra_only and not any(source.is_token for source in config.all_key_sources):
        yield Suspicion(
            error_code="entra-only",
            remedy="A Foundry project accepts no key: use the key reference entra.",
            refusals=_KEY,
        )
    if service.model == "body" and not (config.model or config.deployment_name or "model" in config.model_kwargs):
        yield Suspicion(
            error_code="no-model",
            remedy="This endpoint serves several models and the request names none: set deployment_name or model.",
            refusals=_MODEL,
        )
    names = [name for name in _CHAT_KWARGS if config.model_kwargs.get(name)]
    if names and endpoints.route_of(url) not in {"", "chat/completions", "responses", "messages"}:
        yield Suspicion(
            error_code="chat-kwarg",
            remedy=f"{names[0]} belongs to chat routes, and this request went elsewhere: remove it, or use the "
            "deployment's /v1/chat/completions.",
            facts={"param": names[0]},
        )
