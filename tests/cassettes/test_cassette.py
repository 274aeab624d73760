"""Record with an endpoint and a key, then replay without them, for every way to send a request."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import threading
import warnings

import pytest

from azml_magics.cassettes import active
from azml_magics.cassettes import recorder as recorder_module
from azml_magics.cassettes.cassette import record, replay, stop_innermost
from azml_magics.cassettes.player import CassettePlayer
from azml_magics.compare.fan_out import invoke_many
from azml_magics.compare.side_by_side import BatchRequest, run_batch
from azml_magics.core import key_sources
from azml_magics.core.client import ainvoke, astream, fetch, invoke, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import (
    AuthenticationError,
    AzmlError,
    DocumentError,
    Interrupted,
    ModelError,
    NotRecordedError,
    RateLimitError,
    StreamInterruptedError,
)
from azml_magics.core.http import recording
from azml_magics.core.key_sources import AmlToken, EntraToken, KeyringKey, PromptedKey
from azml_magics.core.messages import as_messages
from azml_magics.core.secret import Secret
from azml_magics.emulator import Emulator, Fault
from azml_magics.langchain import (
    AzureMLChatOnlineEndpoint,
    AzureMLOnlineEndpoint,
    CustomOpenAIChatContentFormatter,
    GPT2ContentFormatter,
)

from ..core.server import STREAM_HEAD, Server, chunk, delta, event, reply, streamed

KEY = "q9-recorded-key-0123456789"  # no word ends as it begins: a stream holds such pieces back
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def _no_cassette_left():
    yield
    while active.innermost() is not None:
        with contextlib.suppress(DocumentError):
            stop_innermost()
    assert recording.current() is None


def start_recording(path):
    """Record from now on; ends what was in use before."""
    recorder = record(path)
    stop_innermost()
    return recorder.start()


def start_replay(path):
    """Replay from now on; ends what was in use before."""
    player = replay(path)
    stop_innermost()
    return player.start()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cassettes" / "rivers.jsonl"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)


@pytest.fixture
def gone():
    """The URL of a port without a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


def config_at(url, path="/v1/chat/completions", **fields):
    return LLMConfig(endpoint_url=url + path, max_retries=0, timeout=20, **fields)


def chunks_of(config, prompt):
    with stream(config, prompt) as pieces:
        return [piece.text for piece in pieces]


async def chunks_on_a_loop(config, prompt):
    async with astream(config, prompt) as pieces:
        return [piece.text async for piece in pieces]


def langchain_chat(config):
    return AzureMLChatOnlineEndpoint(
        endpoint_url=config.endpoint_url, content_formatter=CustomOpenAIChatContentFormatter(), max_retries=0
    )


def langchain_text(config):
    url = config.endpoint_url.replace("/v1/chat/completions", "/score")
    return AzureMLOnlineEndpoint(endpoint_url=url, content_formatter=GPT2ContentFormatter(), max_retries=0)


async def alist(pieces):
    return [piece async for piece in pieces]


ASKING = {
    "invoke": lambda config: invoke(config, "Tell me about rivers").text,
    "ainvoke": lambda config: asyncio.run(ainvoke(config, "Tell me about rivers")).text,
    "stream": lambda config: chunks_of(config, "Tell me about rivers"),
    "astream": lambda config: asyncio.run(chunks_on_a_loop(config, "Tell me about rivers")),
    "side by side": lambda config: run_batch(
        [BatchRequest({"n": n}, config, as_messages(prompt, None)) for n, prompt in enumerate(["One", "Two", "One"])]
    ).to_text(),
    "in threads": lambda config: [answer.text for answer in invoke_many(config, ["One", "Two", "Three"])],
    "LangChain chat": lambda config: langchain_chat(config).invoke("Rivers").content,
    "LangChain chat, streamed": lambda config: [c.content for c in langchain_chat(config).stream("Rivers")],
    "LangChain chat, async": lambda config: asyncio.run(langchain_chat(config).ainvoke("Rivers")).content,
    "LangChain text": lambda config: langchain_text(config).invoke("Rivers"),
    "LangChain text, batch": lambda config: langchain_text(config).batch(["One", "Two"]),
    "swagger": lambda config: fetch(config, config.endpoint_url.replace("/v1/chat/completions", "/swagger.json")),
}


