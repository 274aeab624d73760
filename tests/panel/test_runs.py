"""What the panel runs, against the real endpoint: answers, one or several, and what stops them."""

from __future__ import annotations

import asyncio
import gc
import itertools
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

from .conftest import KEY, LONG


@pytest.fixture
def faulty(endpoint, session, chat):
    """`faulty(name, fault)` saves a config that meets a fault with every request."""

    def save(name, fault, **fields):
        session.save(name, chat.merged(endpoint_url=f"{chat.endpoint_url}?emulator-fault={fault}", **fields))

    return save


@pytest.fixture(autouse=True, scope="module")
def _no_socket_is_left():
    """An unclosed one warns when it is collected."""
    yield
    gc.collect()


def running(model, changes):
    """Wait until something of the answer is there."""
    changes.until(lambda: model.result.row.text)


# ---- an answer


def test_response_is_shown_and_recorded(asking, session, settled, endpoint):
    asking.set("system", "Be brief.")
    asking.set_kwarg("temperature", "0.5")
    asking.runs.run()
    assert settled(asking) == ""
    result = asking.result
    assert "rivers" in result.row.text
    assert (result.is_running, result.number, len(result.batch)) == (False, 1, 1)
    body = endpoint.requests[-1].json()
    assert body["messages"] == asking.messages()
    assert (body["temperature"], body["stream"]) == (0.5, True)
    exchange = session.last
    assert (exchange.number, exchange.config, exchange.messages) == (1, asking.draft.config, asking.messages())
    assert exchange.response.text == result.row.text
    assert session.last_batch is None
    assert asking.draft.is_changed  # asking saves nothing


def test_response_grows_while_it_streams(asking, settled, endpoint):
    endpoint.rate = 150
    texts, running_ones = [], []

    def hear(parts):
        if RESULT in parts:
            texts.append(asking.result.row.text)
            running_ones.append(asking.result.is_running)

    asking.subscribe(hear)
    asking.runs.run()
    settled(asking)
    assert running_ones == [True] * (len(running_ones) - 1) + [False]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert (texts[0], texts[-1]) == ("", asking.session.last.response.text)


def test_received_text_is_shown_while_waiting(asking, settled, endpoint, watched):
    endpoint.script([Fault("stalled", after=6)])
    changes = watched(asking)
    asking.runs.run()
    running(asking, changes)
    assert asking.result.is_running
    assert asking.result.row.response.finish_reason is None
    asking.stop()
    settled(asking)


def test_status_names_the_running_task(asking, settled, endpoint):
    endpoint.script([Fault("stalled", after=3)])
    doing = []
    asking.subscribe(lambda parts: STATE in parts and doing.append(asking.running))
    asking.runs.run()
    assert doing == ["Running…"]
    asking.stop()
    settled(asking)
    assert doing[-1] == ""


# ---- the notebook's own timeout


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


def test_notebook_timeout_overrides_the_configs(timed, settled, session):
    timed.runs.run()
    assert settled(timed) == ""
    assert timeouts(timed) == [60]
    assert session.last.config.timeout == 60
    assert (timed.draft.config.timeout, timed.draft.is_changed) == (190, False), "the config stays as it is"
    assert session.get("main").timeout == 190


def test_notebook_timeout_applies_to_several_responses(timed, settled):
    timed.runs.compare(["patient"])
    settled(timed)
    assert timeouts(timed) == [60, 60]
    timed.runs.sweep({"temperature": "0, 1"})
    settled(timed)
    assert timeouts(timed) == [60, 60]


def test_typed_timeout_overrides_the_notebooks(timed, settled):
    timed.set("timeout", "7")
    timed.runs.compare(["patient"])
    settled(timed)
    assert timeouts(timed) == [7, 60]


def test_new_config_has_the_notebook_timeout(timed, settled, chat):
    timed.new()
    timed.set("endpoint_url", chat.endpoint_url)
    timed.set("key", "env:PANEL_KEY")
    assert "--timeout" not in timed.cell().text
    timed.runs.run()
    assert settled(timed) == ""
    assert timeouts(timed) == [60]


# ---- how it ends


def test_truncated_response_suggests_max_tokens(asking, settled):
    asking.set_kwarg("max_tokens", "3")
    asking.runs.run()
    assert settled(asking) == "The response was cut at its token limit: raise max_tokens for more."
    assert asking.result.row.response.finish_reason == "length"


