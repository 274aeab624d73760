"""Which handler answers a path, and for which deployment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from azml_magics.emulator import about, dialects, openai, swagger, tgi
from azml_magics.emulator.deployments import BLUE, DEPLOYMENTS, serves
from azml_magics.emulator.exchange import Exchange, parse_query
from azml_magics.emulator.failures import NO_TRAFFIC
from azml_magics.emulator.reply import Reply, model_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.recording import RecordedRequest

_KUBERNETES = re.compile(r"/api/v1/endpoint/([^/]+)(?=/|\Z)")
_AZURE_OPENAI = re.compile(r"/openai/deployments/([^/]+)(/(?:chat/)?completions)\Z")

PUBLIC = ("/", "/emulator")
"""The routes that need no key."""

_HANDLERS: dict[str, tuple[str, Callable[[Exchange], Reply]]] = {
    "/score": ("POST", dialects.score),
    "/completions": ("POST", lambda e: openai.completion(e, openai.INFERENCE)),
    "/chat/completions": ("POST", lambda e: openai.chat(e, openai.INFERENCE)),
    "/v1/completions": ("POST", lambda e: openai.completion(e, openai.V1)),
    "/v1/chat/completions": ("POST", lambda e: openai.chat(e, openai.V1)),
    "/models/chat/completions": ("POST", lambda e: openai.chat(e, openai.MODELS)),
    "/openai/v1/completions": ("POST", lambda e: openai.completion(e, openai.OPENAI_V1)),
    "/openai/v1/chat/completions": ("POST", lambda e: openai.chat(e, openai.OPENAI_V1)),
    "/openai/deployments/completions": ("POST", lambda e: openai.completion(e, openai.AZURE_OPENAI)),
    "/openai/deployments/chat/completions": ("POST", lambda e: openai.chat(e, openai.AZURE_OPENAI)),
    "/generate": ("POST", tgi.generate),
    "/generate_stream": ("POST", tgi.generate_stream),
    "/swagger.json": ("GET", swagger.swagger),
    "/info": ("GET", about.info),
    "/v1/models": ("GET", about.models),
    "/": ("GET", about.health),
    "/emulator": ("GET", about.emulator),
}


def open_exchange(request: RecordedRequest) -> Exchange | Reply:
    """The request with its route and deployment; Azure's 404 when the deployment pinned does not exist."""
    path, in_path, pin = request.path, "", ""
    kubernetes = _KUBERNETES.match(path)
    if kubernetes:
        path = path[kubernetes.end() :] or "/"
        # An endpoint that bears the name of a deployment serves that one: a URL alone can choose a dialect.
        pin = unquote(kubernetes[1]) if unquote(kubernetes[1]) in DEPLOYMENTS else ""
    azure_openai = _AZURE_OPENAI.match(path)
    if azure_openai:
        path, in_path = f"/openai/deployments{azure_openai[2]}", unquote(azure_openai[1])
    query = parse_query(request.query)
    pin = request.headers.get("azureml-model-deployment") or query.get("emulator-deployment") or pin
    deployment = DEPLOYMENTS.get(pin, BLUE) if not pin or pin in DEPLOYMENTS else None
    if deployment is None:
        return Reply.text(NO_TRAFFIC, 404)
    route = path if path == "/" else path.rstrip("/")
    if in_path in DEPLOYMENTS and not pin:
        deployment = DEPLOYMENTS[in_path]
    return Exchange(request, route, deployment, bool(pin), in_path, query)


def handle(exchange: Exchange) -> Reply:
    """The reply of the deployment to the request."""
    method, handler = _HANDLERS.get(exchange.route, ("", None))
    if handler is None or not (exchange.route == "/emulator" or serves(exchange.deployment, exchange.route)):
        return model_error(_not_found(exchange))
    asked = exchange.request.method
    if asked not in (method, "HEAD" if method == "GET" else method):
        return Reply.fastapi({"detail": "Method Not Allowed"}, 405, headers={"allow": method})
    return handler(exchange)


def _not_found(exchange: Exchange) -> Reply:
    """A container's own 404: Flask's words where azureml-inference-server-http runs, else FastAPI's."""
    if exchange.deployment.swagger in ("mlflow", "text", "strings", "dolly", "inputs", "hf"):
        message = (
            "The requested URL was not found on the server. "
            "If you entered the URL manually please check your spelling and try again."
        )
        return Reply.flask({"message": message}, 404)
    return Reply.fastapi({"detail": "Not Found"}, 404)
