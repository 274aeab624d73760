"""The endpoints table: one row for each kind of endpoint. All that a URL tells comes from here.

Sources: the Azure ML, Foundry and Azure OpenAI references; the Anthropic and Azure AI Inference SDKs.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "managed",
    "kubernetes",
    "serverless",
    "openai-v1",
    "azure-openai",
    "project",
    "anthropic",
    "managed-compute",
    "inference-api",
    "github-models",
    "other",
]
Resource = Literal["ml", "ai", "cognitiveservices"]

_MANAGED = r"\.inference\.ml\.azure\.(com|us|cn)"
_SERVERLESS = r"\.(models|inference)\.ai\.azure\.com"
_GITHUB = r"(^|\.)models\.inference\.ai\.azure\.com"
_FOUNDRY = r"\.(services\.ai|openai|cognitiveservices)\.azure\.(com|us|cn)"
_NO_HOST = r"(?!)"

_BEARER = ("Authorization",)
_BEARER_AND_API_KEY = ("Authorization", "api-key")  # each of these services reads one of the two
_ON_ROOT: Mapping[str, str] = {"responses": "/v1", "messages": "/v1"}  # routes that no server has at its root
_OPENAI = ("openai-chat",)
_FOUNDRY_WIRES = ("openai-responses", "openai-chat")

# Routes at the end of a path, and the formatter that each implies ("": the route does not tell).
ROUTES: Mapping[str, str] = {
    "chat/completions": "openai-chat",
    "completions": "openai",
    "responses": "openai-responses",
    "messages": "anthropic-messages",
    "embeddings": "embeddings",
    "generate_stream": "tgi",
    "generate": "tgi",
    "score": "",
}


@dataclass(frozen=True)
class Service:
    """One kind of endpoint.

    Attributes:
        kind: Its name in code.
        title: Its name for users, after "This is".
        hosts: The host names that are known to be of this kind, as a regular expression for their end.
        root: The part of the path that tells the kind on those hosts; "" if the host tells it. Any prefix may stand
            in front.
        root_elsewhere: The part that tells it on any other host, such as a gateway's; None if nothing does.
        bases: Paths after the root that routes are appended to; the first one is the service's own.
        route_bases: Routes that are appended to another base if the URL has none.
        wires: The formatters for a URL without a route, the preferred one first; () if they differ by deployment.
        model: Where the deployment or model goes: a header, the body, the URL, or nowhere.
        key_headers: The headers that carry a key. A token is always a Bearer token.
        entra_only: Whether no key is accepted at all.
        resource: The service that an Entra ID token is for.
        api_version: The api-version that the service requires in the query, or None.
        is_inference_api: Whether it is the Azure AI Model Inference API, which refuses what it does not know.
        gone: What to say of a service that was turned off; "" for the others.
    """

    kind: Kind
    title: str
    hosts: str = _NO_HOST
    root: str = ""
    root_elsewhere: str | None = None
    bases: tuple[str, ...] = ("",)
    route_bases: Mapping[str, str] = field(default_factory=dict)
    wires: tuple[str, ...] = ()
    model: Literal["header", "body", "url", "none"] = "header"
    key_headers: tuple[str, ...] = _BEARER
    entra_only: bool = False
    resource: Resource = "ml"
    api_version: str | None = None
    is_inference_api: bool = False
    gone: str = ""


# The first row that fits a URL is its service.
TABLE: tuple[Service, ...] = (
    Service(
        "github-models",
        "GitHub Models",
        hosts=_GITHUB,
        wires=_OPENAI,
        model="body",
        is_inference_api=True,
        gone="GitHub Models left models.inference.ai.azure.com on 2025-10-17: the address is https://models.github.ai.",
    ),
    Service(
        "managed",
        "a managed online endpoint",
        hosts=_MANAGED,
        bases=("", "/v1"),
        route_bases=_ON_ROOT,
    ),
    Service(
        "serverless",
        "a serverless deployment",
        hosts=_SERVERLESS,
        bases=("", "/v1"),
        route_bases=_ON_ROOT,
        wires=_OPENAI,
        model="none",
        is_inference_api=True,
    ),
    Service(
        "kubernetes",
        "a Kubernetes online endpoint",
        root_elsewhere="/api/v1/(?:endpoint|service)/[^/]+",
        bases=("", "/v1"),
        route_bases=_ON_ROOT,
    ),
    Service(
        "project",
        "a Foundry project",
        hosts=_FOUNDRY,
        root="/api/projects/[^/]+",
        root_elsewhere="/api/projects/[^/]+(?=/openai/v1)",
        bases=("/openai/v1",),
        wires=_FOUNDRY_WIRES,
        model="body",
        entra_only=True,
        resource="ai",
    ),
    Service(
        "anthropic",
        "Claude in Foundry",
        hosts=_FOUNDRY,
        root="/anthropic(?=/|$)",
        root_elsewhere="/anthropic(?=/v1(?:/|$))",
        bases=("/v1",),
        wires=("anthropic-messages",),
        model="body",
        key_headers=("x-api-key", "api-key"),
        resource="ai",
    ),
    Service(
        "managed-compute",
        "a Foundry managed compute deployment",
        hosts=_FOUNDRY,
        root="/managed-deployments/[^/]+",
        root_elsewhere="/managed-deployments/[^/]+",
        bases=("", "/v1"),
        wires=_OPENAI,
        model="url",
        key_headers=_BEARER_AND_API_KEY,
        resource="ai",
    ),
    Service(
        "azure-openai",
        "an Azure OpenAI deployment",
        hosts=_FOUNDRY,
        root="/openai/deployments/[^/]+",
        root_elsewhere="/openai/deployments/[^/]+",
        wires=_OPENAI,
        model="url",
        key_headers=_BEARER_AND_API_KEY,
        resource="cognitiveservices",
        api_version="2024-10-21",
    ),
    Service(
        "azure-openai",
        "an Azure OpenAI resource",
        hosts=_FOUNDRY,
        root="/openai(?=/responses(?:/|$))",
        root_elsewhere="/openai(?=/responses/?$)",
        wires=("openai-responses",),
        model="body",
        key_headers=_BEARER_AND_API_KEY,
        resource="cognitiveservices",
        api_version="2025-04-01-preview",
    ),
    Service(
        "openai-v1",
        "a Foundry or Azure OpenAI resource",
        hosts=_FOUNDRY,
        root="/openai(?=/|$)",
        root_elsewhere="/openai(?=/v1(?:/|$)|/?$)",
        bases=("/v1",),
        wires=_FOUNDRY_WIRES,
        model="body",
        key_headers=_BEARER_AND_API_KEY,
        resource="ai",
    ),
    Service(
        "inference-api",
        "the Model Inference API of a Foundry resource",
        hosts=_FOUNDRY,
        root="/models(?=/|$)",
        root_elsewhere="(?<!/v1)/models(?=/(?:chat/completions|completions|embeddings)/?$|/?$)",
        wires=_OPENAI,
        model="body",
        key_headers=_BEARER_AND_API_KEY,
        resource="cognitiveservices",
        api_version="2024-05-01-preview",
        is_inference_api=True,
    ),
    Service(
        "openai-v1",
        "a Foundry or Azure OpenAI resource",
        hosts=_FOUNDRY,
        bases=("/openai/v1",),
        route_bases={"messages": "/anthropic/v1"},
        wires=_FOUNDRY_WIRES,
        model="body",
        key_headers=_BEARER_AND_API_KEY,
        resource="ai",
    ),
    Service(
        "other",
        "",
        root_elsewhere="(?=.*/v1/messages/?$)",
        key_headers=("Authorization", "x-api-key"),
    ),
    Service(
        "other",
        "",
        root_elsewhere="",
        bases=("", "/v1"),
        route_bases=_ON_ROOT,
    ),
)
