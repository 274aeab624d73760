"""A request as text, without its key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .client import default_client
from .headers import merge_headers
from .http.auth import describe_key_headers
from .text import escape_controls, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .client import Client
    from .config import LLMConfig
    from .messages import Message


def format_request(
    config: LLMConfig, messages: Sequence[Message], *, stream: bool = False, client: Client | None = None
) -> str:
    """Format the exact HTTP request as text. Its key is not looked up; its reference is shown.

    Args:
        config: Where the request goes.
        messages: The prompt.
        stream: Whether the request asks for a stream.
        client: Would send it; None for the default client.

    Raises:
        AzmlError: The call could not be sent; as `Client.prepare` raises it.
    """
    call = (client or default_client()).prepare(config, messages, stream=stream, with_key=False)
    prepared = call.request
    headers = merge_headers(prepared.headers, describe_key_headers(call.config, prepared.url))
    try:
        body = escape_controls(json.dumps(json.loads(prepared.body), indent=2, ensure_ascii=False))
    except ValueError:
        body = prepared.body.decode("utf-8", "replace")
    lines = [f"POST {prepared.url}", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return printable("\n".join(lines))