# langchain-core 0.3.30 itself does, under a pydantic that is newer than it is
@pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute on the instance is deprecated")
@pytest.mark.parametrize("how", ASKING)
def test_recording_is_replayed_without_network_and_key(how, path, key, gone, monkeypatch):
    ask = ASKING[how]
    with Emulator(key=KEY) as running:
        recorder = start_recording(path)
        before = ask(config_at(running.url))
        stop_innermost()
    assert before
    assert recorder.count > 0
    text = path.read_text(encoding="utf-8")
    assert KEY not in text
    for entry in map(json.loads, text.splitlines()[1:]):
        kept = json.dumps([entry["request"], entry["response"]["headers"]]).lower()
        assert "authorization" not in kept
        assert "bearer" not in kept
    monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY")
    player = start_replay(path)
    assert len(player) == recorder.count
    assert ask(config_at(gone)) == before
    assert ask(config_at(gone)) == before  # and once more from the start


@pytest.mark.parametrize("reference", ["entra", "keyring:azml/nobody", "ask", "aml-token"])
def test_replay_looks_up_no_kind_of_key(path, key, gone, reference, monkeypatch):
    with Emulator(key=KEY) as running:
        start_recording(path)
        before = invoke(config_at(running.url), "Hello").text
        start_replay(path)

    def refused(*args, **kwargs):
        raise AssertionError("looked for a key")

    for source in (EntraToken, KeyringKey, PromptedKey, AmlToken):
        monkeypatch.setattr(source, "resolve", refused)
    assert invoke(config_at(gone, key=reference), "Hello").text == before


def test_expired_token_is_replayed_without_a_new_one(path, server, gone, monkeypatch):
    monkeypatch.setattr(
        key_sources.fetched,
        "_fetchers",
        {"entra": lambda source, url, refused: Secret(f"token-{refused is not None}-012345")},
    )
    server.respond_with(reply({"message": "expired"}, 401), reply({"choices": [{"message": {"content": "fine"}}]}))
    start_recording(path)
    assert invoke(config_at(server.url, key="entra"), "Hi").text == "fine"
    start_replay(path)
    monkeypatch.setattr(key_sources.fetched, "_fetchers", {})
    assert invoke(config_at(gone, key="entra"), "Hi").text == "fine"


# ---- in turn


def answers_of(config, count):
    return [invoke(config, "Hi").text for _ in range(count)]


def test_same_request_gets_its_responses_in_turn(path, server, gone):
    server.respond_with(*(reply({"choices": [{"message": {"content": word}}]}) for word in ("one", "two", "three")))
    start_recording(path)
    assert answers_of(config_at(server.url, key=None), 3) == ["one", "two", "three"]
    start_replay(path)
    assert answers_of(config_at(gone, key=None), 5) == ["one", "two", "three", "one", "two"]


def test_side_by_side_responses_are_replayed_to_their_rows(path, server, gone):
    """The first request gets its response last."""
    first_may_end, numbers = threading.Event(), iter(range(3))

    def act(connection, request):
        number = next(numbers)
        if number == 0:
            first_may_end.wait(20)
        connection.sendall(streamed(delta(f"answer to connection {request.connection}"), STOP, b"[DONE]"))
        if number == 2:
            first_may_end.set()
        return True

    def ask(url):
        config = config_at(url, key=None)
        return run_batch([BatchRequest({"n": n}, config, as_messages("Hi", None)) for n in range(3)]).texts

    server.respond_with(act)
    start_recording(path)
    before = ask(server.url)
    assert len(set(before)) == 3
    start_replay(path)
    assert ask(gone) == before


