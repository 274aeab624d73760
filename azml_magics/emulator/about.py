"""GET /emulator, /info, /v1/models and health: the endpoint described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.deployments import DEPLOYMENTS
from azml_magics.emulator.faults import FAULT_KINDS
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.models import NAMES

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest

STATEMENT = (
    "This is the azml-magics demo endpoint. It is not a language model: it gives prepared responses to the prompts of "
    "the documentation and the tutorials, the same for the same request. It listens on this machine only."
)

ROUTES: tuple[tuple[str, str, str], ...] = (
    ("POST", "/score", "every dedicated wire format, selected by the body's shape"),
    ("POST", "/completions", "Inference API completions"),
    ("POST", "/chat/completions", "Inference API chat"),
    ("POST", "/v1/completions", "OpenAI completions (vLLM, Llama)"),
    ("POST", "/v1/chat/completions", "OpenAI chat (vLLM, Llama)"),
    ("POST", "/models/chat/completions", "Foundry model inference: api-version and model"),
    ("POST", "/openai/v1/completions", "Azure OpenAI v1: model"),
    ("POST", "/openai/v1/chat/completions", "Azure OpenAI v1: model"),
    ("POST", "/openai/deployments/NAME/completions", "Azure OpenAI: api-version"),
    ("POST", "/openai/deployments/NAME/chat/completions", "Azure OpenAI: api-version"),
    ("POST", "/openai/v1/responses", "OpenAI Responses: model; also /v1/responses"),
    ("GET", "/openai/v1/responses/ID", "a stored response; a background one while it is polled"),
    ("POST", "/openai/v1/responses/ID/cancel", "cancels a background response"),
    ("POST", "/openai/responses", "OpenAI Responses, dated: model, api-version"),
    ("POST", "/openai/v1/embeddings", "embeddings: model; also /v1/embeddings"),
    ("POST", "/openai/deployments/NAME/embeddings", "embeddings: api-version"),
    ("POST", "/anthropic/v1/messages", "Anthropic Messages: anthropic-version, model, max_tokens"),
    ("POST", "/anthropic/v1/messages/count_tokens", "the tokens of Anthropic messages"),
    ("POST", "/generate", "text-generation-inference"),
    ("POST", "/generate_stream", "text-generation-inference, streamed"),
    ("GET", "/swagger.json", "the pinned deployment's document; ?version=2, 3, 3.1"),
    ("GET", "/info", "the model's name and type"),
    ("GET", "/v1/models", "the models; also /openai/v1/models"),
    ("GET", "/", "health, without a key"),
    ("GET", "/emulator", "this page, without a key"),
    ("POST", "/emulator/script", "the faults of the next requests, a JSON list"),
)

CONTROLS = (
    ("azureml-model-deployment: NAME", "?emulator-deployment=NAME", "pin a deployment"),
    ("x-emulator-fault: NAME;key=value", "?emulator-fault=NAME;key=value", "order a fault"),
    ("x-emulator-rate: TOKENS_PER_S", "?emulator-rate=TOKENS_PER_S", "how fast tokens come"),
    ("x-emulator-latency: SECONDS", "?emulator-latency=SECONDS", "how long the first byte takes"),
    ("x-emulator-polls: N", "?emulator-polls=N", "how often a background response is unfinished"),
)


def describe() -> dict[str, Any]:
    """Return the tables of GET /emulator as data."""
    return {
        "statement": STATEMENT,
        "routes": [{"method": m, "path": p, "summary": s} for m, p, s in ROUTES],
        "kubernetes": "/api/v1/endpoint/NAME/ before any route",
        "project": "/api/projects/NAME/ before any route: Bearer only",
        "managed compute": "/managed-deployments/NAME/ before a /v1 route, which may be left out",
        "controls": [{"header": h, "query": q, "summary": s} for h, q, s in CONTROLS],
        "deployments": [{"name": d.name, "summary": d.summary} for d in DEPLOYMENTS.values()],
        "faults": [
            {"name": k.name, "group": k.group, "options": list(k.options), "summary": k.summary} for k in FAULT_KINDS
        ],
    }


def write_page() -> str:
    """Return the same tables as plain text."""
    tables = (
        ("Routes", [(f"{m} {p}", s) for m, p, s in ROUTES]),
        ("Headers and queries", [(f"{h}  or  {q}", s) for h, q, s in CONTROLS]),
        ("Deployments", [(d.name, d.summary) for d in DEPLOYMENTS.values()]),
        ("Faults", [(";".join([k.name, *(f"{option}=" for option in k.options)]), k.summary) for k in FAULT_KINDS]),
    )
    lines = [STATEMENT]
    for title, rows in tables:
        width = max(len(left) for left, _ in rows)
        lines += ["", title, *(f"  {left:<{width}}  {right}" for left, right in rows)]
    return "\n".join(lines) + "\n"


def describe_emulator(routed: RoutedRequest) -> HttpResponse:
    """Return the statement and the tables, as JSON if that is accepted, otherwise as text."""
    if "application/json" in routed.headers.get("accept", ""):
        return HttpResponse.fastapi(describe())
    return HttpResponse.text(write_page(), content_type="text/plain; charset=utf-8")


def show_health(routed: RoutedRequest) -> HttpResponse:
    """Return "healthy" as azureml-inference-server-http or the catalogue's image writes it."""
    fastapi = routed.deployment.swagger.startswith("openai")
    return HttpResponse.fastapi("healthy") if fastapi else HttpResponse.text("Healthy")


def show_info(routed: RoutedRequest) -> HttpResponse:
    """Return model_name, model_type and model_provider_name, as the Inference API does."""
    deployment = routed.deployment
    text = deployment.swagger in ("openai-completion", "tgi")
    kind = "completion" if text else "chat-completion"
    name = routed.query.get("model") or deployment.model
    return HttpResponse.fastapi(
        {"model_type": kind, "model_provider_name": "azml-magics demo endpoint, not a model", "model_name": name}
    )


def list_models(routed: RoutedRequest) -> HttpResponse:
    """Return the list of models in OpenAI's form."""
    names = [routed.deployment.model] if routed.pinned else NAMES
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "azml-magics"} for name in names]
    return HttpResponse.fastapi({"object": "list", "data": data})
