"""Answers side by side in a real kernel: the table fills, and an interrupt of ten keeps all that had arrived."""

from __future__ import annotations

import time

import pytest

from azml_magics.emulator import Fault

VENDOR = "application/vnd.azml.response.v1+json"


def is_served_no_more(endpoint, seconds=20):
    """Whether every stream of the endpoint has been closed."""
    limit = time.monotonic() + seconds
    while endpoint._app.in_flight and time.monotonic() < limit:
        time.sleep(0.01)
    return endpoint._app.in_flight == 0


def test_announcement_then_empty_display_then_result(kernel, endpoint):
    endpoint.rate = 60
    cell = kernel.ok("%%azureml --sweep max_tokens=20,30 --sweep temperature=0,1\nTell me about rivers")
    kinds = [m["msg_type"] for m in cell.messages if m["msg_type"] not in {"status", "execute_input"}]
    assert kinds[:2] == ["stream", "display_data"]
    assert kinds[-1] == "execute_result"
    assert set(kinds[2:-1]) == {"update_display_data"}
    assert cell.stream("stdout") == "Sending 4 requests.\n"
    assert cell.begun == [{"text/markdown": ""}]
    assert cell.updates[-1] == {"text/markdown": ""}
    assert len(cell.updates) >= 3
    assert [row["setting"]["max_tokens"] for row in cell.result[VENDOR]["rows"]] == [20, 20, 30, 30]


def test_at_most_twenty_updates_a_second(kernel, endpoint):
    endpoint.rate = 300
    cell = kernel.ok("%%azureml -n 6\nTell me about rivers and lakes and the sea")
    times = [message["header"]["date"] for message in cell.messages if message["msg_type"] == "update_display_data"]
    assert len(times) <= 20 * (times[-1] - times[0]).total_seconds() + 3


@pytest.fixture
def ten(kernel, endpoint):
    """Run ten at once, of which eight stall after some tokens, and interrupt when nothing more comes."""
    kernel.ok("%config AzureMLMagics.concurrency = 10")
    done, drawn = [], []

    def watch(message):
        drawn.extend([message] if message and message["msg_type"] == "update_display_data" else [])
        if drawn and message is None and len(endpoint.requests) == 10 and not done:
            kernel.manager.interrupt_kernel()
            done.append(True)

    def run(source):
        endpoint.script([None, None, *[Fault("stalled", after=9)] * 8])
        return kernel.run(source, on_message=watch)

    return run


def test_interrupt_of_ten_keeps_partial_responses(kernel, endpoint, ten):
    cell = ten("%%azureml -n 10 -o batch\nTell me about rivers")
    assert cell.error["ename"] == "Interrupted"
    assert cell.error["traceback"] == [f"Interrupted: {cell.error['evalue']}"]
    assert cell.error["evalue"] == ("Stopped; 2 of 10 responses were complete. %azureml last shows what had arrived.")
    assert is_served_no_more(endpoint)
    assert kernel.value("[bool(row.text) for row in get_ipython().run_line_magic('azureml', 'last')]") == [True] * 10
    reasons = kernel.value("[row.response.finish_reason for row in get_ipython().run_line_magic('azureml', 'last')]")
    assert sorted(reasons) == ["interrupted"] * 8 + ["stop"] * 2
    assert cell.updates[-1] == {"text/markdown": ""}
    assert cell.begun[-1]["text/html"].count("<tr>") == 11  # what had arrived stays on the screen
    assert kernel.value("'batch' in globals()") is False
    assert len(endpoint.requests) == 10
    assert "Hello" in kernel.ok("%%azureml\nHello").text


def test_interrupt_before_any_byte_of_ten(kernel, endpoint):
    kernel.ok("%config AzureMLMagics.concurrency = 5")
    endpoint.script([Fault("slow", seconds=300)] * 10)
    done = []

    def watch(message):
        if len(endpoint.requests) == 5 and not done:
            kernel.manager.interrupt_kernel()
            done.append(True)

    cell = kernel.run("%%azureml -n 10\nHello", on_message=watch)
    assert cell.error["evalue"].startswith("Stopped; 0 of 10 responses were complete.")
    assert is_served_no_more(endpoint)
    endpoint.script([])
    assert len(endpoint.requests) == 5  # those that waited for their turn never went
    assert "Hello" in kernel.ok("%%azureml\nHello").text


def test_one_failure_does_not_stop_the_others(kernel, endpoint):
    endpoint.script([Fault("401"), Fault("cut", after=5)])
    cell = kernel.ok("%%azureml -n 4\nTell me about rivers")
    errors = [row["error"] for row in cell.result[VENDOR]["rows"]]
    assert sorted((error or "").partition(":")[0] for error in errors) == [
        "",
        "",
        "AuthenticationError",
        "StreamInterruptedError",
    ]


def test_typed_key(kernel, endpoint):
    from .conftest import KEY

    cell = kernel.ok("%%azureml -n 3 --key ask\nHello", answer=KEY)
    assert [row["error"] for row in cell.result[VENDOR]["rows"]] == [None, None, None]


def test_interrupt_between_retries(kernel, endpoint):  # the last one: the endpoint has asked for 50 s of patience
    kernel.ok(
        f"%azureml save main --url {endpoint.url}/v1/chat/completions?emulator-fault=429;retry-after=50 --retries 5"
    )
    done = []

    def watch(message):
        if len(endpoint.requests) == 3 and message is None and not done:
            kernel.manager.interrupt_kernel()
            done.append(True)

    cell = kernel.run("%%azureml -n 3\nHello", on_message=watch)
    assert cell.error["ename"] == "Interrupted"
    assert len(endpoint.requests) == 3
