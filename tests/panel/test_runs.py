"""Run, Repeat, Compare and Sweep against the embedded endpoint, and how they end."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import socket
import threading

import pytest

from azml_magics.compare import side_by_side
from azml_magics.compare.comparison import Batch
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Interrupted,
    KeyNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from azml_magics.core.response import Response
from azml_magics.display.batch_html import batch_to_html
from azml_magics.emulator import Fault
from azml_magics.emulator.faults import FAULT_KINDS
from azml_magics.panel.model import runs as runs_module
from azml_magics.panel.model.changes import RESULT, STATE
from azml_magics.panel.model.panel_model import PanelModel

from .conftest import KEY, TIMEOUT


@pytest.fixture
def faulty(endpoint, session, chat):
    """`faulty(name, fault)` saves a config whose requests all meet that fault."""

    def save(name, fault, **fields):
        session.save(name, chat.merged(endpoint_url=f"{chat.endpoint_url}?emulator-fault={fault}", **fields))

    return save


@pytest.fixture(autouse=True, scope="module")
def _no_socket_is_left():
    """An unclosed socket warns when it is collected."""
    yield
    gc.collect()


def running(model, changes):
    """Wait until some text has arrived."""
    changes.until(lambda: model.result.row.text)


# ---- a response


def test_response_is_shown_and_recorded(ready, session, wait_until_idle, endpoint):
    ready.set("system", "Be brief.")
    ready.set_kwarg("temperature", "0.5")
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    result = ready.result
    assert "rivers" in result.row.text
    assert (result.is_running, result.number, len(result.batch)) == (False, 1, 1)
    body = endpoint.requests[-1].json()
    assert body["messages"] == ready.messages()
    assert (body["temperature"], body["stream"]) == (0.5, True)
    exchange = session.last
    assert (exchange.number, exchange.config, exchange.messages) == (1, ready.draft.config, ready.messages())
    assert exchange.response.text == result.row.text
    assert session.last_batch is None
    assert ready.draft.is_changed  # running does not save the config


def test_response_grows_while_it_streams(ready, wait_until_idle, endpoint):
    endpoint.rate = 150
    texts, running_ones = [], []

    def hear(parts):
        if RESULT in parts:
            texts.append(ready.result.row.text)
            running_ones.append(ready.result.is_running)

    ready.subscribe(hear)
    ready.runs.run()
    wait_until_idle(ready)
    assert running_ones == [True] * (len(running_ones) - 1) + [False]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert (texts[0], texts[-1]) == ("", ready.session.last.response.text)


def test_received_text_is_shown_while_waiting(ready, wait_until_idle, endpoint, watch):
    endpoint.script([Fault("stalled", after=6)])
    changes = watch(ready)
    ready.runs.run()
    running(ready, changes)
    assert ready.result.is_running
    assert ready.result.row.response.finish_reason is None
    ready.stop()
    wait_until_idle(ready)


def test_status_names_the_running_task(ready, wait_until_idle, endpoint):
    endpoint.script([Fault("stalled", after=3)])
    doing = []
    ready.subscribe(lambda parts: STATE in parts and doing.append(ready.running))
    ready.runs.run()
    assert doing == ["Running…"]
    ready.stop()
    wait_until_idle(ready)
    assert doing[-1] == ""


# ---- the notebook's timeout


def test_status_says_what_the_run_waits_for(ready, wait_until_idle, endpoint, watch):
    endpoint.script([Fault("429", retry_after=1)])
    ready.set("max_retries", "2")
    changes = watch(ready)
    ready.runs.run()
    changes.until(lambda: ready.running == "Running… 429: waiting 1 s, try 2 of 3")
    assert wait_until_idle(ready) == ""
    assert ready.result.row.response.attempts == 2


@pytest.fixture
def timed(session, chat):
    """A panel in a notebook whose timeout is 60 seconds, with the configs `main` and `patient` and a prompt."""
    made = PanelModel(session, timeout=lambda: 60.0)
    session.save("patient", chat.merged(timeout=90))
    session.save("main", chat)
    made.choose("main")
    made.set_prompt("Tell me about rivers")
    yield made
    made.close()


def timeouts(model):
    return [row.config.timeout for row in model.result.batch]


def test_notebook_timeout_overrides_the_configs(timed, wait_until_idle, session):
    timed.runs.run()
    assert wait_until_idle(timed) == ""
    assert timeouts(timed) == [60]
    assert session.last.config.timeout == 60
    assert (timed.draft.config.timeout, timed.draft.is_changed) == (190, False), "the config stays as it is"
    assert session.get("main").timeout == 190


def test_notebook_timeout_applies_to_several_responses(timed, wait_until_idle):
    timed.runs.compare(["patient"])
    wait_until_idle(timed)
    assert timeouts(timed) == [60, 60]
    timed.runs.compare(sweeps={"temperature": [0, 1]})
    wait_until_idle(timed)
    assert timeouts(timed) == [60, 60]


def test_typed_timeout_overrides_the_notebooks(timed, wait_until_idle):
    timed.set("timeout", "7")
    timed.runs.compare(["patient"])
    wait_until_idle(timed)
    assert timeouts(timed) == [7, 60]


def test_new_config_has_the_notebook_timeout(timed, wait_until_idle, chat):
    timed.new()
    timed.set("endpoint_url", chat.endpoint_url)
    timed.set("key", "env:PANEL_KEY")
    assert "--timeout" not in timed.build_cell().text
    timed.runs.run()
    assert wait_until_idle(timed) == ""
    assert timeouts(timed) == [60]


# ---- how it ends


def test_truncated_response_suggests_max_tokens(ready, wait_until_idle):
    ready.set_kwarg("max_tokens", "3")
    ready.runs.run()
    assert wait_until_idle(ready) == "The response was cut at its token limit: raise max_tokens for more."
    assert ready.result.row.response.finish_reason == "length"


def test_typing_during_a_run_affects_the_next(ready, wait_until_idle, endpoint, watch):
    endpoint.script([Fault("stalled", after=5)])
    changes = watch(ready)
    ready.runs.run()
    running(ready, changes)
    ready.set_prompt("Something else")
    ready.set("system", "Something else")
    ready.stop()
    wait_until_idle(ready)
    assert ready.session.last.messages == [{"role": "user", "content": "Tell me about rivers"}]
    assert ready.runs.prompts[1].text == "Tell me about rivers"


def test_markup_in_a_response_is_text(ready, wait_until_idle):
    evil = "<img src=x onerror=alert(1)>"
    ready.set_prompt(f'Say "{evil}"')
    ready.runs.run()
    wait_until_idle(ready)
    assert evil in ready.result.row.text
    assert evil not in batch_to_html(ready.result.batch)


def test_two_megabyte_response_is_complete(ready, session, wait_until_idle, endpoint):
    endpoint.script([Fault("big", size=2_000_000)])
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    assert len(ready.result.row.text) >= 2_000_000
    assert session.last.response.text == ready.result.row.text


def test_wire_format_without_streaming_works(model, session, endpoint, wait_until_idle):
    session.save("score", LLMConfig(endpoint_url=f"{endpoint.url}/score", formatter="gpt2", key="env:PANEL_KEY"))
    model.set_prompt("Tell me about rivers")
    model.runs.run()
    assert wait_until_idle(model) == ""
    assert "rivers" in model.result.row.text


# ---- refused runs


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda model: model.set_prompt(" "), "There is no prompt. Write one into the prompt field."),
        (lambda model: model.set_prompt("{topic}"), "The prompt uses {topic}, and there is no variable 'topic'."),
        (lambda model: model.set_kwarg("temperature", "warm"), "temperature: 'warm' is not a number."),
        (lambda model: model.set_other_kwargs("{"), "the other kwargs: not JSON at column 2: "),
        (lambda model: model.set("timeout", "soon"), "timeout: timeout must be a number of seconds"),
        (lambda model: model.set("key", "s3cret-key"), "key: That is not a key reference"),
        (
            lambda model: model.set("formatter", "gpt2"),
            "formatter: The formatter 'gpt2' works with dedicated endpoints",
        ),
        (lambda model: model.new(), "There is no endpoint. Type its URL, or choose a config."),
        (lambda model: model.set("key", "ask"), "No key was typed for main in this session. Type it into the API key"),
    ],
)
def test_refused_run_is_reported_and_sends_nothing(ready, endpoint, session, prepare, said):
    prepare(ready)
    ready.runs.run()
    note = ready.notes["run"]
    assert note.text.startswith(said)
    assert "--" not in note.text
    assert note.mood == "bad"
    assert (ready.running, ready.result) == ("", None)
    assert (len(endpoint.requests), session.history) == (0, [])


def test_error_note_goes_with_the_next_run(ready, wait_until_idle):
    ready.set_kwarg("temperature", "warm")
    ready.runs.run()
    ready.set_kwarg("temperature", "1")
    ready.runs.run()
    assert wait_until_idle(ready) == ""


def test_typed_key_is_used_for_its_host(ready, wait_until_idle, contains_text):
    ready.set("key", "ask")
    ready.set_key(f"Bearer {KEY}\n")
    assert ready.notes["endpoint"].text == "The key is kept in memory for this session. It is not saved."
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    assert "rivers" in ready.result.row.text
    assert not contains_text(ready, KEY)


# ---- failures


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


FAILURES = {
    "401": (AuthenticationError, "Check the key, and that it belongs to this endpoint."),
    "403": (PermissionDeniedError, "or ask the owner of the gateway for a larger quota."),
    "404": (NotFoundError, ""),
    "429": (RateLimitError, "Wait, lower the concurrency, or scale the deployment out."),
    "504": (APITimeoutError, ""),
}


@pytest.mark.parametrize("fault", FAILURES)
def test_endpoint_error_is_reported_with_a_remedy(ready, session, endpoint, wait_until_idle, fault):
    kind, remedy = FAILURES[fault]
    endpoint.script([Fault(fault)])
    ready.runs.run()
    note = wait_until_idle(ready)
    assert note.endswith(remedy)
    assert "\n" not in note
    assert ready.notes["run"].mood == "bad"
    assert type(ready.result.row.error) is kind
    assert session.last.error is ready.result.row.error


@pytest.mark.parametrize("kind", [kind.name for kind in FAULT_KINDS])
def test_every_fault_ends_in_a_response_or_a_note(ready, endpoint, wait_until_idle, contains_text, kind):
    options = {"seconds": 30} if kind in {"slow", "slow-stream"} else {}
    ready.set("timeout", "0.4" if kind in {"slow", "slow-stream", "stalled"} else "20")
    endpoint.script([Fault(kind, **options)])
    ready.runs.run()
    note, row = wait_until_idle(ready), ready.result.row
    assert row.response is not None or row.error is not None
    assert bool(row.error) == (ready.notes["run"].mood == "bad")
    assert len(note.splitlines()) == bool(row.error)
    for sign in ("--", "%azureml", "Traceback", KEY):
        assert sign not in note
    exchange = ready.session.last
    assert (exchange.error, exchange.response) == (row.error, row.response)
    assert not contains_text(ready, KEY)


def test_unreachable_host_is_reported(ready, wait_until_idle):
    ready.set("endpoint_url", f"http://127.0.0.1:{closed_port()}/v1/chat/completions")
    ready.runs.run()
    note = wait_until_idle(ready)
    assert note.startswith("Cannot connect to 127.0.0.1")
    assert note.endswith("Check the URL, the network and the VPN.")
    assert isinstance(ready.result.row.error, APIConnectionError)


def test_timeout_is_reported(ready, endpoint, wait_until_idle):
    endpoint.script([Fault("slow", seconds=30)])
    ready.set("timeout", "0.2")
    ready.runs.run()
    note = wait_until_idle(ready)
    assert "--" not in note
    assert isinstance(ready.result.row.error, APITimeoutError)


def test_missing_key_is_reported_with_a_remedy(ready, endpoint, session, wait_until_idle):
    ready.set("key", "env:NOT_THERE")
    ready.runs.run()
    assert wait_until_idle(ready) == (
        "No key: the environment variable NOT_THERE is not set. "
        "Set it before starting Jupyter, or type the key into the API key field."
    )
    assert isinstance(session.last.error, KeyNotFoundError)
    assert len(endpoint.requests) == 0


def test_wrong_key_is_never_shown(ready, wait_until_idle, contains_text, monkeypatch, logged):
    monkeypatch.setenv("WRONG_KEY", "another-s3cret-key")
    ready.set("key", "env:WRONG_KEY")
    ready.runs.run()
    assert wait_until_idle(ready).startswith("The endpoint did not accept the key")
    assert not contains_text(ready, "another-s3cret-key")
    assert not [record for record in logged if "another-s3cret-key" in record.getMessage()]


def test_text_before_a_failure_is_kept(ready, session, endpoint, wait_until_idle):
    endpoint.script([Fault("cut", after=8)])
    ready.runs.run()
    assert wait_until_idle(ready)
    row = ready.result.row
    assert row.text
    assert row.error is not None
    assert session.last.response.text == row.text


# ---- stopping


def test_stop_before_the_first_byte(ready, session, endpoint, wait_until_idle, watch):
    endpoint.script([Fault("slow", seconds=TIMEOUT)])
    changes = watch(ready)
    ready.runs.run()
    changes.until(lambda: len(endpoint.requests) == 1)
    ready.stop()
    assert wait_until_idle(ready) == "Stopped before any text arrived."
    assert ready.notes["run"].mood == "plain"
    assert (ready.running, ready.result.is_running) == ("", False)
    assert isinstance(session.last.error, Interrupted)
    assert session.last.response is None


def test_stop_keeps_the_received_text(ready, session, endpoint, wait_until_idle, watch):
    endpoint.script([Fault("stalled", after=6)])
    changes = watch(ready)
    ready.runs.run()
    running(ready, changes)
    ready.stop()
    assert wait_until_idle(ready) == "Stopped. The text received so far is kept."
    row = ready.result.row
    assert row.text
    assert row.response.finish_reason == "interrupted"
    assert (session.last.response, session.last.error) == (row.response, row.error)


def test_stop_at_once(ready, session, wait_until_idle):
    ready.runs.run()
    ready.stop()
    ready.stop()
    wait_until_idle(ready)
    assert len(session.history) == 1
    assert ready.result.row.error is not None or ready.result.row.text


def test_run_after_stop(ready, endpoint, wait_until_idle, watch):
    endpoint.script([Fault("slow", seconds=TIMEOUT)])
    changes = watch(ready)
    ready.runs.run()
    changes.until(lambda: len(endpoint.requests) == 1)
    ready.stop()
    wait_until_idle(ready)
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    assert "rivers" in ready.result.row.text


def test_stop_is_repeated_if_swallowed(ready, wait_until_idle, watch, monkeypatch):
    """On Python 3.10 a connection that is being opened can swallow a cancellation."""

    class Deaf:
        """A stream that never starts and ignores the first cancellation."""

        swallowed = 0

        def __init__(self, config, messages, *, tools):
            self.response = Response("", config=config.name)

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def __aiter__(self):
            try:
                await asyncio.sleep(TIMEOUT)
            except asyncio.CancelledError:
                Deaf.swallowed += 1
            await asyncio.sleep(TIMEOUT)
            yield

    monkeypatch.setattr(side_by_side, "astream", Deaf)
    monkeypatch.setattr(side_by_side, "_CANCEL_AGAIN_AFTER", 0.01)
    changes = watch(ready)
    ready.runs.run()
    calls = ready.runs._batch_run
    changes.until(lambda: calls._streams)
    ready.stop()
    assert wait_until_idle(ready) == "Stopped before any text arrived."
    assert calls.wait(TIMEOUT)
    assert Deaf.swallowed == 1


def test_stop_without_a_run_does_nothing(ready):
    ready.stop()
    assert ready.notes.get("run") is None
    assert ready.notes.get("endpoint") is None


def test_two_clicks_send_one_request(ready, endpoint, session, wait_until_idle, watch):
    endpoint.script([Fault("stalled", after=3)])
    changes = watch(ready)
    ready.runs.run()
    ready.runs.run()
    assert ready.notes["run"].text == "Another task is running. Stop it first."
    ready.runs.compare(repeats=3)
    ready.checks.test()
    assert ready.notes["endpoint"].text == "Another task is running. Stop it first."
    running(ready, changes)
    ready.stop()
    wait_until_idle(ready)
    assert (len(endpoint.requests), len(session.history)) == (1, 1)


def test_clicks_from_many_threads_send_one_request(ready, endpoint, session, wait_until_idle, watch):
    endpoint.script([Fault("stalled", after=3)])
    changes, together = watch(ready), threading.Barrier(8, timeout=TIMEOUT)

    def click():
        together.wait()
        ready.runs.run()

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(TIMEOUT)
    running(ready, changes)
    ready.stop()
    wait_until_idle(ready)
    assert (len(endpoint.requests), len(session.history)) == (1, 1)


def test_close_ends_the_run_without_notifying(ready, endpoint, watch):
    endpoint.script([Fault("stalled", after=3)])
    changes = watch(ready)
    ready.runs.run()
    running(ready, changes)
    ours = [thread for thread in threading.enumerate() if thread.name == "azml-magics-panel"]
    ready.close()
    told = len(changes.parts)
    for thread in ours:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
    assert len(changes.parts) == told
    assert ready.running == ""


def test_click_at_the_end_of_a_run_starts_another(ready, endpoint, session, monkeypatch):
    """The finish callback of the first run must not end the second."""
    monkeypatch.setattr(runs_module, "FRAME", TIMEOUT)
    endpoint.script([None, Fault("stalled", after=3)])
    with ready.changing():  # blocks the finish callback of the first run
        ready.runs.run()
        first = ready.worker._unfinished[0]  # it may have ended; its finish callback waits
        while ready.running:
            first.ended.wait(0.01)
        monkeypatch.setattr(runs_module, "FRAME", 0.01)
        ready.runs.run()
        second = ready.result
        assert second.is_running
    assert first.ended.wait(TIMEOUT)
    assert len(session.history) == 1
    assert ready.running == "Running…"
    assert ready.result.is_running
    ready.stop()
    assert ready.worker.wait(TIMEOUT)
    assert isinstance(ready.result.row.error, Interrupted)
    assert len(session.history) == 2


# ---- several


def test_repeat_sends_the_same_request(ready, session, wait_until_idle, endpoint):
    ready.runs.compare(repeats=3)
    assert wait_until_idle(ready) == "3 responses, 1 different."
    assert ready.notes["run"].mood == "good"
    batch = ready.result.batch
    assert [row.label for row in batch] == ["1", "2", "3"]
    assert len(endpoint.requests) == len(session.history) == 3
    assert session.last_batch is batch
    assert ready.result.number == 3


def test_compare_sends_to_the_other_configs(ready, session, chat, wait_until_idle):
    session.save("text", chat.merged(endpoint_url=chat.endpoint_url.replace("/chat", "")))
    ready.set("system", "Be brief.")  # unsaved: the config in the controls is used
    ready.runs.compare(["text"])
    wait_until_idle(ready)
    assert [row.label for row in ready.result.batch] == ["main", "text"]
    assert all("rivers" in text for text in ready.result.batch.texts)
    assert session.history[0].messages[0] == {"role": "system", "content": "Be brief."}
    assert [each.config.name for each in session.history] == ["main", "text"]


def test_unnamed_config_can_be_compared(ready, session, chat, wait_until_idle):
    ready.new()
    ready.set("endpoint_url", chat.endpoint_url)
    ready.set("key", "env:PANEL_KEY")
    ready.runs.compare(["main"])
    wait_until_idle(ready)
    assert [row.label for row in ready.result.batch] == ["new config", "main"]


def test_sweep_sends_every_combination(ready, wait_until_idle, endpoint):
    ready.runs.compare(sweeps={"temperature": [0, 0.5], "seed": [1, 2]})
    wait_until_idle(ready)
    assert [row.setting for row in ready.result.batch] == [
        {"temperature": 0, "seed": 1},
        {"temperature": 0, "seed": 2},
        {"temperature": 0.5, "seed": 1},
        {"temperature": 0.5, "seed": 2},
    ]
    assert len(endpoint.requests) == 4


def test_failed_row_is_shown_beside_the_others(ready, session, faulty, wait_until_idle):
    faulty("broken", "401")
    faulty("cut", "cut;after=8")
    session.save("keyless", session.get("main").merged(key="env:NOT_THERE"))
    session.save("nowhere", LLMConfig())
    ready.runs.compare(["broken", "cut", "keyless", "nowhere"])
    note = wait_until_idle(ready)
    assert note == "5 responses, 1 different, 4 failed."
    assert ready.notes["run"].mood == "bad"
    batch = ready.result.batch
    assert [type(error).__name__ for error in batch.errors] == [
        "NoneType",
        "AuthenticationError",
        "StreamInterruptedError",
        "KeyNotFoundError",
        "ConfigError",
    ]
    assert batch[2].text
    assert [each.error for each in session.history] == batch.errors


def test_stop_ends_all_and_keeps_complete_responses(ready, session, faulty, wait_until_idle, watch):
    faulty("stuck", "stalled;after=3")
    changes = watch(ready)
    ready.runs.compare(["stuck"])
    changes.until(lambda: ready.result.batch[0].response and ready.result.batch[0].response.finish_reason)
    changes.until(lambda: ready.result.batch[1].text)
    ready.stop()
    wait_until_idle(ready)
    whole, stopped = ready.result.batch
    assert whole.error is None
    assert isinstance(stopped.error, Interrupted)
    assert stopped.text
    assert len(session.history) == 2


def test_configs_values_and_times_multiply(ready, session, chat, wait_until_idle, endpoint):
    for name in ("second", "third"):
        session.save(name, chat)
    doing = []
    ready.subscribe(lambda parts: STATE in parts and doing.append(ready.running))
    ready.runs.compare(["second", "third"], {"temperature": [0, 1]}, 2)
    wait_until_idle(ready)
    assert doing[0] == "Running 3 configs x 2 values of temperature x 2 times = 12 requests…"
    assert len(endpoint.requests) == 12
    settings = [dict(row.setting) for row in ready.result.batch]
    assert settings[0] == {"config": "main", "temperature": 0, "repeat": 1}
    assert settings[-1] == {"config": "third", "temperature": 1, "repeat": 2}
    assert len({tuple(setting.items()) for setting in settings}) == 12
    assert list(ready.result.ids) == [each.id for each in session.history]


def test_sweep_leaves_the_controls_unchanged(ready, wait_until_idle):
    ready.set_kwarg("temperature", "0.9")
    ready.runs.compare(sweeps={"temperature": [0, 1]})
    wait_until_idle(ready)
    assert ready.draft.config.model_kwargs == {"temperature": 0.9}


@pytest.mark.parametrize(
    ("click", "said"),
    [
        (lambda runs: runs.compare(repeats=0), "Repeat takes a number of at least 1, not 0."),
        (lambda runs: runs.compare(repeats=101), "That would be 101 requests. One click sends at most 100 requests."),
        (lambda runs: runs.compare(repeats=10**12), "That would be 1,000,000,000,000 requests. One click sends"),
        (lambda runs: runs.compare(), "There is nothing to compare. Choose another config, values of a parameter, or"),
        (lambda runs: runs.compare(["gone"]), "No config named 'gone'."),
        (lambda runs: runs.compare(sweeps={"seed": [1, math.inf]}), "The model kwarg 'seed' cannot be sent as JSON"),
        (lambda runs: runs.compare(sweeps={"top_p": ["high"]}), "top_p takes a number, not the text 'high'."),
        (
            lambda runs: runs.compare(sweeps={f"kwarg{n}": range(100) for n in range(10)}),
            "That would be 100 values of kwarg0 x 100 values of kwarg1",
        ),
    ],
)
def test_refused_side_by_side_run_is_reported(ready, endpoint, click, said):
    click(ready.runs)
    assert ready.notes["run"].text.startswith(said)
    assert ready.notes["run"].mood == "bad"
    assert (ready.running, ready.result, len(endpoint.requests)) == ("", None, 0)


def test_typed_key_serves_several_requests(ready, session, wait_until_idle):
    session.save("other", session.get("main").merged(key="ask"))
    ready.runs.compare(["other"])
    assert ready.notes["run"].text.startswith("No key was typed for other in this session.")
    ready.set_key(KEY)
    ready.runs.compare(["other"])
    wait_until_idle(ready)
    assert ready.result.batch.errors == [None, None]


# ---- concurrency


def test_concurrent_actions_do_not_deadlock(ready, session, chat, endpoint, wait_until_idle):
    session.save("other", chat)
    endpoint.rate = 2000
    together = threading.Barrier(10, timeout=TIMEOUT)
    ready.subscribe(lambda parts: (ready.draft.config, ready.variables(), ready.build_cell(), ready.versions.entries()))
    actions = [
        lambda n: ready.runs.run(),
        lambda n: ready.stop(),
        lambda n: ready.set_kwarg("temperature", str(n / 10)),
        lambda n: ready.choose(("main", "other")[n % 2]),
        lambda n: session.save("main", chat.merged(timeout=n + 1)),
        lambda n: session.use(("main", "other")[n % 2]),
        lambda n: ready.set_prompt(f"Tell me about rivers {n}"),
        lambda n: ready.history.restore(n),
        lambda n: (ready.refresh_variables(), ready.save()),
        lambda n: session.record(chat, [{"role": "user", "content": "x"}]),
    ]
    failures = []

    def act(action):
        together.wait()
        try:
            for n in range(20):
                action(n)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=act, args=(action,), daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
    ready.stop()
    wait_until_idle(ready)
    assert failures == []
    assert isinstance(ready.result.batch, Batch)
