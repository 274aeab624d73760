"""What Azure Resource Manager or a Foundry project refused -> one exception, with the action and the role. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    BadRequestError,
    EndpointError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from azml_magics.core.http import error_body
from azml_magics.core.http.error_headers import request_id, retry_after
from azml_magics.core.text import one_line

from .roles import action_of, role_for

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_BODY = 64 * 1024
_ACTION = re.compile(r"(?:perform action|data action|action)s? [`'\"]([\w./*-]+)[`'\"]", re.IGNORECASE)
_SCOPE = re.compile(r"over scope [`'\"]([^`'\"]+)[`'\"]", re.IGNORECASE)
_NETWORK = re.compile(r"virtual network|firewall|private endpoint|public (network )?access|\bIP address", re.IGNORECASE)
_NO_ROLE = re.compile(r"does not have (access|authorization|permission)|lacks the required", re.IGNORECASE)
_NO_KEYS = re.compile(r"disableLocalAuth|local auth\w* is disabled|key[- ]based authentication", re.IGNORECASE)
_TENANT = re.compile(r"must match the tenant '?\"?https://[^/]+/([\w.-]+)/", re.IGNORECASE)
_NOT_OFFERED = {
    "InvalidApiVersionParameter",
    "InvalidResourceType",
    "MissingSubscriptionRegistration",
    "NoRegisteredProviderFound",
    "SubscriptionNotRegistered",
    "UnsupportedApiVersion",
}
_HINT = "Check the name, and the subscription and tenant that you are signed in to."


@dataclass(frozen=True)
class RestRefusal:
    """A response of a service of Azure's control plane that is no success.

    Attributes:
        service: The service's name for messages, such as "Azure Resource Manager".
        host: Its host.
        method: The method of the request.
        path: The path of the request.
        status: The status of the response.
        headers: Its headers, by lower-case name.
        body: Its body.
    """

    service: str
    host: str
    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body[:_MAX_BODY].decode("utf-8", "replace")

    def to_error(self) -> AzmlError:
        """Return the exception for it."""
        if is_html(self.body):
            return html_error(self)
        value = error_body.parse(self.text)
        codes, message = error_body.codes_of(value), error_body.message_of(value)
        if _NO_KEYS.search(message):
            cause, remedy = "Keys are switched off for this resource", "Use the key reference entra."
            return self._error(PermissionDeniedError, cause, remedy, "key-auth-disabled", message)
        if self.status in {401, 403}:
            return self._rights_error(message)
        what = last_names(self.path)
        if self.status == 404 or codes & _NOT_OFFERED:
            is_offered = not codes & _NOT_OFFERED
            cause = f"{self.service} does not {'know' if is_offered else 'offer'} {what}"
            code = "resource-not-found" if is_offered else "not-offered"
            return self._error(NotFoundError, cause, _HINT, code, message)
        if self.status == 429:
            cause, remedy = f"{self.service} limits the requests of this sign-in", "Wait, and ask for less at a time."
            return self._error(RateLimitError, cause, remedy, "control-plane-throttled", message)
        if self.status >= 500:
            kind: type[EndpointError] = ServiceUnavailableError
            cause, remedy = f"{self.service} failed at {what}", "Try again in a minute."
        else:
            kind, cause, remedy = BadRequestError, f"{self.service} rejected the request for {what}", ""
        return self._error(kind, cause, remedy, "control-plane-failed", message)

    def _rights_error(self, message: str) -> EndpointError:
        """Return the error for a 401 or 403. A project says 401 where a role is missing, too."""
        if self.status == 401 and not _NO_ROLE.search(message):
            return self._sign_in_error(message)
        return self._network_error(message) if _NETWORK.search(message) else self._role_error(message)

    def _sign_in_error(self, message: str) -> EndpointError:
        tenant = _TENANT.search(message)
        if tenant:
            cause = f"{self.service} expects a sign-in to the tenant {tenant[1]}, and yours is for another one"
            remedy = f"Name that tenant, or sign in to it with `az login --tenant {tenant[1]}`."
            return self._error(AuthenticationError, cause, remedy, "wrong-tenant", message, tenant=tenant[1])
        cause = f"{self.service} does not accept your sign-in"
        remedy = "Sign in again with `az login`."
        if "expir" in message:  # a new token was asked for before
            remedy = "Check this machine's clock: the token is new. Or sign in again with `az login`."
        return self._error(AuthenticationError, cause, remedy, "sign-in-refused", message)

    def _network_error(self, message: str) -> EndpointError:
        cause = f"{self.service} does not allow the network of this machine"
        remedy = "Run this inside the virtual network, or have this machine's address added to the firewall's rules."
        return self._error(PermissionDeniedError, cause, remedy, "network-blocked", message)

    def _role_error(self, message: str) -> EndpointError:
        named, scope = _ACTION.search(message), _SCOPE.search(message)
        action = named[1] if named else action_of(self.method, self.path)
        role = role_for(action) or ("" if action else "Foundry User (before: Azure AI User)")
        where = resource_of(scope[1] if scope else self.path)
        cause = f"Your sign-in lacks {action or 'the right to read'} on {where}"
        wanted = f"the role {role}" if role else "a role with this action"
        remedy = f"Have {wanted} assigned on it, and wait five minutes."
        return self._error(PermissionDeniedError, cause, remedy, "role-missing", "", role=role, action=action)

    def _error(
        self, kind: type[EndpointError], cause: str, remedy: str, error_code: str, message: str, **facts: Any
    ) -> EndpointError:
        said = f": {one_line(message, 300)}" if message else ""
        return kind(
            f"{cause} ({self.status}){said}",
            remedy=remedy,
            error_code=error_code,
            facts=facts,
            status=self.status,
            headers=self.headers,
            body=self.text,
            retry_after=retry_after(self.headers, message),
            request_id=request_id(self.headers),
        )


def is_html(body: bytes) -> bool:
    """Whether a body is a web page, which none of these services sends."""
    return body.lstrip()[:1] == b"<"


def html_error(refusal: RestRefusal) -> APIConnectionError:
    """Return the error for a web page in place of a response, whatever its status."""
    page = error_body.message_of(error_body.parse(refusal.text))
    return APIConnectionError(
        f"Not {refusal.service} but something in between answered for {refusal.host} ({refusal.status}): {page}",
        remedy="It may be a proxy or the network's sign-in page: check HTTPS_PROXY and NO_PROXY, or ask who runs the "
        f"network to allow {refusal.host}.",
        error_code="control-plane-html",
        facts={"host": refusal.host},
    )


def resource_of(path: str) -> str:
    """Return the resource that a path is about, as "accounts/NAME": a list belongs to the resource above it."""
    parent, provider, rest = path.partition("?")[0].strip("/").rpartition("/providers/")
    words = rest.split("/")  # after a provider: its name, then pairs of a type and a name
    if not provider:
        is_resource = rest.lower().startswith("subscriptions/") and len(words) % 2 == 0
    else:
        is_resource = len(words) % 2 == 1
    if is_resource:
        return last_names(rest)
    above = "/".join(words[:-1])
    return last_names(above if "/" in above else parent or above or rest)


def last_names(path: str) -> str:
    """Return the end of a resource's path, as "accounts/NAME": what a message shows of it."""
    return "/".join(path.partition("?")[0].strip("/").split("/")[-2:])
