"""A kernel interrupt at any moment: it comes back, with all that had arrived, and the kernel goes on.

Every wait that is interrupted here would otherwise last longer than a cell is given.
"""

from __future__ import annotations

import time

import pytest

from azml_magics.emulator import Fault

LONG = 300


@pytest.fixture
def interrupted(kernel, endpoint):
    """Run a cell and interrupt the kernel once `when` says so."""

    def run(source, when):
        done = []

        def watch(message):
            if not done and when(message):
                kernel.manager.interrupt_kernel()
                done.append(True)

        cell = kernel.run(source, on_message=watch)
        assert done
        assert cell.error["ename"] == "Interrupted"
        assert cell.error["traceback"] == [f"Interrupted: {cell.error['evalue']}"]
        return cell

    return run


def test_interrupt_before_first_byte(kernel, endpoint, interrupted):
    endpoint.script([Fault("slow", seconds=LONG)])
    cell = interrupted("%%azureml\nHello", lambda message: len(endpoint.requests) > 0)
    assert cell.error["evalue"] == "Stopped before the first token; nothing had arrived."
    assert (cell.begun, cell.updates) == ([], [])
    assert kernel.ok("%azureml last").text == "No response: Stopped before the first token; nothing had arrived."
    assert "Hello" in kernel.ok("%%azureml\nHello").text


def test_interrupt_without_streaming(kernel, endpoint, interrupted):
    endpoint.script([Fault("slow", seconds=LONG)])
    interrupted("%%azureml --no-stream\nHello", lambda message: len(endpoint.requests) > 0)
    assert "Hello" in kernel.ok("%%azureml --no-stream\nHello").text


def is_update(message):
    return message is not None and message["msg_type"] == "update_display_data"


def test_interrupt_of_stalled_stream(kernel, endpoint, interrupted):
    endpoint.script([Fault("stalled", after=10)])
    shown = []

    def is_stalled(message):
        shown.extend([message] if is_update(message) else [])
        return bool(shown) and message is None  # nothing more for a while

    cell = interrupted("%%azureml\nTell me about rivers", is_stalled)
    kept = cell.begun[-1]["text/plain"]
    assert kept.startswith("A model would")
    assert (
        cell.error["evalue"]
        == f"Stopped; {len(kept):,} characters had arrived and are kept. %azureml last shows what had arrived."
    )
    assert kernel.ok("%azureml last").text == kept
    assert kernel.value("_.finish_reason") == "interrupted"
    assert "Interrupted: Stopped" in kernel.ok("%azureml history").text


def test_interrupt_of_running_stream(kernel, endpoint, interrupted):
    endpoint.rate = 5
    cell = interrupted("%%azureml -o answer\nTell me about rivers and lakes and seas", is_update)
    endpoint.rate = 0
    kept = kernel.ok("%azureml last").text
    assert cell.begun[-1]["text/plain"] == kept != ""
    assert kernel.value("'answer' in globals()") is False
    assert "Hello" in kernel.ok("%%azureml\nHello").text


@pytest.mark.parametrize("line", ["", "--no-stream"])
def test_interrupt_between_retries(kernel, endpoint, interrupted, line):
    endpoint.script([Fault("429", retry_after=25)] * 50)

    def is_waiting(message, seen=[]):  # noqa: B006 - remembers when the request came
        if len(endpoint.requests) == 1:
            seen.append(time.monotonic())
        return bool(seen) and time.monotonic() - seen[0] > 0.3

    interrupted(f"%%azureml {line} --retries 50\nHello", is_waiting)
    assert len(endpoint.requests) == 1
    endpoint.script([])
    assert "Hello" in kernel.ok("%%azureml\nHello").text


def test_interrupt_stops_run_all(kernel, endpoint):
    endpoint.script([Fault("stalled", after=10)])
    seen = []

    def watch(message):
        if is_update(message) and not seen:
            seen.append(True)
            kernel.manager.interrupt_kernel()

    kernel.client.execute("went_on = False")
    kernel.run("%%azureml\nTell me about rivers", on_message=watch)
    assert kernel.value("went_on") is False


