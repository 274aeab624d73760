"""A column of vectors: map_rows with the formatter embeddings."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from azml_magics import LLMConfig, map_rows
from azml_magics.core.errors import UsageError
from tests.core.server import Server, reply


@pytest.fixture
def config():
    server = Server()

    def embed(connection, request) -> bool:
        (text,) = request.json["input"]
        data = [{"index": 0, "embedding": [float(len(text)), 0.5]}]
        connection.sendall(reply({"data": data, "model": "emb", "usage": {"prompt_tokens": 1, "total_tokens": 1}}))
        return True

    server.respond_with(embed)
    yield LLMConfig(endpoint_url=f"{server.url}/v1/embeddings", formatter="embeddings", model="emb", key=None)
    server.stop()


def test_frame_gets_a_column_of_vectors(config):
    made = map_rows(config, "{text}", pd.DataFrame({"text": ["a", "bcd"]}))
    assert made["embedding"].tolist() == [[1.0, 0.5], [3.0, 0.5]]
    assert made["error"].isna().all()


def test_journal_keeps_the_vectors(config, tmp_path):
    path = tmp_path / "run.jsonl"
    first = map_rows(config, "{text}", ["a", "bcd"], journal=path)
    gone = config.merged(max_retries=0)
    assert map_rows(gone, "{text}", ["a", "bcd"], journal=path) == first
    assert [row["embedding"] for row in first] == [[1.0, 0.5], [3.0, 0.5]]
    assert any("parsed" in json.loads(line).get("response", {}) for line in path.read_text().splitlines())


def test_schema_is_refused_before_anything_is_sent(config):
    with pytest.raises(UsageError, match="vectors"):
        map_rows(config, "{text}", ["a"], schema={"type": "object"})
