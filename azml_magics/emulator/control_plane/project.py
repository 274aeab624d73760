"""The emulated data plane of a Foundry project: its deployments and connections, without rights in Resource Manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.control_plane.calls import bearer_of, page, refuse
from azml_magics.emulator.control_plane.contoso import ACCOUNT
from azml_magics.emulator.control_plane.issued_tokens import OBJECT_ID
from azml_magics.emulator.routed_request import parse_query

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.control_plane.resources import Document
    from azml_magics.emulator.http_response import HttpResponse
    from azml_magics.emulator.recorded_requests import RecordedRequest

AI_AUDIENCES = ("https://ai.azure.com", "https://ai.azure.us", "https://ai.azure.cn")
_PATH = re.compile(r"/([^/]+)/api/projects/([^/]+)/(deployments|connections)")
_CAPABILITIES = {"chatCompletion": "chat_completion"}


def refuse_token(services: Services, request: RecordedRequest) -> HttpResponse | None:
    """Return Foundry's 401 unless the request carries a token for Foundry."""
    if services.tokens.find_problem(bearer_of(request), AI_AUDIENCES) is None:
        return None
    message = "Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."
    return refuse(401, "Unauthorized", message)


def refuse_data_action(services: Services, action: str, scope: str, operation: str) -> HttpResponse | None:
    """Return Foundry's refusal if the identity has no role with a data action."""
    if not services.faults.denies(action, scope):
        return None
    message = (
        f"The principal `{OBJECT_ID}` lacks the required data action `{action}` to perform `{operation}` operation."
    )
    return refuse(401, "PermissionDenied", message)


class ProjectApi:
    """GET …/api/projects/PROJECT/deployments and …/connections."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def respond(self, request: RecordedRequest) -> HttpResponse | None:
        """Return the response to a call, or None if the path is not one of a project's own."""
        match = _PATH.fullmatch(request.path.rstrip("/"))
        if match is None:
            return None
        account_name, project, what = match.groups()
        found = [one for one in self._services.resources.with_type(f"{ACCOUNT}/projects")
                 if one["name"] == f"{account_name}/{project}"]  # fmt: skip
        refused = refuse_token(self._services, request)
        if refused is not None:
            return refused
        if not found:
            return refuse(404, "NotFound", f"The project {project[:60]} does not exist.")
        action = f"{ACCOUNT}/AIServices/{what}/read"
        operation = f"GET /api/projects/{{projectName}}/{what}"
        denied = refuse_data_action(self._services, action, found[0]["id"], operation)
        if denied is not None:
            return denied
        query = parse_query(request.query)
        if "api-version" not in query:
            return refuse(400, "BadRequest", "The api-version query parameter is required.")
        items = self._deployments(found[0]) if what == "deployments" else self._connections(found[0])
        return page(self._services, items, request, query)

    def _deployments(self, project: Document) -> list[dict[str, Any]]:
        account = project["id"].rpartition("/projects/")[0]
        return [
            {
                "name": one["name"],
                "type": "ModelDeployment",
                "modelName": one["properties"]["model"]["name"],
                "modelVersion": one["properties"]["model"]["version"],
                "modelPublisher": one["properties"]["model"]["format"],
                "capabilities": {
                    _CAPABILITIES.get(name, name): value for name, value in one["properties"]["capabilities"].items()
                },
                "sku": {**one["sku"], "family": "", "size": "", "tier": ""},
                "connectionName": None,
            }
            for one in self._services.resources.with_type(f"{ACCOUNT}/deployments")
            if one["id"].startswith(f"{account}/") and one["properties"]["provisioningState"] == "Succeeded"
        ]

    def _connections(self, project: Document) -> list[dict[str, Any]]:
        return [
            {
                "name": one["name"],
                "id": one["id"],
                "type": one["properties"]["category"],
                "target": one["properties"]["target"],
                "isDefault": True,
                "credentials": {"type": one["properties"]["authType"]},
                "metadata": one["properties"]["metadata"],
            }
            for one in self._services.resources.with_type(f"{ACCOUNT}/projects/connections")
            if one["id"].startswith(f"{project['id']}/")
        ]
