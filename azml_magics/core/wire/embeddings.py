"""Embeddings: a text in, a vector out."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from ..response import Response, Usage
from .base import Call, Kwarg, Payload, Wire, to_json
from .failures import is_vector, make_missing_text_error
from .openai_request import encode_openai

if TYPE_CHECKING:
    from collections.abc import Sequence

EMBEDDING_KWARGS = (
    Kwarg("dimensions", "integer", "how many numbers the vector has, for models that can shorten it", minimum=1),
    Kwarg("input_type", "string", "query or document, for models that tell them apart"),
    Kwarg("encoding_format", "string", "float or base64: how the numbers are sent, read alike"),
)


class OpenAIEmbeddingsWire(Wire):
    """`{"input": [p], …}` -> `{"data": [{"index": 0, "embedding": […]}], "usage": …}`: the vector is in `parsed`.

    Sources: Azure OpenAI and Azure AI Model Inference API references.
    """

    api_types = ("dedicated", "serverless")
    routes = ("embeddings",)
    known_kwargs = EMBEDDING_KWARGS
    embeds = True

    def encode(self, call: Call) -> Payload:
        return encode_openai(call, {"input": [call.text]})

    def parse_response(self, value: Any) -> Response:
        data = value.get("data") if isinstance(value, dict) else None
        entries = [entry for entry in data or () if isinstance(entry, dict)] if isinstance(data, list) else []
        vectors = [decode_vector(entry.get("embedding")) for entry in sorted(entries, key=_index_of)]
        if not vectors or not all(is_vector(vector) for vector in vectors):
            raise make_missing_text_error(value)
        model = value.get("model")
        usage = Usage.from_wire(value.get("usage"))
        return _to_response(vectors, value, usage, model if isinstance(model, str) else "")


class ScoreEmbeddingsWire(Wire):
    """`{"input_data": [p], "params": {…}}` -> `[[…]]`: embeddings models in Azure ML's MLflow image.

    Source: Azure ML's MLflow image; MLflow's own server wraps the list in `predictions`.
    """

    embeds = True

    def encode(self, call: Call) -> Payload:
        body: dict[str, Any] = {"input_data": [call.text]}
        if call.kwargs:
            body["params"] = call.kwargs
        return Payload(to_json(body))

    def parse_response(self, value: Any) -> Response:
        vectors = value.get("predictions") if isinstance(value, dict) else value
        if not isinstance(vectors, list) or not vectors or not all(is_vector(vector) for vector in vectors):
            raise make_missing_text_error(value)
        return _to_response(vectors, value)


def decode_vector(embedding: Any) -> Any:
    """Return an embedding as numbers: one in base64 holds them as little-endian 32-bit floats."""
    if not isinstance(embedding, str):
        return embedding
    try:
        data = base64.b64decode(embedding, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    except (ValueError, struct.error):
        return None


def _index_of(entry: dict[str, Any]) -> int:
    index = entry.get("index")
    return index if isinstance(index, int) else 0


def _to_response(vectors: Sequence[list[float]], raw: Any, usage: Usage | None = None, model: str = "") -> Response:
    """Return the response with one vector in `parsed`, or with a list of several."""
    size = len(vectors[0])
    parsed = vectors[0] if len(vectors) == 1 else list(vectors)
    return Response(
        "", parsed=parsed, raw=raw, usage=usage, model=model, notices=(f"The answer is a vector of {size} numbers.",)
    )
