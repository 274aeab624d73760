"""What an endpoint's URL tells: its origin, kind and route, and the URL and headers of a request. Nothing is sent."""

from __future__ import annotations

from .location import is_azure_host, notices_of, route_of, service_of
from .origin import Origin, is_loopback, split
from .table import TABLE, Kind, Service
from .urls import (
    ApiType,
    api_type_of,
    auth_headers,
    base_of,
    ends_in,
    entra_resource,
    entra_scope,
    formatters_for,
    is_inference_api,
    kind_of,
    needs_model,
    replace_route,
    request_url,
)

__all__ = [
    "TABLE",
    "ApiType",
    "Kind",
    "Origin",
    "Service",
    "api_type_of",
    "auth_headers",
    "base_of",
    "ends_in",
    "entra_resource",
    "entra_scope",
    "formatters_for",
    "is_azure_host",
    "is_inference_api",
    "is_loopback",
    "kind_of",
    "needs_model",
    "notices_of",
    "replace_route",
    "request_url",
    "route_of",
    "service_of",
    "split",
]
