"""Embeddings: vectors that depend on the text alone and have no meaning."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import openai_validation, tokens
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.models import refuse_operation

if TYPE_CHECKING:
    from azml_magics.emulator.openai_families import RouteFamily
    from azml_magics.emulator.routed_request import RoutedRequest

DIMENSIONS = 1536
SCORE_DIMENSIONS = 8
_LARGEST = 3072


def embed(routed: RoutedRequest, family: RouteFamily) -> HttpResponse:
    """Return the vectors of the input: as numbers, or in base64 if the request asks for that."""
    try:
        body = openai_validation.read_body(routed, family)
        texts, dimensions = _read_input(body), _read_dimensions(body)
    except openai_validation.InvalidRequestError as invalid:
        return invalid.response
    name = str(body.get("model") or routed.path_deployment or "text-embedding-3-small")
    if refused := refuse_operation("embeddings", name):
        return refused
    encoded = body.get("encoding_format") == "base64"
    vectors = [vector_of(text, dimensions) for text in texts]
    data = [
        {"object": "embedding", "index": at, "embedding": _to_base64(vector) if encoded else vector}
        for at, vector in enumerate(vectors)
    ]
    count = sum(map(tokens.count, texts))
    usage = {"prompt_tokens": count, "total_tokens": count}
    return HttpResponse.fastapi({"object": "list", "data": data, "model": name, "usage": usage})


def _read_input(body: dict[str, Any]) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise openai_validation.invalid_parameter("'$.input' is invalid. Please check the API reference.", "input")
    return texts


def _read_dimensions(body: dict[str, Any]) -> int:
    given = body.get("dimensions")
    if given is None:
        return DIMENSIONS
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= _LARGEST:
        message = "'$.dimensions' is invalid. Please check the API reference."
        raise openai_validation.invalid_parameter(message, "dimensions")
    return given


def vector_of(text: str, dimensions: int) -> list[float]:
    """Return a vector of length 1 for a text."""
    numbers: list[float] = []
    for block in range(math.ceil(dimensions / 16)):
        digest = hashlib.sha256(f"{block}|{text}".encode(errors="replace")).digest()
        numbers += [number / 32768 for number in struct.unpack("<16h", digest)]
    numbers = numbers[:dimensions]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [round(number / length, 8) for number in numbers]


def _to_base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