def test_interrupt_of_python_code_is_pythons(kernel):
    done = []

    def watch(message):
        if not done and message is not None and message["msg_type"] == "stream":
            kernel.manager.interrupt_kernel()
            done.append(True)

    # Not one long sleep: a signal that comes just before one waits for its end.
    cell = kernel.run("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.01)", on_message=watch)
    assert cell.error["ename"] == "KeyboardInterrupt"


# ---- two quick interrupts


@pytest.fixture
def interrupted_twice(kernel, endpoint):
    """Run a cell and interrupt the kernel twice, `pause` seconds apart, once `when` says so."""

    def run(source, when, pause):
        done = []

        def watch(message):
            if not done and when(message):
                done.append(True)
                kernel.manager.interrupt_kernel()
                time.sleep(pause)
                kernel.manager.interrupt_kernel()

        cell = kernel.run(source, on_message=watch)
        assert done
        assert cell.error is not None
        # the second one may also come when the cell has just ended: then it is the next cell's
        kernel.run("pass")
        return cell

    return run


PAUSES = (0.0, 0.002, 0.01, 0.03, 0.1)


@pytest.mark.parametrize("pause", PAUSES)
def test_two_interrupts_of_a_stream_keep_what_had_arrived(kernel, endpoint, interrupted_twice, pause):
    endpoint.script([Fault("stalled", after=10)])
    shown = []

    def is_stalled(message):
        shown.extend([message] if is_update(message) else [])
        return bool(shown) and message is None

    cell = interrupted_twice("%%azureml\nTell me about rivers", is_stalled, pause)
    assert cell.error["ename"] == "Interrupted", cell.error
    assert len(cell.error["traceback"]) == 1
    kept = kernel.ok("%azureml last").text
    assert kept.startswith("A model would")
    assert f"{len(kept):,} characters had arrived" in cell.error["evalue"]
    assert kernel.value("_.finish_reason") == "interrupted"
    endpoint.script([])
    assert "Hello" in kernel.ok("%%azureml\nHello").text


@pytest.mark.parametrize("pause", PAUSES)
def test_two_interrupts_side_by_side_keep_the_responses(kernel, endpoint, interrupted_twice, pause):
    endpoint.script([None, Fault("slow", seconds=LONG)])
    begun = []

    def has_one(message):
        begun.extend([message] if is_update(message) else [])
        return message is None and len(endpoint.requests) > 1 and bool(begun)

    cell = interrupted_twice("%%azureml -n 2\nTell me about rivers", has_one, pause)
    assert (cell.error["ename"], len(cell.error["traceback"])) == ("Interrupted", 1), cell.error
    assert "1 of 2 responses were complete" in cell.error["evalue"]
    assert "rivers" in kernel.ok("%azureml last").text
    endpoint.script([])
    assert "Hello" in kernel.ok("%%azureml\nHello").text


@pytest.mark.parametrize("pause", PAUSES)
def test_two_interrupts_of_rows_give_the_journal_back(kernel, endpoint, interrupted_twice, pause):
    kernel.ok("import os\nif os.path.exists('twice.jsonl'): os.remove('twice.jsonl')")
    kernel.ok("places = ['rivers', 'lakes', 'seas', 'bays']")
    endpoint.script([None, None, Fault("slow", seconds=8)])  # the request of an interrupted row ends by itself
    rows = "%%azureml --each $places --concurrency 1 --journal twice.jsonl -o table\nTell me about {text}"
    before = len(endpoint.requests)
    cell = interrupted_twice(rows, lambda message: message is None and len(endpoint.requests) - before > 2, pause)
    assert (cell.error["ename"], len(cell.error["traceback"])) == ("Interrupted", 1), cell.error
    endpoint.script([])
    before = len(endpoint.requests)
    again = kernel.ok(rows)
    assert "the journal twice.jsonl has 2" in again.stream("stdout")
    assert len(endpoint.requests) - before == 2
    assert kernel.value("[bool(row['text']) for row in table]") == [True] * 4
