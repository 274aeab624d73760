"""Rows in a real kernel: the progress bar, saved notebooks, and interrupts at any moment."""

from __future__ import annotations

import pytest

from azml_magics.emulator import Emulator, Fault

from .conftest import KEY
from .fresh import executed

LONG = 300
CELL = "%%azureml --each $places --journal run.jsonl --concurrency 4 -o out\nWrite about {place}."


@pytest.fixture
def endpoint():
    """An endpoint of the test's own: what was under way at an interrupt ends in the background."""
    with Emulator(key=KEY) as running:
        yield running


@pytest.fixture
def rows(kernel, home):
    """The kernel with forty rows."""
    (home / "work" / "run.jsonl").unlink(missing_ok=True)
    kernel.ok("from azml_magics.core.http import permit; permit.reset()")
    kernel.ok("places = [{'place': f'river {n}'} for n in range(40)]")
    return kernel


def test_progress_display_ends_empty_before_the_result(rows, endpoint):
    endpoint.latency = 0.1
    cell = rows.ok(CELL)
    endpoint.latency = 0
    kinds = [m["msg_type"] for m in cell.messages if m["msg_type"] not in {"status", "execute_input"}]
    assert kinds[:2] == ["stream", "display_data"]
    assert kinds[-1] == "execute_result"
    assert set(kinds[2:-1]) == {"update_display_data"}
    assert cell.begun == [{"text/markdown": ""}]
    assert cell.updates[-1] == {"text/markdown": ""}
    assert any("of 40 rows" in update.get("text/plain", "") for update in cell.updates)
    assert cell.text.startswith("40 rows\n\n[0: river 0]\n")


@pytest.mark.parametrize("when", ["at once", "half-way", "between retries"])
def test_interrupted_cell_continues_from_its_journal(rows, endpoint, when):
    waits = {"at once": 0, "half-way": 20, "between retries": 20}[when]
    stalls = Fault("429", retry_after=LONG) if when == "between retries" else Fault("slow", seconds=LONG)
    endpoint.script([None] * waits + [stalls] * 40)
    done = []

    def watch(message):
        if not done and message is None and len(endpoint.requests) >= waits + (1 if when == "between retries" else 4):
            done.append(True)
            rows.manager.interrupt_kernel()

    cell = rows.run(CELL, on_message=watch)
    assert cell.error["ename"] == "Interrupted"
    assert cell.error["traceback"] == [f"Interrupted: {cell.error['evalue']}"]
    assert cell.error["evalue"].startswith(f"Stopped; {waits} of 40 responses were complete.")
    assert rows.value("sum(row['text'] is not None for row in out)") == waits
    assert rows.value("len(open('run.jsonl').readlines())") == waits + 1
    endpoint.script([])
    rows.ok("permit.reset()")
    endpoint.requests.clear()
    assert rows.ok(CELL).text.startswith("40 rows\n")
    assert len(endpoint.requests) == 40 - waits
    assert rows.value("all(row['text'] for row in out)")


def test_notebook_saved_by_nbclient_has_no_progress_bar(endpoint, tmp_path):
    notebook = executed(
        tmp_path,
        f"%load_ext azml_magics\n%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY",
        "words = ['eau', 'pain']",
        "%%azureml --each $words\nTranslate {word}.",
    )
    outputs = notebook.cells[-1].outputs
    assert [output.output_type for output in outputs] == ["stream", "display_data", "execute_result"]
    assert outputs[1].data == {"text/markdown": ""}
    assert outputs[2].data["text/plain"].startswith("2 rows\n")
    assert "0%" not in str(outputs)