def test_typing_during_a_run_affects_the_next(asking, settled, endpoint, watched):
    endpoint.script([Fault("stalled", after=5)])
    changes = watched(asking)
    asking.runs.run()
    running(asking, changes)
    asking.set_prompt("Something else")
    asking.set("system", "Something else")
    asking.stop()
    settled(asking)
    assert asking.session.last.messages == [{"role": "user", "content": "Tell me about rivers"}]
    assert asking.runs.prompts[1].text == "Tell me about rivers"


def test_markup_in_a_response_is_text(asking, settled):
    evil = "<img src=x onerror=alert(1)>"
    asking.set_prompt(f'Say "{evil}"')
    asking.runs.run()
    settled(asking)
    assert evil in asking.result.row.text
    assert evil not in batch_to_html(asking.result.batch)


def test_two_megabyte_response_is_complete(asking, session, settled, endpoint):
    endpoint.script([Fault("big", size=2_000_000)])
    asking.runs.run()
    assert settled(asking) == ""
    assert len(asking.result.row.text) >= 2_000_000
    assert session.last.response.text == asking.result.row.text


def test_wire_format_without_streaming_works(model, session, endpoint, settled):
    session.save("score", LLMConfig(endpoint_url=f"{endpoint.url}/score", formatter="gpt2", key="env:PANEL_KEY"))
    model.set_prompt("Tell me about rivers")
    model.runs.run()
    assert settled(model) == ""
    assert "rivers" in model.result.row.text


# ---- what keeps it from being asked


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda model: model.set_prompt(" "), "There is no prompt. Write one into the prompt field."),
        (lambda model: model.set_prompt("{topic}"), "The prompt uses {topic}, and there is no variable 'topic'."),
        (lambda model: model.set_kwarg("temperature", "warm"), "temperature: 'warm' is not a number."),
        (lambda model: model.set_rest("{"), "the other kwargs: not JSON at column 2: "),
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
def test_refused_run_is_reported_and_sends_nothing(asking, endpoint, session, prepare, said):
    prepare(asking)
    asking.runs.run()
    note = asking.notes["run"]
    assert note.text.startswith(said)
    assert "--" not in note.text
    assert note.mood == "bad"
    assert (asking.running, asking.result) == ("", None)
    assert (len(endpoint.requests), session.history) == (0, [])


def test_error_note_goes_with_the_next_run(asking, settled):
    asking.set_kwarg("temperature", "warm")
    asking.runs.run()
    asking.set_kwarg("temperature", "1")
    asking.runs.run()
    assert settled(asking) == ""


def test_typed_key_is_used_for_its_host(asking, settled, shows):
    asking.set("key", "ask")
    asking.set_key(f"Bearer {KEY}\n")
    assert asking.notes["endpoint"].text == "The key is kept in memory for this session. It is not saved."
    asking.runs.run()
    assert settled(asking) == ""
    assert "rivers" in asking.result.row.text
    assert not shows(asking, KEY)


# ---- what goes wrong


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


FAILURES = {
    "401": (AuthenticationError, "Check the key, and that it belongs to this endpoint."),
    "403": (PermissionDeniedError, "Check the key, and that it belongs to this endpoint."),
    "404": (NotFoundError, ""),
    "429": (RateLimitError, "Wait, lower the concurrency, or scale the deployment out."),
    "504": (APITimeoutError, ""),
}


@pytest.mark.parametrize("fault", FAILURES)
def test_endpoint_error_is_reported_with_a_remedy(asking, session, endpoint, settled, fault):
    kind, remedy = FAILURES[fault]
    endpoint.script([Fault(fault)])
    asking.runs.run()
    note = settled(asking)
    assert note.endswith(remedy)
    assert "\n" not in note
    assert asking.notes["run"].mood == "bad"
    assert type(asking.result.row.error) is kind
    assert session.last.error is asking.result.row.error


@pytest.mark.parametrize("kind", [kind.name for kind in FAULT_KINDS])
def test_every_fault_ends_in_a_response_or_a_note(asking, endpoint, settled, shows, kind):
    options = {"seconds": 30} if kind in {"slow", "slow-stream"} else {}
    asking.set("timeout", "0.4" if kind in {"slow", "slow-stream", "stalled"} else "20")
    endpoint.script([Fault(kind, **options)])
    asking.runs.run()
    note, row = settled(asking), asking.result.row
    assert row.response is not None or row.error is not None
    assert bool(row.error) == (asking.notes["run"].mood == "bad")
    assert len(note.splitlines()) == bool(row.error)
    for sign in ("--", "%azureml", "Traceback", KEY):
        assert sign not in note
    exchange = asking.session.last
    assert (exchange.error, exchange.response) == (row.error, row.response)
    assert not shows(asking, KEY)


