"""Embeddings: vectors of a text, as numbers and in base64."""

from __future__ import annotations

import base64
import struct

import pytest

BODY = {"model": "text-embedding-3-small", "input": ["a", "b"]}


@pytest.mark.parametrize(
    "route",
    ["/v1/embeddings", "/openai/v1/embeddings", "/openai/deployments/text-embedding-3-small/embeddings?api-version=1"],
)
def test_vectors_depend_on_the_text_alone(client, route):
    first, second = client.post(route, json=BODY).json()["data"]
    assert first["embedding"] != second["embedding"]
    assert len(first["embedding"]) == 1536
    assert client.post(route, json={**BODY, "input": "b"}).json()["data"][0]["embedding"] == second["embedding"]


def test_base64_holds_the_same_numbers(client):
    route, body = "/v1/embeddings", {**BODY, "dimensions": 5}
    numbers = client.post(route, json=body).json()["data"][0]["embedding"]
    text = client.post(route, json={**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert struct.unpack("<5f", base64.b64decode(text)) == pytest.approx(numbers)


@pytest.mark.parametrize("body", [{"input": []}, {"input": [1]}, {"input": ""}, {"dimensions": 0}, {"model": "gpt-4o"}])
def test_request_that_cannot_be_embedded_is_refused(client, body):
    assert client.post("/openai/v1/embeddings", json={**BODY, **body}).status_code == 400
