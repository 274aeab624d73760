"""Routes: the handler and the deployment for each request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from azml_magics.emulator import about, openai_families, openai_routes, score, swagger_documents, tgi_routes
from azml_magics.emulator.deployments import BLUE, DEPLOYMENTS, serves
from azml_magics.emulator.fault_responses import NO_TRAFFIC
from azml_magics.emulator.http_response import HttpResponse, model_error
from azml_magics.emulator.routed_request import RoutedRequest, parse_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.recorded_requests import RecordedRequest

_KUBERNETES = re.compile(r"/api/v1/endpoint/([^/]+)(?=/|\Z)")
_AZURE_OPENAI = re.compile(r"/openai/deployments/([^/]+)(/(?:chat/)?completions)\Z")

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
    "/generate": ("POST", tgi_routes.generate),
    "/generate_stream": ("POST", tgi_routes.generate_stream),
    "/swagger.json": ("GET", swagger_documents.swagger),
    "/info": ("GET", about.show_info),
    "/v1/models": ("GET", about.list_models),
    "/": ("GET", about.show_health),
    "/emulator": ("GET", about.describe_emulator),
}


def route_request(request: RecordedRequest) -> RoutedRequest | HttpResponse:
    """Return the request with its route and deployment, or Azure's 404 if the pinned deployment does not exist."""
    path, in_path, pin = request.path, "", ""
    kubernetes = _KUBERNETES.match(path)
    if kubernetes:
        path = path[kubernetes.end() :] or "/"
        # An endpoint with the name of a deployment serves that one, so that a URL alone can choose a wire format.
        pin = unquote(kubernetes[1]) if unquote(kubernetes[1]) in DEPLOYMENTS else ""
    azure_openai = _AZURE_OPENAI.match(path)
    if azure_openai:
        path, in_path = f"/openai/deployments{azure_openai[2]}", unquote(azure_openai[1])
    query = parse_query(request.query)
    pin = request.headers.get("azureml-model-deployment") or query.get("emulator-deployment") or pin
    deployment = DEPLOYMENTS.get(pin, BLUE) if not pin or pin in DEPLOYMENTS else None
    if deployment is None:
        return HttpResponse.text(NO_TRAFFIC, 404)
    route = path if path == "/" else path.rstrip("/")
    if in_path in DEPLOYMENTS and not pin:
        deployment = DEPLOYMENTS[in_path]
    return RoutedRequest(request, route, deployment, bool(pin), in_path, query)


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