def test_unreachable_host_is_reported(asking, settled):
    asking.set("endpoint_url", f"http://127.0.0.1:{closed_port()}/v1/chat/completions")
    asking.runs.run()
    note = settled(asking)
    assert note.startswith("Cannot connect to 127.0.0.1")
    assert note.endswith("Check the URL, the network and the VPN.")
    assert isinstance(asking.result.row.error, APIConnectionError)


def test_timeout_is_reported(asking, endpoint, settled):
    endpoint.script([Fault("slow", seconds=30)])
    asking.set("timeout", "0.2")
    asking.runs.run()
    note = settled(asking)
    assert "--" not in note
    assert isinstance(asking.result.row.error, APITimeoutError)


def test_missing_key_is_reported_with_a_remedy(asking, endpoint, session, settled):
    asking.set("key", "env:NOT_THERE")
    asking.runs.run()
    assert settled(asking) == (
        "No key: the environment variable NOT_THERE is not set. "
        "Set it before starting Jupyter, or type the key into the API key field."
    )
    assert isinstance(session.last.error, KeyNotFoundError)
    assert len(endpoint.requests) == 0


def test_wrong_key_is_never_shown(asking, settled, shows, monkeypatch, logged):
    monkeypatch.setenv("WRONG_KEY", "another-s3cret-key")
    asking.set("key", "env:WRONG_KEY")
    asking.runs.run()
    assert settled(asking).startswith("The endpoint did not accept the key")
    assert not shows(asking, "another-s3cret-key")
    assert not [record for record in logged if "another-s3cret-key" in record.getMessage()]


def test_text_before_a_failure_is_kept(asking, session, endpoint, settled):
    endpoint.script([Fault("cut", after=8)])
    asking.runs.run()
    assert settled(asking)
    row = asking.result.row
    assert row.text
    assert row.error is not None
    assert session.last.response.text == row.text


# ---- stopping


def test_stop_before_the_first_byte(asking, session, endpoint, settled, watched):
    endpoint.script([Fault("slow", seconds=LONG)])
    changes = watched(asking)
    asking.runs.run()
    changes.until(lambda: len(endpoint.requests) == 1)
    asking.stop()
    assert settled(asking) == "Stopped before any text arrived."
    assert asking.notes["run"].mood == "plain"
    assert (asking.running, asking.result.is_running) == ("", False)
    assert isinstance(session.last.error, Interrupted)
    assert session.last.response is None


def test_stop_keeps_the_received_text(asking, session, endpoint, settled, watched):
    endpoint.script([Fault("stalled", after=6)])
    changes = watched(asking)
    asking.runs.run()
    running(asking, changes)
    asking.stop()
    assert settled(asking) == "Stopped. The text received so far is kept."
    row = asking.result.row
    assert row.text
    assert row.response.finish_reason == "interrupted"
    assert (session.last.response, session.last.error) == (row.response, row.error)


def test_stop_at_once(asking, session, settled):
    asking.runs.run()
    asking.stop()
    asking.stop()
    settled(asking)
    assert len(session.history) == 1
    assert asking.result.row.error is not None or asking.result.row.text


def test_run_after_stop(asking, endpoint, settled, watched):
    endpoint.script([Fault("slow", seconds=LONG)])
    changes = watched(asking)
    asking.runs.run()
    changes.until(lambda: len(endpoint.requests) == 1)
    asking.stop()
    settled(asking)
    asking.runs.run()
    assert settled(asking) == ""
    assert "rivers" in asking.result.row.text


def test_stop_is_repeated_if_swallowed(asking, settled, watched, monkeypatch):
    """On Python 3.10 a connection that opens at that very moment swallows a cancellation."""

    class Deaf:
        """A stream that never comes, and does not hear the first cancellation."""

        swallowed = 0

        def __init__(self, config, messages):
            self.response = Response("", config=config.name)

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def __aiter__(self):
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                Deaf.swallowed += 1
            await asyncio.sleep(LONG)
            yield

    monkeypatch.setattr(side_by_side, "astream", Deaf)
    monkeypatch.setattr(side_by_side, "_CANCEL_AGAIN_AFTER", 0.01)
    changes = watched(asking)
    asking.runs.run()
    calls = asking.runs._calls
    changes.until(lambda: calls._streams)
    asking.stop()
    assert settled(asking) == "Stopped before any text arrived."
    assert calls.wait(LONG)
    assert Deaf.swallowed == 1


