"""Rows against Microsoft's scoring server with its one worker: it answers one at a time and closes every connection."""

from __future__ import annotations

import pytest

from azml_magics import amap_rows, map_rows

pytestmark = pytest.mark.real_server
WORDS = [f"word{number}" for number in range(30)]


def _answer(word: str) -> str:
    return f"I have read user; the last said 'It rained {word}'."


def test_rows_keep_their_order(config_of) -> None:
    rows = map_rows(config_of("curated_chat", "openai-chat"), "It rained {word}", WORDS, concurrency=16)
    assert [row["error"] for row in rows] == [None] * 30
    assert [row["text"] for row in rows] == [_answer(word) for word in WORDS]


async def test_map_rows_works_on_an_event_loop(config_of) -> None:
    rows = await amap_rows(config_of("curated_chat", "openai-chat"), "It rained {word}", WORDS[:8])
    assert [row["text"] for row in rows] == [_answer(word) for word in WORDS[:8]]


def test_journal_resumes_a_run(config_of, tmp_path) -> None:
    config, journal = config_of("gpt2", "gpt2", max_new_tokens=1), tmp_path / "run.jsonl"
    first = map_rows(config, "It rained {word}", WORDS[:10], journal=journal)
    again = map_rows(config, "It rained {word}", WORDS[:12], journal=journal)
    assert again[:10] == first
    assert len(journal.read_text().splitlines()) == 13


def test_failing_rows_have_their_errors(config_of) -> None:
    rows = map_rows(config_of("statuses"), "{what}", [{"what": "headers"}, {"what": "400"}, {"what": "headers"}])
    assert [row["error"] is None for row in rows] == [True, False, True]
