"""Routes: the handler and the deployment for each request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from azml_magics.emulator import (
    about,
    anthropic_routes,
    embeddings,
    openai_families,
    openai_routes,
    responses_route,
    score,
    swagger_documents,
    tgi_routes,
)
from azml_magics.emulator.deployments import BLUE, DEPLOYMENTS, serves
from azml_magics.emulator.fault_responses import NO_TRAFFIC, unauthorized
from azml_magics.emulator.http_response import HttpResponse, model_error
from azml_magics.emulator.routed_request import RoutedRequest, parse_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.recorded_requests import RecordedRequest

_KUBERNETES = re.compile(r"/api/v1/endpoint/([^/]+)(?=/|\Z)")
_AZURE_OPENAI = re.compile(r"/openai/deployments/([^/]+)(/(?:chat/)?completions|/embeddings)\Z")
_MANAGED_COMPUTE = re.compile(r"/managed-deployments/([^/]+)(?:/v1)?(?=/)")
_PROJECT = re.compile(r"/api/projects/[^/]+(?=/|\Z)")
_RESPONSE = re.compile(r"(.*/responses)/([^/]+?)(/cancel)?/?\Z")

PUBLIC = ("/", "/emulator")
"""The routes that need no key."""

_HANDLERS: dict[str, tuple[str, Callable[[RoutedRequest], HttpResponse]]] = {
    "/score": ("POST", score.score),
    "/completions": ("POST", lambda e: openai_routes.completion(e, openai_families.INFERENCE)),
    "/chat/completions": ("POST", lambda e: openai_routes.chat(e, openai_families.INFERENCE)),
    "/v1/completions": ("POST", lambda e: openai_routes.completion(e, openai_families.V1)),
    "/v1/chat/completions": ("POST", lambda e: openai_routes.chat(e, openai_families.V1)),
    "/models/chat/completions": ("POST", lambda e: openai_routes.chat(e, openai_families.MODELS)),
    "/openai/v1/completions": ("POST", lambda e: openai_routes.completion(e, openai_families.OPENAI_V1)),
    "/openai/v1/chat/completions": ("POST", lambda e: openai_routes.chat(e, openai_families.OPENAI_V1)),
    "/openai/deployments/completions": ("POST", lambda e: openai_routes.completion(e, openai_families.AZURE_OPENAI)),
    "/openai/deployments/chat/completions": ("POST", lambda e: openai_routes.chat(e, openai_families.AZURE_OPENAI)),
    "/v1/responses": ("POST", lambda e: responses_route.create(e, openai_families.OPENAI_V1)),
    "/openai/v1/responses": ("POST", lambda e: responses_route.create(e, openai_families.OPENAI_V1)),
    "/openai/responses": ("POST", lambda e: responses_route.create(e, openai_families.DATED_RESPONSES)),
    "/v1/responses/ID": ("GET", responses_route.get),
    "/openai/v1/responses/ID": ("GET", responses_route.get),
    "/openai/responses/ID": ("GET", responses_route.get),
    "/v1/responses/ID/cancel": ("POST", responses_route.cancel),
    "/openai/v1/responses/ID/cancel": ("POST", responses_route.cancel),
    "/openai/responses/ID/cancel": ("POST", responses_route.cancel),
    "/anthropic/v1/messages": ("POST", anthropic_routes.messages),
    "/anthropic/v1/messages/count_tokens": ("POST", anthropic_routes.count_tokens),
    "/v1/embeddings": ("POST", lambda e: embeddings.embed(e, openai_families.V1)),
    "/openai/v1/embeddings": ("POST", lambda e: embeddings.embed(e, openai_families.OPENAI_V1)),
    "/openai/deployments/embeddings": ("POST", lambda e: embeddings.embed(e, openai_families.AZURE_OPENAI)),
    "/generate": ("POST", tgi_routes.generate),
    "/generate_stream": ("POST", tgi_routes.generate_stream),
    "/swagger.json": ("GET", swagger_documents.swagger),
    "/info": ("GET", about.show_info),
    "/v1/models": ("GET", about.list_models),
    "/openai/v1/models": ("GET", about.list_models),
    "/": ("GET", about.show_health),
    "/emulator": ("GET", about.describe_emulator),
}


def route_request(request: RecordedRequest) -> RoutedRequest | HttpResponse:
    """Return the request with its route and deployment, or Azure's 404 if the pinned deployment does not exist."""
    path, in_path, pin, item_id = _PROJECT.sub("", request.path, count=1), "", "", ""
    kubernetes = _KUBERNETES.match(path)
    if kubernetes:
        path = path[kubernetes.end() :] or "/"
        # An endpoint with the name of a deployment serves that one, so that a URL alone can choose a wire format.
        pin = unquote(kubernetes[1]) if unquote(kubernetes[1]) in DEPLOYMENTS else ""
    azure_openai = _AZURE_OPENAI.match(path)
    if azure_openai:
        path, in_path = f"/openai/deployments{azure_openai[2]}", unquote(azure_openai[1])
    managed_compute = _MANAGED_COMPUTE.match(path)
    if managed_compute:
        path, in_path = f"/v1{path[managed_compute.end() :]}", unquote(managed_compute[1])
    response = _RESPONSE.match(path)
    if response:
        path, item_id = f"{response[1]}/ID{response[3] or ''}", unquote(response[2])
    query = parse_query(request.query)
    pin = request.headers.get("azureml-model-deployment") or query.get("emulator-deployment") or pin
    deployment = DEPLOYMENTS.get(pin, BLUE) if not pin or pin in DEPLOYMENTS else None
    if deployment is None:
        return HttpResponse.text(NO_TRAFFIC, 404)
    route = path if path == "/" else path.rstrip("/")
    if in_path in DEPLOYMENTS and not pin:
        deployment = DEPLOYMENTS[in_path]
    return RoutedRequest(request, route, deployment, bool(pin), in_path, item_id, _query=query)


def is_project(request: RecordedRequest) -> bool:
    """Return whether the path is that of a Foundry project."""
    return _PROJECT.match(request.path) is not None


def refuse_key(request: RecordedRequest) -> HttpResponse:
    """Return the 401 of the service that the path belongs to."""
    if "/anthropic/" in request.path:
        return anthropic_routes.invalid_key(request)
    if is_project(request):
        message = "Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."
        return HttpResponse.flask({"error": {"code": "Unauthorized", "message": message}}, 401)
    return unauthorized()


def handle(routed: RoutedRequest) -> HttpResponse:
    """Return the deployment's response to a request."""
    method, handler = _HANDLERS.get(routed.route, ("", None))
    if handler is None or not (routed.route == "/emulator" or serves(routed.deployment, routed.route)):
        return model_error(_not_found(routed))
    method_sent = routed.request.method
    if method_sent not in (method, "HEAD" if method == "GET" else method):
        return HttpResponse.fastapi({"detail": "Method Not Allowed"}, 405, headers={"allow": method})
    return handler(routed)


def _not_found(routed: RoutedRequest) -> HttpResponse:
    """Return the container's own 404: Flask's for azureml-inference-server-http, otherwise FastAPI's."""
    if routed.deployment.swagger in ("mlflow", "text", "strings", "dolly", "inputs", "hf"):
        message = (
            "The requested URL was not found on the server. "
            "If you entered the URL manually please check your spelling and try again."
        )
        return HttpResponse.flask({"message": message}, 404)
    return HttpResponse.fastapi({"detail": "Not Found"}, 404)