def test_stop_without_a_run_does_nothing(asking):
    asking.stop()
    assert asking.notes.get("run") is None
    assert asking.notes.get("endpoint") is None


def test_two_clicks_send_one_request(asking, endpoint, session, settled, watched):
    endpoint.script([Fault("stalled", after=3)])
    changes = watched(asking)
    asking.runs.run()
    asking.runs.run()
    assert asking.notes["run"].text == "Another task is running. Stop it first."
    asking.runs.repeat(3)
    asking.checks.test()
    assert asking.notes["endpoint"].text == "Another task is running. Stop it first."
    running(asking, changes)
    asking.stop()
    settled(asking)
    assert (len(endpoint.requests), len(session.history)) == (1, 1)


def test_clicks_from_many_threads_send_one_request(asking, endpoint, session, settled, watched):
    endpoint.script([Fault("stalled", after=3)])
    changes, together = watched(asking), threading.Barrier(8, timeout=LONG)

    def click():
        together.wait()
        asking.runs.run()

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(LONG)
    running(asking, changes)
    asking.stop()
    settled(asking)
    assert (len(endpoint.requests), len(session.history)) == (1, 1)


def test_close_ends_the_run_without_notifying(asking, endpoint, watched):
    endpoint.script([Fault("stalled", after=3)])
    changes = watched(asking)
    asking.runs.run()
    running(asking, changes)
    ours = [thread for thread in threading.enumerate() if thread.name == "azml-magics-panel"]
    asking.close()
    told = len(changes.parts)
    for thread in ours:
        thread.join(LONG)
        assert not thread.is_alive()
    assert len(changes.parts) == told
    assert asking.running == ""


def test_click_at_the_end_of_a_run_starts_another(asking, endpoint, session, monkeypatch):
    """What the first one leaves to be done must not be taken for the end of the second."""
    monkeypatch.setattr(runs_module, "FRAME", LONG)
    endpoint.script([None, Fault("stalled", after=3)])
    with asking.changing():  # holds back what comes after the first
        asking.runs.run()
        first = asking.worker._task
        while asking.running:
            first.ended.wait(0.01)
        monkeypatch.setattr(runs_module, "FRAME", 0.01)
        asking.runs.run()
        second = asking.result
        assert second.is_running
    assert first.ended.wait(LONG)
    assert len(session.history) == 1
    assert asking.running == "Running…"
    assert asking.result.is_running
    asking.stop()
    assert asking.worker.wait(LONG)
    assert isinstance(asking.result.row.error, Interrupted)
    assert len(session.history) == 2


# ---- several


def test_repeat_sends_the_same_request(asking, session, settled, endpoint):
    asking.runs.repeat(3)
    assert settled(asking) == "3 responses, 1 different."
    assert asking.notes["run"].mood == "good"
    batch = asking.result.batch
    assert [row.label for row in batch] == ["1", "2", "3"]
    assert len(endpoint.requests) == len(session.history) == 3
    assert session.last_batch is batch
    assert asking.result.number == 3


def test_compare_sends_to_the_other_configs(asking, session, chat, settled):
    session.save("text", chat.merged(endpoint_url=chat.endpoint_url.replace("/chat", "")))
    asking.set("system", "Be brief.")  # unsaved: what is in the controls is asked
    asking.runs.compare(["text"])
    settled(asking)
    assert [row.label for row in asking.result.batch] == ["main", "text"]
    assert all("rivers" in text for text in asking.result.batch.texts)
    assert session.history[0].messages[0] == {"role": "system", "content": "Be brief."}
    assert [each.config.name for each in session.history] == ["main", "text"]


def test_unnamed_config_can_be_compared(asking, session, chat, settled):
    asking.new()
    asking.set("endpoint_url", chat.endpoint_url)
    asking.set("key", "env:PANEL_KEY")
    asking.runs.compare(["main"])
    settled(asking)
    assert [row.label for row in asking.result.batch] == ["new config", "main"]


def test_sweep_sends_every_combination(asking, settled, endpoint):
    asking.runs.sweep({"temperature": "0, 0.5", "seed": "1,2"})
    settled(asking)
    assert [row.setting for row in asking.result.batch] == [
        {"temperature": 0, "seed": 1},
        {"temperature": 0, "seed": 2},
        {"temperature": 0.5, "seed": 1},
        {"temperature": 0.5, "seed": 2},
    ]
    assert len(endpoint.requests) == 4


