"""Several requests at once: in order, bounded, independent, and stopped by one interrupt."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading

import pytest

from azml_magics.compare import side_by_side
from azml_magics.compare.side_by_side import BatchRequest, BatchRun, expand_sweep, run_batch
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ConfigError,
    Interrupted,
    KeyNotFoundError,
    RateLimitError,
    SchemaError,
    StreamInterruptedError,
    UnknownNameError,
    UsageError,
)
from azml_magics.core.http import recording
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt.schema import Schema
from azml_magics.core.secret import Secret
from azml_magics.emulator import Fault
from azml_magics.pytest_plugin import KEY

from ..core.server import STREAM_HEAD, chunk, delta, event, reply, streamed

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
HELLO = as_messages("Hello", None)


@pytest.fixture
def endpoint(azml_endpoint):
    return azml_endpoint


@pytest.fixture
def chat(endpoint):
    return LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key=Secret(KEY), max_retries=0)


@pytest.fixture(autouse=True)
def _nothing_goes_on():
    """No thread and no socket outlives a run: an unclosed one warns when it is collected."""
    before = set(threading.enumerate())
    yield
    ours = [thread for thread in threading.enumerate() if thread.name == "azml-magics-side-by-side"]
    for thread in set(ours) - before:
        thread.join(20)
        assert not thread.is_alive()
    gc.collect()


def asks_of(config, *prompts):
    return [BatchRequest({"n": n}, config, as_messages(prompt, None)) for n, prompt in enumerate(prompts)]


# ---- sweep


def test_expand_sweep_changes_the_last_kwarg_fastest():
    config = LLMConfig(model_kwargs={"temperature": 9, "seed": 1})
    swept = expand_sweep(config, {"temperature": [0, 1], "top_p": [0.1, 0.9]})
    assert [setting for setting, _ in swept] == [
        {"temperature": 0, "top_p": 0.1},
        {"temperature": 0, "top_p": 0.9},
        {"temperature": 1, "top_p": 0.1},
        {"temperature": 1, "top_p": 0.9},
    ]
    assert [changed.model_kwargs for _, changed in swept] == [{"seed": 1, **setting} for setting, _ in swept]
    assert config.model_kwargs == {"temperature": 9, "seed": 1}


def test_expand_sweep_needs_values_for_each_kwarg():
    assert expand_sweep(LLMConfig(), {}) == [({}, LLMConfig())]
    with pytest.raises(UsageError, match="at least one value"):
        expand_sweep(LLMConfig(), {"temperature": [0], "top_p": []})
    with pytest.raises(ConfigError, match="'top_p' cannot be sent as JSON"):
        expand_sweep(LLMConfig(), {"top_p": [object()]})


# ---- responses


def test_rows_keep_the_order_of_requests(endpoint, chat):
    words = [f"word{n}" for n in range(12)]
    endpoint.script([Fault("slow", seconds=0.2), None, Fault("slow", seconds=0.1)])
    made = run_batch(asks_of(chat, *(f'Say "{word}"' for word in words)))
    assert [row.setting["n"] for row in made] == list(range(12))
    assert all(word in row.text for word, row in zip(words, made, strict=True))
    assert made.errors == [None] * 12
    assert made.is_complete


@pytest.mark.parametrize("concurrency", [1, 3])
def test_concurrency_bounds_requests_under_way(endpoint, chat, concurrency):
    endpoint.latency = 0.02
    made = run_batch(asks_of(chat, *["Hello"] * 7), concurrency=concurrency)
    assert made.errors == [None] * 7
    assert 1 <= endpoint.in_flight_peak <= concurrency


def test_as_many_requests_as_allowed_are_under_way(server, config_of):
    together = threading.Barrier(3, timeout=20)  # no response before three requests have arrived

    def answer(connection, request):
        together.wait()
        connection.sendall(streamed(delta("Hi"), STOP, b"[DONE]"))
        return True

    server.respond_with(answer)
    assert run_batch(asks_of(config_of(), *["Hello"] * 6), concurrency=3).texts == ["Hi"] * 6


def test_wire_formats_with_and_without_streams_go_together(endpoint, chat):
    score = LLMConfig(endpoint_url=f"{endpoint.url}/score", key=Secret(KEY), formatter="gpt2")
    made = run_batch([BatchRequest({"config": "chat"}, chat, HELLO), BatchRequest({"config": "score"}, score, HELLO)])
    assert all(made.texts)
    assert made.errors == [None, None]


def test_request_without_stream_gets_a_whole_response(endpoint, chat):
    asks = [BatchRequest({"n": 1}, chat, HELLO, stream=False), BatchRequest({"n": 2}, chat, HELLO)]
    assert run_batch(asks).errors == [None, None]
    assert sorted(request.json().get("stream", False) for request in endpoint.requests) == [False, True]


def test_run_of_no_requests_is_empty():
    made = run_batch([])
    assert len(made) == 0
    assert made.is_complete


def test_concurrency_below_one_is_refused_before_sending():
    with pytest.raises(ValueError, match="concurrency must be at least 1, not 0"):
        run_batch(asks_of(LLMConfig(), "Hello"), concurrency=0)


# ---- failures


def test_failure_stops_no_other_row(server, config_of):
    half = STREAM_HEAD + chunk(event(delta("half"))) + b"0\r\n\r\n"
    broken = STREAM_HEAD + chunk(event(delta("torn")))
    server.respond_with(
        reply({"message": "slow down"}, 429), half, lambda connection, request: connection.sendall(broken)
    )
    config = config_of()
    unreachable = config.merged(endpoint_url="http://127.0.0.1:9/v1/chat/completions")
    first = run_batch(asks_of(config, "a", "b", "c"), concurrency=1)
    assert [type(error) for error in first.errors] == [RateLimitError, type(None), StreamInterruptedError]
    assert first.texts == ["", "half", "torn"]
    server.respond_with(reply({"message": "no"}, 401), streamed(delta("fine"), STOP, b"[DONE]"))
    made = run_batch([*asks_of(config, "a"), *asks_of(unreachable, "b"), *asks_of(config, "c")], concurrency=1)
    assert [type(error) for error in made.errors] == [AuthenticationError, APIConnectionError, type(None)]
    assert made.texts == ["", "", "fine"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"key": "env:NO_SUCH_KEY"}, KeyNotFoundError),
        ({"formatter": "nonsense"}, UnknownNameError),
        ({"formatter": "gpt2"}, ConfigError),
        ({"endpoint_url": ""}, ConfigError),
    ],
)
def test_config_error_becomes_the_rows_error(chat, changes, kind):
    made = run_batch([*asks_of(chat.merged(**changes), "a"), *asks_of(chat, "b")])
    assert [type(error) for error in made.errors] == [kind, type(None)]
    assert made.responses[0] is None
    assert made.texts[1]


def test_unexpected_error_leaves_no_row_open(chat, monkeypatch):
    async def failing(*args, **kwargs):
        raise RuntimeError("no threads left")

    monkeypatch.setattr(side_by_side, "map_async", failing)
    made = run_batch(asks_of(chat, "a", "b"))
    assert [str(error) for error in made.errors] == ["no threads left"] * 2


# ---- while it runs


@pytest.fixture
def stalling(server):
    """A server that streams one word, keeps the line open, and goes on when told."""
    let_go = threading.Event()

    def act(connection, request):
        connection.sendall(STREAM_HEAD + chunk(event(delta("partial "))))
        if not let_go.wait(20):
            return False
        connection.sendall(
            chunk(event(delta("and whole"))) + chunk(event(STOP)) + chunk(event(b"[DONE]")) + b"0\r\n\r\n"
        )
        return True

    server.respond_with(act)
    yield let_go
    let_go.set()


def test_show_gets_text_while_responses_arrive(stalling, config_of):
    frames = []

    def show(so_far):
        frames.append(so_far)
        if so_far.texts == ["partial "] * 3:
            stalling.set()

    made = run_batch(asks_of(config_of(), "a", "b", "c"), show=show)
    assert made.texts == ["partial and whole"] * 3
    assert any(frame.texts == ["partial "] * 3 and not frame.is_complete for frame in frames)
    assert all(frame.errors == [None] * 3 for frame in frames)
    assert made.is_complete


def test_show_is_called_at_most_twenty_times_a_second(stalling, config_of, monkeypatch):
    steps = []
    original = BatchRun.wait

    def wait(self, seconds):
        steps.append(seconds)
        return original(self, seconds)

    def show(so_far):
        steps.append("shown")
        if steps.count("shown") == 5:
            stalling.set()

    monkeypatch.setattr(BatchRun, "wait", wait)
    run_batch(asks_of(config_of(), "a"), show=show)
    assert steps.count("shown") >= 5
    assert all(steps[at - 1] >= 1 / 20 for at, step in enumerate(steps) if step == "shown")


async def test_run_batch_works_inside_a_running_loop(endpoint, chat):
    made = run_batch(asks_of(chat, "Hello", "Hi"))
    assert made.errors == [None, None]


def test_typed_key_is_prompted_for_once_in_callers_thread(endpoint, chat, monkeypatch):
    asked = []

    def getpass(prompt):
        asked.append(threading.current_thread())
        return KEY

    monkeypatch.setattr("getpass.getpass", getpass)
    made = run_batch(asks_of(chat.merged(key="ask"), "a", "b", "c"))
    assert made.errors == [None] * 3
    assert asked == [threading.main_thread()]


def test_replay_prompts_for_no_key(chat, monkeypatch):
    class Player:
        replays = True

        def replay(self, request):
            return recording.RecordedResponse(200, {}, [(0.0, b'{"choices": [{"message": {"content": "kept"}}]}')])

    monkeypatch.setattr("getpass.getpass", lambda prompt: pytest.fail("asked for a key"))
    recording.use(Player())
    try:
        assert run_batch(asks_of(chat.merged(key="ask"), "a")).texts == ["kept"]
    finally:
        recording.use(None)


# ---- interrupts


@pytest.fixture
def interruptible():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_interrupt_keeps_all_that_had_arrived_in_its_batch(stalling, server, config_of, interruptible):
    """Ten rows, four at a time: four have begun, six have not."""
    interrupted = threading.Event()

    def show(so_far):
        if sum(map(bool, so_far.texts)) == 4 and not interrupted.is_set():
            interrupted.set()
            threading.Thread(target=interruptible).start()

    with pytest.raises(Interrupted) as caught:
        run_batch(asks_of(config_of(), *"abcdefghij"), concurrency=4, show=show)
    made = caught.value.batch
    assert made.texts == ["partial "] * 4 + [""] * 6
    assert all(isinstance(error, Interrupted) for error in made.errors)
    assert [error.response for error in made.errors] == made.responses
    assert [response.finish_reason for response in made.responses[:4]] == ["interrupted"] * 4
    assert made.is_complete
    assert str(caught.value).startswith("Stopped; 0 of 10 responses were complete.")
    assert len(server.received) == 4


def test_whole_responses_stay_whole_after_an_interrupt(server, config_of, interruptible):
    let_go = threading.Event()

    def stall(connection, request):
        let_go.wait(20)
        return False

    def act(connection, request):
        if b'"quick"' in request.body:
            connection.sendall(streamed(delta("whole"), STOP, b"[DONE]"))
            return True
        return stall(connection, request)

    def show(so_far):
        if so_far.texts[0]:
            interruptible()

    server.respond_with(act)
    try:
        with pytest.raises(Interrupted) as caught:
            run_batch(asks_of(config_of(), "quick", "slow"), show=show)
    finally:
        let_go.set()
    made = caught.value.batch
    assert (made[0].text, made[0].error, made[0].response.finish_reason) == ("whole", None, "stop")
    assert (made[1].response, type(made[1].error)) == (None, Interrupted)
    assert "1 of 2 responses were complete" in str(caught.value)


def test_interrupt_at_the_key_prompt_sends_nothing(server, config_of, monkeypatch):
    def getpass(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", getpass)
    with pytest.raises(Interrupted) as caught:
        run_batch(asks_of(config_of(key="ask"), "a", "b"))
    assert [type(error) for error in caught.value.batch.errors] == [Interrupted, Interrupted]
    assert server.received == []


def test_error_of_show_stops_the_requests(stalling, config_of):
    def show(so_far):
        raise OSError("the display has gone")

    with pytest.raises(OSError, match="the display has gone"):
        run_batch(asks_of(config_of(), "a", "b"), show=show)


def test_stop_does_nothing_before_start_or_after_end(stalling, config_of):
    unstarted = BatchRun(asks_of(config_of(), "a"))
    unstarted.stop()
    assert unstarted.batch.texts == [""]
    stalling.set()
    calls = BatchRun(asks_of(config_of(), "a")).start()
    assert calls.wait(20)
    calls.stop()
    calls.stop()
    assert calls.batch.texts == ["partial and whole"]
    assert calls.batch.errors == [None]


def test_stop_at_once_starts_nothing_more(stalling, server, config_of):
    for _ in range(5):
        calls = BatchRun(asks_of(config_of(), *"abc"), concurrency=1).start()
        calls.stop()
        assert calls.wait(20)
        assert [type(error) for error in calls.batch.errors] == [Interrupted] * 3
    with contextlib.suppress(IndexError):
        assert server.received[-1].json["messages"] == [{"role": "user", "content": "a"}]


def test_concurrency_may_exceed_the_number_of_requests(endpoint, chat):
    assert run_batch(asks_of(chat, "Hello"), concurrency=100).errors == [None]


# ---- schemas

AGE = Schema("age", {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


def test_response_of_a_schema_is_parsed(endpoint, chat):
    [row] = run_batch([BatchRequest({}, chat, HELLO, schema=AGE)])
    assert row.error is None
    assert list(row.response.parsed) == ["age"]
    assert row.response.format == "json"
    assert endpoint.requests[-1].json()["response_format"]["json_schema"]["name"] == "age"
    assert row.config == chat  # what the schema adds is in as_sent()


def test_schema_becomes_instruction_after_refusal(endpoint, chat):
    endpoint.script([Fault("400", message="response_format is not supported"), None])
    run_batch([BatchRequest({}, chat, HELLO, schema=AGE)])
    first, second = (request.json() for request in endpoint.requests)
    assert "response_format" in first
    assert "response_format" not in second
    assert "Answer with JSON alone" in second["messages"][-1]["content"]


def test_other_refusal_of_a_schema_is_not_repeated(endpoint, chat):
    endpoint.script([Fault("400", message="maximum context length")])
    [row] = run_batch([BatchRequest({}, chat, HELLO, schema=AGE)])
    assert type(row.error) is BadRequestError
    assert len(endpoint.requests) == 1


def test_row_that_violates_its_schema_keeps_its_text(chat, endpoint):
    odd = Schema(
        "odd", {"type": "object", "properties": {"age": {"type": "string", "pattern": "^x{40}$"}}, "required": ["age"]}
    )
    good, bad = run_batch([BatchRequest({}, chat, HELLO), BatchRequest({}, chat, HELLO, schema=odd)])
    assert good.error is None
    assert type(bad.error) is SchemaError
    assert bad.text
