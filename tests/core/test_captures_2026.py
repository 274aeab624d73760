"""The documented replies, streams and refusals of 2026: each one read for what it is, split at every byte."""

from __future__ import annotations

import pytest

from azml_magics.core import polling

from .captures.examples import EXAMPLES, FOLDER
from .captures.replay import Replayer, check_in_pieces, check_over_http, splits_of

# Not read correctly yet. Whoever makes one readable removes its line: the marks are strict.
PENDING: set[str] = set()


@pytest.fixture(autouse=True)
def _poll_at_once(monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 1e-6)


@pytest.fixture(scope="module")
def replayer():
    return Replayer()


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


@pytest.mark.parametrize("example", _cases(each for each in EXAMPLES if not each.is_stream and not each.then))
def test_whole_reply_is_read_where_a_stream_was_asked(example, server):
    check_over_http(example, server, asks_for_stream=True)


@pytest.mark.parametrize("example", _cases(each for each in EXAMPLES if not each.is_stream))
def test_whole_reply_is_read_alike_at_every_split(example, replayer):
    for pieces in splits_of(example.body):
        replayer.check(example, pieces)


@pytest.mark.parametrize("example", _cases(each for each in EXAMPLES if each.is_stream))
def test_stream_is_read_alike_at_every_split(example):
    for pieces in splits_of(example.body):
        check_in_pieces(example, pieces)
