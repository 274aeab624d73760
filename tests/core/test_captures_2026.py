"""The documented replies, streams and refusals of 2026: each one read for what it is, streams split at every byte."""

from __future__ import annotations

import pytest

from .captures.examples import EXAMPLES, FOLDER
from .captures.replay import check_in_pieces, check_over_http, splits_of

# Not read correctly yet. Whoever makes one readable removes its line: the marks are strict.
PENDING = {
    "embeddings/01-reply.json",
    "embeddings/02-reply-score-mlflow.json",
}


def _cases(examples):
    mark = pytest.mark.xfail(strict=True, reason="not read correctly yet")
    return [pytest.param(each, id=each.file, marks=[mark] if each.file in PENDING else []) for each in examples]


def test_every_reply_is_among_the_examples():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*") if "-request" not in path.name}
    assert files == {example.file for example in EXAMPLES}
    assert files >= PENDING


@pytest.mark.parametrize("example", _cases(EXAMPLES))
def test_example_is_read_over_http(example, server):
    check_over_http(example, server)


@pytest.mark.parametrize("example", _cases(each for each in EXAMPLES if each.is_stream))
def test_stream_is_read_alike_at_every_split(example):
    for pieces in splits_of(example.body):
        check_in_pieces(example, pieces)
