"""The id that we give each attempt, as Azure's clients do: services log it, and it is all there is if none comes back.

Source: the column XMSClientRequestId of AmlOnlineEndpointTrafficLog in Azure Monitor.
"""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

from ..endpoints import Origin

if TYPE_CHECKING:
    from .exchange import Request

HEADER = "x-ms-client-request-id"


def with_request_id(request: Request) -> Request:
    """Return the request with a new id, unless the config's headers give it one."""
    if any(name.lower() == HEADER for name in request.headers):
        return request
    return request.with_headers({**request.headers, HEADER: _new_id()})


def _new_id() -> str:
    # not uuid4: its system call lets other threads run, and hundreds of them send at a time
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def id_for_logs(request: Request) -> str:
    """Return the id under which the service may have logged the request; "" for a server on this machine."""
    if Origin.of(request.url).is_loopback:
        return ""
    return next((value for name, value in request.headers.items() if name.lower() == HEADER), "")
