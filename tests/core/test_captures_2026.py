"""The documented replies, streams and refusals of 2026: each one read for what it is, split at every byte."""

from __future__ import annotations

from operator import attrgetter

import pytest

from azml_magics.core import polling

from .captures.examples import EXAMPLES, FOLDER
from .captures.replay import Replayer, check_in_pieces, check_over_http, splits_of

WHOLE = [each for each in EXAMPLES if not each.is_stream]
STREAMS = [each for each in EXAMPLES if each.is_stream]
by_file = attrgetter("file")


@pytest.fixture(autouse=True)
def _poll_at_once(monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 1e-6)


@pytest.fixture(scope="module")
def replayer():
    return Replayer()


def test_every_reply_is_among_the_examples():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*") if "-request" not in path.name}
    assert files == {example.file for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=by_file)
def test_example_is_read_over_http(example, server):
    check_over_http(example, server)


@pytest.mark.parametrize("example", [each for each in WHOLE if not each.then], ids=by_file)
def test_whole_reply_is_read_where_a_stream_was_asked(example, server):
    check_over_http(example, server, asks_for_stream=True)


@pytest.mark.parametrize("example", WHOLE, ids=by_file)
def test_whole_reply_is_read_alike_at_every_split(example, replayer):
    for pieces in splits_of(example.body):
        replayer.check(example, pieces)


@pytest.mark.parametrize("example", STREAMS, ids=by_file)
def test_stream_is_read_alike_at_every_split(example):
    for pieces in splits_of(example.body):
        check_in_pieces(example, pieces)
