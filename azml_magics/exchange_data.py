"""Exchange <-> JSON data, for the history file and for exports."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import documents
from .core.errors import AzmlError, DocumentError
from .core.errors.as_data import error_from_dict, error_to_dict
from .core.messages import without_items
from .core.response import Response
from .exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .core.config import LLMConfig
    from .core.secret import Secret

VERSION = 1
_MAX_TEXT = 100_000  # characters of one text
_MAX_DATA = 4_096  # characters of what is not text: the base64 of a picture


def exchange_to_dict(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as JSON data. Literal keys, formatters without a name and items of reasoning are left out."""
    data: dict[str, Any] = {
        "azml_exchange": VERSION,
        "id": exchange.id,
        "recorded_at": exchange.recorded_at.isoformat(),
        "name": exchange.config.name,
        "config": _config_to_dict(exchange.config),
        "messages": [_without_long_parts(without_items(message)) for message in exchange.messages],
    }
    if exchange.config.file:  # before it is sent again, the user is asked whether that file is trusted
        data["file"] = exchange.config.file
    if exchange.response is not None:
        data["response"] = exchange.response.replace(items=()).to_dict()
        data["format"] = exchange.response.format
    if exchange.error is not None:
        data["error"] = error_to_dict(exchange.error)
    return data


def exchange_from_dict(data: Mapping[str, Any]) -> Exchange:
    """Return the exchange that `exchange_to_dict` wrote, with the number 0.

    Raises:
        ValueError: The data is not an exchange of this version.
    """
    try:
        if data["azml_exchange"] != VERSION:
            raise ValueError(f"an exchange of version {data['azml_exchange']}")
        response = Response.from_dict(data["response"]) if "response" in data else None
        return Exchange(
            0,
            documents.from_document(data["config"], name=str(data["name"]), file=str(data.get("file", ""))),
            [dict(message) for message in data["messages"]],
            response.replace(format=str(data["format"])) if response and "format" in data else response,
            error_from_dict(data["error"]) if "error" in data else None,
            datetime.fromisoformat(data["recorded_at"]),
            str(data["id"]),
        )
    except (KeyError, TypeError, AttributeError, AzmlError) as error:
        raise ValueError(f"not an exchange: {error}") from None


def known_secrets(config: LLMConfig) -> list[Secret]:
    """Return the keys of a config that are known without a prompt or a request."""
    secrets = []
    for source in config.all_key_sources:
        with contextlib.suppress(AzmlError):
            key = source.resolve(config.endpoint_url) if source.is_found(config.endpoint_url) else None
            if key:
                secrets.append(key)
    return secrets


def _config_to_dict(config: LLMConfig) -> dict[str, Any]:
    try:
        return documents.to_document(config)
    except DocumentError:  # a formatter object: which one it was cannot be written
        return documents.to_document(replace(config, formatter=""))


def _without_long_parts(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without the data of its pictures and files."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    parts = [part if _is_text(part) else cut_long_texts(part, _MAX_DATA) for part in content]
    return {**message, "content": parts}


def _is_text(part: object) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and part.get("type") == "text")


def cut_long_texts(value: Any, limit: int = _MAX_TEXT) -> Any:
    """Return JSON data with its long texts cut; the end of each says how long it was."""
    if isinstance(value, str) and len(value) > limit:
        kept = min(limit, 64) if limit == _MAX_DATA else limit  # the beginning of base64 says its type
        return f"{value[:kept]}… [{len(value):,} characters]"
    if isinstance(value, dict):
        return {name: cut_long_texts(item, limit) for name, item in value.items()}
    return [cut_long_texts(item, limit) for item in value] if isinstance(value, list | tuple) else value
