"""One call of the control plane, and how its services refuse one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from azml_magics.emulator.http_response import HttpResponse

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.faults import ControlPlaneFaults
    from azml_magics.emulator.control_plane.issued_tokens import Tokens
    from azml_magics.emulator.control_plane.resources import Document, Resources
    from azml_magics.emulator.recorded_requests import RecordedRequest


@dataclass
class Services:
    """What the services of the control plane share.

    Attributes:
        url: The URL of the control plane over http.
        login_url: The URL of the login: over https if there is a certificate.
        faults: What goes wrong.
        tokens: The tokens of the tenant.
        subscriptions: The subscriptions that the signed-in identity sees.
        resources: The resources in them.
        vault: The secrets of the key vault, by name.
        page_size: How many resources a page of a list has.
    """

    url: str
    login_url: str
    faults: ControlPlaneFaults
    tokens: Tokens
    subscriptions: list[Document]
    resources: Resources
    vault: dict[str, str]
    page_size: int


def bearer_of(request: RecordedRequest) -> str:
    """Return the Bearer token of a request, or ""."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def form_of(request: RecordedRequest) -> dict[str, str]:
    """Return the fields of a form."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def refuse(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return an error as Azure's services write it."""
    return HttpResponse.flask({"error": {"code": code, "message": message}}, status, headers=headers or {})


def page(services: Services, items: list[Any], request: RecordedRequest, query: dict[str, str]) -> HttpResponse:
    """Return a page of a list, with the URL of the next page in nextLink."""
    skip = query.get("$skiptoken", "")
    start = int(skip) if skip.isdecimal() else 0
    end = start + services.page_size
    body: dict[str, Any] = {"value": items[start:end]}
    if end < len(items):
        version = query.get("api-version", "")
        body["nextLink"] = f"{services.url}{request.path}?api-version={version}&$skiptoken={end}"
    return HttpResponse.flask(body)
