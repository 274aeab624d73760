"""The endpoints of the emulated resources: they check key, token and role, and the emulator responds."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.control_plane.calls import bearer_of, refuse
from azml_magics.emulator.control_plane.contoso import ACCOUNT, ML
from azml_magics.emulator.control_plane.project import AI_AUDIENCES, refuse_data_action, refuse_token
from azml_magics.emulator.fault_responses import NO_TRAFFIC, unauthorized
from azml_magics.emulator.http_response import HttpResponse

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.control_plane.resources import Document
    from azml_magics.emulator.recorded_requests import RecordedRequest

ML_AUDIENCES = ("https://ml.azure.com", "https://ml.azure.us", "https://ml.azure.cn")
_COGNITIVE = (
    "https://cognitiveservices.azure.com", "https://cognitiveservices.azure.us", "https://cognitiveservices.azure.cn",
)  # fmt: skip
_ACCOUNT_ACTION = f"{ACCOUNT}/OpenAI/deployments/chat/completions/action"
_SCORE_ACTION = f"{ML}/onlineEndpoints/score/action"
_IN_PATH = re.compile(r"(/managed-deployments|/openai/deployments)/([^/]+)/")
_KEYS_DISABLED = "Key based authentication is disabled for this resource."
_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)


@dataclass(frozen=True)
class Forward:
    """A request that was let through: the path that the emulator gets, and the deployment that it is pinned to."""

    path: str
    deployment: str = ""


class ModelEndpoints:
    """The endpoints of accounts, online endpoints and serverless endpoints, by the first part of the path."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def check(self, request: RecordedRequest) -> Forward | HttpResponse:
        """Return where the emulator responds to a request, or its refusal."""
        _, name, rest = f"{request.path}//".split("/", 2)
        path = f"/{rest.rstrip('/')}"
        for kind, check in (
            (ACCOUNT, self._check_account),
            (f"{ML}/onlineEndpoints", self._check_online_endpoint),
            (f"{ML}/serverlessEndpoints", self._check_serverless_endpoint),
        ):
            found = [one for one in self._services.resources.with_type(kind) if one["name"] == name]
            if found:
                return check(found[0], request, path)
        return refuse(404, "ResourceNotFound", f"No endpoint of this emulated tenant has the name {name[:60]}.")

    def _check_account(self, account: Document, request: RecordedRequest, path: str) -> Forward | HttpResponse:
        refused = self._refuse_account(account, request, path)
        if refused is not None:
            return refused
        in_path = _IN_PATH.match(path)
        model = in_path[2] if in_path else _model_of(request)
        kind = "managedComputeDeployments" if in_path and "managed" in in_path[1] else "deployments"
        deployment = self._services.resources.find(f"{account['id']}/{kind}/{model}")
        if request.method == "POST" and deployment is None:
            return refuse(404, "DeploymentNotFound", _NO_DEPLOYMENT)
        return Forward(path)

    def _refuse_account(self, account: Document, request: RecordedRequest, path: str) -> HttpResponse | None:
        if path.startswith("/api/projects/"):
            return refuse_token(self._services, request) or self._refuse_role(account, request, path)
        key_headers = ("x-api-key", "api-key") if path.startswith("/anthropic/") else ("api-key",)
        offered = [request.headers.get(name, "") for name in key_headers]
        token = bearer_of(request)
        if self._is_key(account, [*offered, token]):
            if account["properties"]["disableLocalAuth"]:
                return refuse(403, "AuthenticationTypeDisabled", _KEYS_DISABLED)
            return None
        if any(offered) or not token:
            return unauthorized()
        if self._services.tokens.find_problem(token, (*AI_AUDIENCES, *_COGNITIVE)) is not None:
            return unauthorized("audience")
        return self._refuse_role(account, request, path)

    def _refuse_role(self, account: Document, request: RecordedRequest, path: str) -> HttpResponse | None:
        return refuse_data_action(self._services, _ACCOUNT_ACTION, account["id"], f"{request.method} {path}")

    def _check_online_endpoint(self, endpoint: Document, request: RecordedRequest, path: str) -> Forward | HttpResponse:
        properties, token = endpoint["properties"], bearer_of(request)
        audiences = {"AMLToken": (endpoint["id"],), "AADToken": ML_AUDIENCES}.get(properties["authMode"])
        if audiences is None:
            if not self._is_key(endpoint, [token]):
                return unauthorized("empty")
        elif self._services.tokens.find_problem(token, audiences) is not None:
            return unauthorized("empty")
        elif properties["authMode"] == "AADToken" and self._services.faults.denies(_SCORE_ACTION, endpoint["id"]):
            return refuse(403, "Forbidden", f"The identity does not have the data action {_SCORE_ACTION}.")
        return self._route(endpoint, request, path)

    def _route(self, endpoint: Document, request: RecordedRequest, path: str) -> Forward | HttpResponse:
        properties = endpoint["properties"]
        traffic: dict[str, int] = properties["traffic"]
        pinned = request.headers.get("azureml-model-deployment", "")
        # A deployment without traffic responds to a request that names it.
        exists = self._services.resources.find(f"{endpoint['id']}/deployments/{pinned}") is not None
        if not (exists if pinned else traffic):
            return HttpResponse.text(NO_TRAFFIC, 404)
        if properties["provisioningState"] != "Succeeded":
            return HttpResponse.text("no healthy upstream", 503)
        return Forward(path, pinned or max(traffic, key=lambda name: traffic[name]))

    def _check_serverless_endpoint(
        self, endpoint: Document, request: RecordedRequest, path: str
    ) -> Forward | HttpResponse:
        return Forward(path) if self._is_key(endpoint, [bearer_of(request)]) else unauthorized("apim")

    def _is_key(self, document: Document, offered: list[str]) -> bool:
        keys = [self._services.tokens.derive_key(document["id"], number).encode() for number in (1, 2)]
        return any(hmac.compare_digest(one.encode("latin-1", "replace"), key) for one in offered for key in keys)


def _model_of(request: RecordedRequest) -> str:
    try:
        body: Any = json.loads(request.body)
    except ValueError:
        return ""
    return str(body.get("model", "")) if isinstance(body, dict) else ""
