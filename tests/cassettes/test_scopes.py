"""record and replay as context managers: what holds in the block, and what holds again after it."""

from __future__ import annotations

import errno
import threading

import pytest

from azml_magics.cassettes import active, recorder
from azml_magics.cassettes.cassette import record, replay, stop_innermost
from azml_magics.compare.fan_out import invoke_many
from azml_magics.core.client import invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import DocumentError, NotRecordedError
from azml_magics.core.http import recording

from ..core.server import Server, reply


@pytest.fixture
def server():
    running = Server()
    running.respond_with(reply({"choices": [{"message": {"content": "fine"}}]}))
    yield running
    running.stop()
    assert active.innermost() is None
    assert recording.current() is None


@pytest.fixture
def config(server):
    return LLMConfig(endpoint_url=f"{server.url}/v1/chat/completions", key=None, max_retries=0, timeout=20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rivers.jsonl"


def test_record_and_replay_hold_in_their_blocks_only(config, server, path):
    with record(path) as recorder:
        invoke(config, "Rivers")
    invoke(config, "Rivers")
    assert recorder.count == 1
    with replay(path) as player:
        assert invoke(config, "Rivers").text == "fine"
        with pytest.raises(NotRecordedError):
            invoke(config, "Hills")
    assert len(player) == 1
    invoke(config, "Hills")
    assert len(server.received) == 3


def test_calling_record_or_replay_starts_nothing_yet(path):
    recorder = record(path)
    assert recording.current() is None
    with recorder:
        assert recording.current() is recorder


def fail_in(block, config):
    with block:
        invoke(config, "Rivers")
        raise ZeroDivisionError


def test_blocks_restore_what_was_in_use_when_an_exception_passes(config, path):
    for use in (record, replay):
        with pytest.raises(ZeroDivisionError):
            fail_in(use(path), config)
        assert recording.current() is None


@pytest.mark.filterwarnings("ignore:.*full. Fix that")
def test_a_full_disk_does_not_hide_an_exception_of_the_block(config, path, monkeypatch):
    def fail(path, line):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(recorder, "_append", fail)
    with pytest.raises(ZeroDivisionError):
        fail_in(record(path), config)
    unwritten = record(path).start()
    invoke(config, "Rivers")
    with pytest.raises(DocumentError, match="1 exchanges are not in"):
        unwritten.stop()


def test_nested_blocks_use_the_innermost_and_give_way_again(config, server, tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    with record(one) as outer:
        invoke(config, "Rivers")
        with record(two) as inner:
            invoke(config, "Hills")
        with replay(two):
            invoke(config, "Hills")
        invoke(config, "Rivers")
    assert (outer.count, inner.count) == (2, 1)
    assert len(server.received) == 3


def test_the_same_recorder_may_be_nested_in_itself(config, path):
    recorder = record(path)
    with recorder, recorder:
        invoke(config, "Rivers")
    assert recorder.count == 1


def test_a_block_restores_a_recorder_that_others_had_put_in(path):
    class Mine:
        replays = False

    mine = Mine()
    recording.use(mine)
    try:
        with record(path):
            assert recording.current() is not mine
        assert recording.current() is mine
    finally:
        recording.use(None)


def test_requests_of_all_threads_go_through_the_cassette(config, server, path):
    prompts = [f"Prompt {number}" for number in range(20)]
    with record(path) as recorder:
        invoke_many(config, prompts, concurrency=8)
    assert recorder.count == 20
    sent = len(server.received)
    with replay(path):
        assert [response.text for response in invoke_many(config, prompts, concurrency=8)] == ["fine"] * 20
    assert len(server.received) == sent


def test_blocks_of_two_threads_may_end_in_any_order(tmp_path):
    one, two = record(tmp_path / "one.jsonl"), record(tmp_path / "two.jsonl")
    second_started, first_ended = threading.Event(), threading.Event()

    def first():
        with one:
            second_started.wait(20)
        first_ended.set()

    thread = threading.Thread(target=first)
    thread.start()
    while recording.current() is not one:
        pass
    with two:
        second_started.set()
        first_ended.wait(20)
        assert recording.current() is two
    assert recording.current() is None
    thread.join()


def test_start_and_stop_do_the_same_without_a_block(config, path):
    recorder = record(path).start()
    invoke(config, "Rivers")
    assert stop_innermost() is recorder
    recorder.stop()
    assert recorder.count == 1
    assert stop_innermost() is None


def test_a_cassette_of_an_older_format_is_named_and_left_alone(tmp_path):
    path = tmp_path / "old.jsonl"
    content = b'{"azml_cassette": 1}\n{"turn": 1, "asked": {}, "answered": {}}\n'
    path.write_bytes(content)
    for use in (record, replay):
        with pytest.raises(DocumentError) as caught:
            use(path)
        assert str(caught.value) == (
            f"{path} is a cassette of format 1; this azml-magics reads and writes format 2. "
            "Record it again in a new file."
        )
    assert path.read_bytes() == content
