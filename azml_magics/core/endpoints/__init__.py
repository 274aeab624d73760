"""What an endpoint's URL tells: its origin, kind and route, and the URL and headers of a request. Nothing is sent."""

from __future__ import annotations

from .origin import Origin, is_loopback, split
from .urls import (
    ApiType,
    Kind,
    api_type_of,
    auth_headers,
    entra_resource,
    kind_of,
    needs_model,
    request_url,
    route_of,
)

__all__ = [
    "ApiType",
    "Kind",
    "Origin",
    "api_type_of",
    "auth_headers",
    "entra_resource",
    "is_loopback",
    "kind_of",
    "needs_model",
    "request_url",
    "route_of",
    "split",
]
