"""The emulated Resource Manager: subscriptions, lists of resources in pages, single ones, listKeys and token.

Errors are those of Azure's documentation, with their codes; a 401 carries the challenge that says how to sign in.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

from azml_magics.emulator.control_plane.calls import bearer_of, page, refuse
from azml_magics.emulator.control_plane.issued_tokens import OBJECT_ID, TENANT
from azml_magics.emulator.control_plane.resources import ResourceId, parse_id
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.routed_request import parse_query

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.control_plane.issued_tokens import Problem
    from azml_magics.emulator.control_plane.resources import Document
    from azml_magics.emulator.recorded_requests import RecordedRequest

AUDIENCES = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.chinacloudapi.cn",
    "https://management.core.chinacloudapi.cn",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net",
)
AML_TOKEN_LIFETIME = 3600
_PERMISSIONS = "/providers/microsoft.authorization/permissions"
_PROXY_PAGE = (
    "<!doctype html><html><head><title>Contoso Web Gateway</title></head>"
    "<body><p>Sign in to use the internet.</p></body></html>"
)


class ResourceManagerApi:
    """Azure Resource Manager with the resources of the tenant."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def respond(self, request: RecordedRequest) -> HttpResponse | None:
        """Return the response to a call, or None if the path is not one of Resource Manager."""
        if request.path.rstrip("/").lower() != "/subscriptions" and not request.path.lower().startswith(
            "/subscriptions/"
        ):
            return None
        response = self._refuse(request) or self._dispatch(request, parse_query(request.query))
        response.delay = self._services.faults.latency
        return response

    def _refuse(self, request: RecordedRequest) -> HttpResponse | None:
        """Return the refusal of a call before it is looked at: a proxy's, a token's, or that of throttling."""
        faults, tokens, token = self._services.faults, self._services.tokens, bearer_of(request)
        if faults.html_proxy:
            return HttpResponse.text(_PROXY_PAGE, faults.html_proxy, "text/html; charset=utf-8")
        audiences = (*AUDIENCES, self._services.url)
        problem = tokens.find_problem(token, audiences)
        if problem is None and faults.take("revoked"):
            tokens.revoke(token)
            problem = "revoked"
        if problem is not None:
            return self._challenge(problem)
        if faults.take("throttled"):
            headers = {"retry-after": str(faults.retry_after), "x-ms-ratelimit-remaining-subscription-reads": "0"}
            message = (
                "Number of requests for subscription exceeded the limit of '1200' for time interval '01:00:00'. "
                f"Please try again after '{faults.retry_after}' seconds."
            )
            return refuse(429, "SubscriptionRequestsThrottled", message, headers)
        if "api-version" not in parse_query(request.query):
            message = "The api-version query parameter (?api-version=) is required for all requests."
            return refuse(400, "MissingApiVersionParameter", message)
        return None

    def _challenge(self, problem: Problem) -> HttpResponse:
        authority = f"{self._services.login_url}/{TENANT}"
        code, message = _PROBLEMS[problem]
        if problem == "revoked":
            wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}}
            claims = base64.b64encode(json.dumps(wanted).encode()).decode()
            challenge = (
                f'Bearer realm="", authorization_uri="{authority}/oauth2/authorize", '
                f'error="insufficient_claims", claims="{claims}"'
            )
        else:
            challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
        return refuse(401, code, message, {"www-authenticate": challenge})

    def _dispatch(self, request: RecordedRequest, query: dict[str, str]) -> HttpResponse:
        if request.path.rstrip("/").lower() == "/subscriptions":
            return page(self._services, self._services.subscriptions, request, query)
        if request.path.lower().endswith(_PERMISSIONS):
            return self._list_permissions(request.path[: -len(_PERMISSIONS)])
        path, _, operation = request.path.rstrip("/").rpartition("/")
        if request.method == "POST":
            return self._act(parse_id(path), operation)
        asked = parse_id(request.path)
        if asked is None or request.method != "GET":
            return refuse(404, "InvalidResourceType", f"No resource type has the path {request.path[:200]}.")
        missing = self._find_missing(asked) or self._deny(asked, f"{asked.type}/read")
        if missing is not None:
            return missing
        if asked.name:
            return HttpResponse.flask(self._services.resources.find(asked.text))
        return page(self._services, self._services.resources.list_in(asked), request, query)

    def _list_permissions(self, scope: str) -> HttpResponse:
        """Return what the roles of the identity allow at `scope`: everything but what is denied."""
        denied = self._services.faults.denied_at(scope)
        permissions = {"actions": ["*"], "notActions": denied, "dataActions": ["*"], "notDataActions": denied}
        return HttpResponse.flask({"value": [permissions]})

    def _find_missing(self, asked: ResourceId) -> HttpResponse | None:
        """Return the 404 if the subscription, the resource or the parent of the collection does not exist."""
        known = [subscription["subscriptionId"] for subscription in self._services.subscriptions]
        if asked.subscription.lower() not in known:
            message = f"The subscription '{asked.subscription}' could not be found."
            return refuse(404, "SubscriptionNotFound", message)
        wanted = asked.text if asked.name else asked.parent
        is_resource = asked.name or asked.type.count("/") > 1
        if is_resource and self._services.resources.find(wanted) is None:
            kind, _, name = wanted.rpartition("/providers/")[2].rpartition("/")
            message = f"The Resource '{kind}/{name}' under resource group '{asked.group}' was not found."
            return refuse(404, "ResourceNotFound", message)
        return None

    def _deny(self, asked: ResourceId, action: str) -> HttpResponse | None:
        if not self._services.faults.denies(action, asked.text):
            return None
        message = (
            f"The client '{OBJECT_ID}' with object id '{OBJECT_ID}' does not have authorization to perform action "
            f"'{action}' over scope '{asked.text}' or the scope is invalid. If access was recently granted, please "
            "refresh your credentials."
        )
        return refuse(403, "AuthorizationFailed", message)

    def _act(self, asked: ResourceId | None, operation: str) -> HttpResponse:
        """Return the response to POST …/listKeys and POST …/token."""
        if asked is None or operation not in ("listKeys", "token"):
            return refuse(404, "InvalidResourceType", f"There is no operation {operation[:60]}.")
        missing = self._find_missing(asked) or self._deny(asked, f"{asked.type}/{operation}/action")
        if missing is not None:
            return missing
        document = self._services.resources.find(asked.text) or {}
        return self._issue_token(document) if operation == "token" else self._list_keys(document)

    def _list_keys(self, document: Document) -> HttpResponse:
        properties = document["properties"]
        if properties.get("disableLocalAuth"):
            return refuse(400, "BadRequest", "Failed to list key. disableLocalAuth is set to be true")
        if properties.get("authMode", "Key") not in ("Key", "KeyAndAAD"):
            message = f"Keys are not available: the endpoint's authMode is {properties['authMode']}."
            return refuse(400, "BadRequest", message)
        names = ("primaryKey", "secondaryKey") if "authMode" in properties else ("key1", "key2")
        derive = self._services.tokens.derive_key
        return HttpResponse.flask({name: derive(document["id"], number) for number, name in enumerate(names, 1)})

    def _issue_token(self, document: Document) -> HttpResponse:
        if document["properties"].get("authMode") != "AMLToken":
            return refuse(400, "BadRequest", "Tokens are not available: the endpoint's authMode is not AMLToken.")
        lifetime = min(AML_TOKEN_LIFETIME, self._services.faults.token_lifetime)
        token = self._services.tokens.issue(document["id"], lifetime=lifetime)
        data = {
            "accessToken": token.text,
            "tokenType": "Bearer",
            "expiryTimeUtc": token.expires_on,
            "refreshAfterTimeUtc": token.expires_on - lifetime // 2,
        }
        return HttpResponse.flask(data)


_PROBLEMS: dict[Problem, tuple[str, str]] = {
    "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
    "invalid": ("InvalidAuthenticationToken", "The access token is invalid."),
    "expired": ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    "audience": (
        "InvalidAuthenticationTokenAudience",
        "The access token has been obtained for wrong audience or resource. It should exactly match with one of the "
        "allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net',"
        "'https://management.azure.com/','https://management.azure.com'.",
    ),
    "tenant": (
        "InvalidAuthenticationTokenTenant",
        "The access token is from the wrong issuer. It must match the tenant "
        f"'https://sts.windows.net/{TENANT}/' associated with this subscription.",
    ),
    "revoked": ("AuthenticationFailed", "The access token has been revoked."),
}