def test_errors_are_recorded_and_replayed(path, server, gone):
    wait = reply({"message": "slow down"}, 429, retry_after="30")
    server.respond_with(
        wait, reply({"choices": [{"message": {"content": "fine"}}]}), reply({}), reply({"message": "no"}, 401)
    )

    def ask(url):
        retrying = config_at(url, key=None).merged(max_retries=1)
        assert invoke(retrying, "Hi").text == "fine"
        with pytest.raises(ModelError):
            invoke(config_at(url, key=None), "Ha")
        with pytest.raises(AuthenticationError, match="no"):
            chunks_of(config_at(url, key=None), "Ho")

    slept = []
    original = recording.retry_delay
    with pytest.MonkeyPatch.context() as patch:  # the server's half minute is not sat out here either
        patch.setattr(recording, "retry_delay", lambda seconds, recorder: slept.append(seconds) or 0.0)
        start_recording(path)
        ask(server.url)
    assert slept == [30.0]
    start_replay(path)
    assert original(30.0, recording.current()) == 0.0  # nor is it in a replay
    ask(gone)


def test_retry_waits_when_nothing_is_replayed():
    assert recording.retry_delay(30.0, recording.current()) == 30.0


def test_rate_limit_error_is_replayed(path, server, gone):
    server.respond_with(reply({"message": "Try again in 9 seconds"}, 429))
    start_recording(path)
    with pytest.raises(RateLimitError):
        invoke(config_at(server.url, key=None), "Hi")
    start_replay(path)
    with pytest.raises(RateLimitError) as caught:
        invoke(config_at(gone, key=None), "Hi")
    assert caught.value.retry_after == 9.0


# ---- streams


def test_interrupted_stream_is_replayed_as_interrupted(path, gone, key):
    with Emulator(key=KEY) as running:
        running.script([Fault("cut", after=3)])
        start_recording(path)
        with pytest.raises(StreamInterruptedError) as before:
            chunks_of(config_at(running.url), "Tell me about rivers")
    start_replay(path)
    with pytest.raises(StreamInterruptedError) as after:
        chunks_of(config_at(gone), "Tell me about rivers")
    assert after.value.response.text == before.value.response.text != ""


def left_early(config):
    with stream(config, "Hi") as pieces:
        return next(iter(pieces)).text


def test_stream_left_early_is_replayed_as_far_as_read(path, server, gone):
    server.respond_with(streamed(delta("one"), delta("two"), STOP, b"[DONE]"))
    start_recording(path)
    assert left_early(config_at(server.url, key=None)) == "one"
    start_replay(path)
    assert left_early(config_at(gone, key=None)) == "one"


@pytest.fixture
def interruptible():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_whole_response_is_replayed_instead_of_interrupted_one(path, server, gone, interruptible):
    """A cell is stopped and run again: a replay runs it once."""
    let_go = threading.Event()

    def act(connection, request):
        connection.sendall(STREAM_HEAD + chunk(event(delta("half"))))
        interruptible()
        let_go.wait(20)
        return False

    server.respond_with(act, streamed(delta("half and whole"), STOP, b"[DONE]"))
    start_recording(path)
    try:
        with pytest.raises(Interrupted):
            chunks_of(config_at(server.url, key=None), "Hi")
    finally:
        let_go.set()
    player = start_replay(path)
    if len(player):  # it had begun: without a whole one, what came is all there is
        with pytest.raises(StreamInterruptedError):
            chunks_of(config_at(gone, key=None), "Hi")
    start_recording(path)
    assert chunks_of(config_at(server.url, key=None), "Hi") == ["half and whole", ""]
    start_replay(path)
    for _ in range(2):
        assert chunks_of(config_at(gone, key=None), "Hi") == ["half and whole", ""]


def test_replay_keeps_the_pauses_of_a_stream(path, server, gone, monkeypatch):
    slept = []
    server.respond_with(streamed(delta("one"), delta("two"), STOP, b"[DONE]"))
    start_recording(path)
    chunks_of(config_at(server.url, key=None), "Hi")
    stop_innermost()
    heading, line = path.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    entry["response"]["stream"] = [
        [pause, text] for pause, text in [(0.25, event(delta("one")).decode()), (99, event(STOP).decode())]
    ]
    path.write_text(f"{heading}\n{json.dumps(entry)}\n", encoding="utf-8")
    monkeypatch.setattr("time.sleep", slept.append)
    start_replay(path)
    chunks_of(config_at(gone, key=None), "Hi")
    assert slept == [0.25, 2.0]