def test_failed_row_is_shown_beside_the_others(asking, session, faulty, settled):
    faulty("broken", "401")
    faulty("cut", "cut;after=8")
    session.save("keyless", session.get("main").merged(key="env:NOT_THERE"))
    session.save("nowhere", LLMConfig())
    asking.runs.compare(["broken", "cut", "keyless", "nowhere"])
    note = settled(asking)
    assert note == "5 responses, 1 different, 4 failed."
    assert asking.notes["run"].mood == "bad"
    batch = asking.result.batch
    assert [type(error).__name__ for error in batch.errors] == [
        "NoneType",
        "AuthenticationError",
        "StreamInterruptedError",
        "KeyNotFoundError",
        "ConfigError",
    ]
    assert batch[2].text
    assert [each.error for each in session.history] == batch.errors


def test_stop_ends_all_and_keeps_complete_responses(asking, session, faulty, settled, watched):
    faulty("stuck", "stalled;after=3")
    changes = watched(asking)
    asking.runs.compare(["stuck"])
    changes.until(lambda: asking.result.batch[0].response and asking.result.batch[0].response.finish_reason)
    changes.until(lambda: asking.result.batch[1].text)
    asking.stop()
    settled(asking)
    whole, stopped = asking.result.batch
    assert whole.error is None
    assert isinstance(stopped.error, Interrupted)
    assert stopped.text
    assert len(session.history) == 2


def test_sweep_leaves_the_controls_unchanged(asking, settled):
    asking.set_kwarg("temperature", "0.9")
    asking.runs.sweep({"temperature": "0,1"})
    settled(asking)
    assert asking.draft.config.model_kwargs == {"temperature": 0.9}


@pytest.mark.parametrize(
    ("click", "said"),
    [
        (lambda runs: runs.repeat(0), "Repeat takes a number of at least 1, not 0."),
        (lambda runs: runs.repeat(101), "That would be 101 requests. One click sends at most 100 requests."),
        (
            lambda runs: runs.repeat(10**12),
            "That would be 1000000000000 requests. One click sends at most 100 requests.",
        ),
        (lambda runs: runs.compare([]), "There is nothing to compare with. Choose another config, or save one."),
        (lambda runs: runs.compare(["gone"]), "No config named 'gone'."),
        (lambda runs: runs.sweep({}), "A sweep needs values. Separate them with commas, such as 0, 0.5, 1."),
        (lambda runs: runs.sweep({"seed": " "}), "A sweep needs values. Separate them with commas"),
        (lambda runs: runs.sweep({"seed": "1,1e999"}), "The model kwarg 'seed' cannot travel as JSON"),
        (
            lambda runs: runs.sweep({f"kwarg{n}": ",".join(map(str, range(100))) for n in range(10)}),
            "That would be 100000000000000000000 requests. One click sends at most 100 requests.",
        ),
    ],
)
def test_refused_side_by_side_run_is_reported(asking, endpoint, click, said):
    click(asking.runs)
    assert asking.notes["run"].text.startswith(said)
    assert asking.notes["run"].mood == "bad"
    assert (asking.running, asking.result, len(endpoint.requests)) == ("", None, 0)


def test_typed_key_serves_several_requests(asking, session, settled):
    session.save("other", session.get("main").merged(key="ask"))
    asking.runs.compare(["other"])
    assert asking.notes["run"].text.startswith("No key was typed for other in this session.")
    asking.set_key(KEY)
    asking.runs.compare(["other"])
    settled(asking)
    assert asking.result.batch.errors == [None, None]


# ---- all of it at once


def test_concurrent_actions_do_not_deadlock(asking, session, chat, endpoint, settled):
    session.save("other", chat)
    endpoint.rate = 2000
    together = threading.Barrier(10, timeout=LONG)
    asking.subscribe(lambda parts: (asking.draft.config, asking.variables(), asking.cell(), asking.history.entries()))
    actions = [
        lambda n: asking.runs.run(),
        lambda n: asking.stop(),
        lambda n: asking.set_kwarg("temperature", str(n / 10)),
        lambda n: asking.choose(("main", "other")[n % 2]),
        lambda n: session.save("main", chat.merged(timeout=n + 1)),
        lambda n: session.use(("main", "other")[n % 2]),
        lambda n: asking.set_prompt(f"Tell me about rivers {n}"),
        lambda n: asking.history.restore(n),
        lambda n: (asking.refresh_variables(), asking.save()),
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
        thread.join(LONG)
        assert not thread.is_alive()
    asking.stop()
    settled(asking)
    assert failures == []
    assert isinstance(asking.result.batch, Batch)