def test_recorded_pause_excludes_the_readers_time(path, server, monkeypatch):
    clock = iter(range(100))
    server.respond_with(streamed(delta("one"), delta("two"), STOP, b"[DONE]"))
    start_recording(path)
    with stream(config_at(server.url, key=None), "Hi") as pieces:
        monkeypatch.setattr(recording.time, "perf_counter", lambda: next(clock))
        list(pieces)
    monkeypatch.undo()
    stop_innermost()
    pauses = [pause for pause, _ in json.loads(path.read_text(encoding="utf-8").splitlines()[1])["response"]["stream"]]
    assert pauses == [1] * len(
        pauses
    )  # each is waited for on its own: two looks at the clock apart, whatever is between


# ---- what is not recorded


@pytest.fixture
def replayed(path, server, gone):
    """A config that answers from a cassette with one exchange in it."""
    server.respond_with(reply({"choices": [{"message": {"content": "fine"}}]}))
    start_recording(path)
    invoke(config_at(server.url, key=None, model_kwargs={"temperature": 0}), "Tell me something about rivers")
    start_replay(path)
    return config_at(gone, key=None, model_kwargs={"temperature": 0})


@pytest.mark.parametrize(
    ("changes", "prompt", "difference"),
    [
        ({"model_kwargs": {"temperature": 1}}, None, "body.temperature (sent 1, recorded 0)"),
        ({"model_kwargs": {"n": 2}}, None, "body.n (sent 2, recorded nothing)"),
        ({"deployment_name": "blue"}, None, 'deployment (sent "blue", recorded "")'),
        (
            {"system": "Be brief."},
            None,
            'body.messages (sent [{"role": "system", "content": "Be brief."}, {"role": "user…, recorded [{"role": "user"',
        ),
        (
            {},
            "Tell me something about hills",
            'body.messages.0.content (sent …something about hills", recorded …something about rivers")',
        ),
        (
            {"endpoint_url": "https://n.eastus.inference.ml.azure.com/v1/chat/completions"},
            None,
            'host (sent "n.eastus.inference.ml.azure.com", recorded nothing)',
        ),
        (
            {"model_kwargs": {"a": 1, "b": 2, "c": 3, "d": 4}},
            None,
            "body.a (sent 1, recorded nothing), body.b (sent 2, recorded nothing), body.c (sent 3, recorded nothing)"
            " and 1 more",
        ),
    ],
)
def test_unrecorded_request_names_differences_to_the_nearest(replayed, changes, prompt, difference):
    with pytest.raises(NotRecordedError) as caught:
        invoke(replayed.merged(name="prod", **changes), prompt or "Tell me something about rivers")
    said = str(caught.value)
    assert said.startswith(
        "rivers.jsonl has no response to this request to /v1/chat/completions: the nearest one differs in"
    )
    assert difference in said
    assert "(config 'prod'" in said
    assert said.endswith("Record it with azml_magics.record(PATH), or end the replay.")
    assert len(said.splitlines()) == 1


def test_unrecorded_request_fails_async_and_streamed(replayed):
    with pytest.raises(NotRecordedError, match="the nearest one differs in body"):
        asyncio.run(ainvoke(replayed, "Hills"))
    with pytest.raises(NotRecordedError, match="stream"):
        chunks_of(replayed, "Tell me something about rivers")


def test_empty_cassette_says_that_it_is_empty(path, gone):
    start_recording(path)
    start_replay(path)
    with pytest.raises(NotRecordedError, match="it is empty"):
        invoke(config_at(gone, key=None), "Hi")


def test_hosts_differ_but_loopback_ports_do_not(path, server, gone):
    """Two configs with the same route on different hosts never get each other's responses."""
    lines = []
    for host, word in (("a.azure.com", "from a"), ("b.azure.com", "from b")):
        server.respond_with(reply({"choices": [{"message": {"content": word}}]}))
        start_recording(path)
        invoke(config_at(server.url, key=None), "Hi")
        stop_innermost()
        entry = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        assert "host" not in entry["request"]
        lines.append(json.dumps({**entry, "request": {**entry["request"], "host": host}}))
    path.write_text("\n".join(['{"azml_cassette": 2}', *lines]), encoding="utf-8")
    start_replay(path)
    for host, word in (("b.azure.com", "from b"), ("a.azure.com", "from a"), ("b.azure.com", "from b")):
        assert invoke(config_at(f"https://{host}", key=None), "Hi").text == word
    with pytest.raises(NotRecordedError):
        invoke(config_at(gone, key=None), "Hi")


def test_streamed_prompt_flow_differs_from_a_whole_one(path, key, gone):
    with Emulator(key=KEY) as running:
        config = config_at(running.url, "/score", formatter="promptflow", deployment_name="promptflow")
        start_recording(path)
        streamed_texts, whole = chunks_of(config, "Hello"), invoke(config, "Hello").text
    start_replay(path)
    config = config.merged(endpoint_url=f"{gone}/score")
    assert invoke(config, "Hello").text == whole
    assert "".join(chunks_of(config, "Hello")) == "".join(streamed_texts)  # with the key, its possible beginning waits


def test_prompt_with_the_key_matches_without_the_key(path, key, gone, monkeypatch):
    with Emulator(key=KEY) as running:
        start_recording(path)
        invoke(config_at(running.url), f"Is {KEY} a good key?")
        stop_innermost()
    assert KEY not in path.read_text(encoding="utf-8")
    monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY")
    start_replay(path)
    assert invoke(config_at(gone), f"Is {KEY} a good key?").text


# ---- the file


def test_cassette_is_continued_after_a_cut_off_line(path, server, gone):
    config = config_at(server.url, key=None)
    for prompt, left in (("one", b""), ("two", b'{"request": {"pa'), ("three", b"\n")):
        server.respond_with(reply({"choices": [{"message": {"content": prompt}}]}))
        start_recording(path)
        invoke(config, prompt)
        stop_innermost()
        with path.open("ab") as file:
            file.write(left)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    server.respond_with(reply({"choices": [{"message": {"content": "four"}}]}))
    start_recording(path)
    invoke(config, "four")
    assert len(start_replay(path)) == 4
    replaying = config_at(gone, key=None)
    assert [invoke(replaying, prompt).text for prompt in ("four", "three", "two", "one")] == [
        "four",
        "three",
        "two",
        "one",
    ]


def test_responses_of_a_later_recording_come_last(path, server, gone):
    for word in ("one", "two", "three"):
        server.respond_with(reply({"choices": [{"message": {"content": word}}]}))
        start_recording(path)
        invoke(config_at(server.url, key=None), "Hi")
        stop_innermost()
    start_replay(path)
    assert answers_of(config_at(gone, key=None), 3) == ["one", "two", "three"]


def test_many_threads_write_whole_lines(path, server):
    server.respond_with(reply({"choices": [{"message": {"content": "x" * 50_000}}]}))
    recorder = start_recording(path)
    invoke_many(config_at(server.url, key=None), [f"Prompt {n}" for n in range(40)], concurrency=8)
    stop_innermost()
    assert recorder.count == 40
    assert len(CassettePlayer(path)) == 40


def test_lone_surrogates_are_recorded(path, server, gone):
    server.respond_with(reply(b'{"choices": [{"message": {"content": "\\ud800"}}]}'))
    start_recording(path)
    assert invoke(config_at(server.url, key=None), "\udc00").text == "\ud800"
    start_replay(path)
    assert invoke(config_at(gone, key=None), "\udc00").text == "\ud800"


@pytest.mark.parametrize("content", [b"my notes\n", b'{"cells": []}', b'{"azml_cassette": 9}\n'])
def test_file_that_is_not_a_cassette_is_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    for begin in (start_recording, start_replay):
        with pytest.raises(DocumentError):
            begin(path)
    assert path.read_bytes() == content
    assert recording.current() is None


def test_unwritable_path_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path, tmp_path / "file" / "tape.jsonl"):
        with pytest.raises(DocumentError, match=r"cannot be (written|read): ") as caught:
            start_recording(path)
        assert len(str(caught.value).splitlines()) == 1


@pytest.fixture
def full_disk(monkeypatch):
    """`full_disk(True)` lets every write fail as on a full disk."""
    is_full = threading.Event()
    original = recorder_module._append

    def append(path, line):
        if is_full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(path, line)

    monkeypatch.setattr(recorder_module, "_append", append)
    return lambda full: is_full.set() if full else is_full.clear()


@pytest.mark.filterwarnings("always::UserWarning")
def test_full_disk_loses_no_response_and_warns_once(path, server, full_disk):
    server.respond_with(streamed(delta("fine"), STOP, b"[DONE]"))
    recorder = start_recording(path)
    full_disk(True)
    with warnings.catch_warnings(record=True) as said:
        for prompt in ("one", "two"):
            assert "".join(chunks_of(config_at(server.url, key=None), prompt)) == "fine"
    assert [str(warning.message) for warning in said] == [
        f"{path} cannot be written: No space left on device. Fix that, or choose another path. "
        "Until then the exchanges are kept in memory."
    ]
    assert recorder.count == 0
    with pytest.raises(DocumentError, match=r"2 exchanges are not in .*: No space left on device"):
        stop_innermost()
    assert recording.current() is None


def test_unwritten_exchanges_are_written_later(path, server, full_disk):
    server.respond_with(reply({"choices": [{"message": {"content": "fine"}}]}))
    recorder = start_recording(path)
    full_disk(True)
    with pytest.warns(UserWarning, match="No space left"):
        invoke(config_at(server.url, key=None), "one")
    full_disk(False)
    invoke(config_at(server.url, key=None), "two")
    assert recorder.count == 2
    full_disk(True)
    invoke(config_at(server.url, key=None), "three")
    full_disk(False)
    stop_innermost()
    assert recorder.count == len(CassettePlayer(path)) == 3


def test_line_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "tape.jsonl"
    path.write_bytes(b"heading\n")

    class Filling:
        """A disk that is full after ten bytes."""

        def __init__(self, file):
            self.file, self.room = file, 10

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            if not self.room:
                raise OSError(errno.ENOSPC, "full")
            written = self.file.write(data[: self.room])
            self.room -= written
            return written

    original = type(path).open
    monkeypatch.setattr(type(path), "open", lambda self, *args, **options: Filling(original(self, *args, **options)))
    with pytest.raises(OSError, match="full"):
        recorder_module._append(path, b"a line of more than ten bytes\n")
    monkeypatch.undo()
    assert path.read_bytes() == b"heading\n"


def test_stopped_recorder_writes_nothing_more(tmp_path, server):
    server.respond_with(reply({"choices": [{"message": {"content": "fine"}}]}))
    first = start_recording(tmp_path / "one.jsonl")
    invoke(config_at(server.url, key=None), "Hi")
    second = start_recording(tmp_path / "two.jsonl")
    invoke(config_at(server.url, key=None), "Hi")
    stop_innermost()
    stop_innermost()
    invoke(config_at(server.url, key=None), "Hi")
    assert (first.count, second.count) == (1, 1)


@pytest.mark.parametrize("is_whole", [True, False])
def test_clean_end_of_a_stream_without_end_marker_is_replayed(path, server, gone, is_whole):
    whole = streamed(delta("a"), delta("b"))
    server.respond_with(whole if is_whole else lambda connection, request: connection.sendall(whole[:-5]))

    def ask(url):
        try:
            return chunks_of(config_at(url, key=None), "Hi")[-1:]
        except AzmlError as error:
            return type(error)

    start_recording(path)
    live = ask(server.url)
    start_replay(path)
    assert ask(gone) == live
