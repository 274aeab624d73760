"""The panel in a real kernel, driven by widget messages as a frontend does."""

from __future__ import annotations

import itertools
import json

import nbformat
import pytest

from azml_magics.emulator import Fault
from azml_magics.panel.view.chunked_text import GROWTH

from .conftest import KEY, PATIENCE, environment
from .fresh import started
from .frontend import VIEW, Frontend, size

PROSE = "Write a story of 400 words about rivers"


@pytest.fixture
def front(kernel):
    """A frontend of the panel's kernel. A test fails if anything is written to stderr."""
    front = Frontend(kernel)
    front.show()
    yield front
    kernel.ok("%unload_ext azml_magics")
    front.close()
    assert front.stderr() == ""


@pytest.fixture
def busy(kernel, home):
    """A context manager: a cell runs during its block."""

    class Busy:
        flag = home / "work" / "go-on"

        def __enter__(self):
            self.flag.unlink(missing_ok=True)
            source = "import os, time\nprint('begun', flush=True)\nwhile not os.path.exists('go-on'): time.sleep(0.01)"
            heard = []
            kernel.listeners.append(heard.append)
            self.number = kernel.client.execute(source)
            while not any(message["msg_type"] == "stream" for message in heard):
                kernel.receive()
            kernel.listeners.remove(heard.append)
            return self

        def __exit__(self, *_):
            self.flag.touch()
            assert kernel._status(self.number) == "ok"
            self.flag.unlink()

        @property
        def is_over(self):
            return self.flag.exists()

    return Busy


# ---- the whole loop


def test_displayed_panel(kernel, front):
    cell = front.show()
    assert cell.result[VIEW]["model_id"] == front.root
    assert cell.text == "azml-magics panel (main)"
    assert front.find("Config").chosen == "main"
    assert "✓ TEST_KEY is set" in front.lines()


def test_choose_change_run_save(kernel, front, endpoint):
    kernel.ok(f"%azureml save other --url {endpoint.url}/score -f hf --key env:TEST_KEY")
    front.type("Config", "other")
    front.type("max_new_tokens", "30")
    assert "● unsaved changes" in front.lines()
    assert front.run("Tell me about rivers").startswith("A model would")
    assert endpoint.requests[-1].json()["parameters"]["max_new_tokens"] == 30
    front.click("Save as")
    front.type("Save as", "mine")
    front.confirm()
    assert front.find("Config").chosen == "mine"
    listed = kernel.ok("%azureml list").text
    assert "mine" in listed
    assert "max_new_tokens" in kernel.ok("%azureml show mine").text
    assert "rivers" in kernel.ok("%%azureml mine\nTell me about rivers").text


def test_response_streams_until_complete(kernel, front, endpoint):
    endpoint.rate = 60
    seen = []
    kernel.listeners.append(lambda _: seen.append(front.answer()))
    last = front.run("Write a story of 60 words about rivers")
    kernel.listeners.pop()
    shown = list(dict.fromkeys(text for text in seen if text))
    assert len(shown) >= 3
    assert all(last.startswith(text) for text in shown)
    assert kernel.ok("%azureml last").text == last
    assert front.answer_outputs()[0]["text/markdown"]


def test_notebook_timeout_applies_to_the_next_run(kernel, front, endpoint):
    kernel.ok("from azml_magics.session import current")
    front.run("Hello")
    assert kernel.ok("current().last.config.timeout").text == "190.0"
    kernel.ok("%config AzureMLMagics.timeout = 0.5")
    endpoint.script([Fault("slow", seconds=300)])
    front.run("Hello again")
    assert any("0.5 s" in line for line in front.lines()), front.lines()
    kernel.ok("%config AzureMLMagics.timeout = None")
    assert "Hello" in front.run("Hello")
    assert kernel.ok("current().last.config.timeout").text == "190.0"


def test_stop_keeps_the_received_text(kernel, front, endpoint):
    endpoint.script([Fault("stalled", after=10)])
    front.type("Prompt", "Tell me about rivers")
    front.click("Run")
    front.until(front.answer)
    front.click("Stop")
    front.ended()
    kept = front.answer()
    assert kept.startswith("A model would")
    assert "Stopped. The text received so far is kept." in front.lines()
    assert kernel.ok("%azureml last").text == kept
    assert "Hello" in front.run("Hello")


def test_stop_before_the_first_byte(front, endpoint):
    endpoint.script([Fault("slow", seconds=300)])
    front.type("Prompt", "Hello")
    front.click("Run")
    front.until(lambda: endpoint.requests)
    front.click("Stop")
    front.ended()
    assert "Stopped before any text arrived." in front.lines()
    assert front.answer() == ""
    assert "Hello" in front.run()


def test_cells_and_panel_follow_each_other(kernel, front, endpoint):
    kernel.ok(f"%azureml save other --url {endpoint.url}/score -f gpt2 --key env:TEST_KEY")
    kernel.ok("%azureml use other")
    assert front.find("Config").chosen == "other"
    assert front.find("Formatter").chosen == "gpt2"
    front.type("Config", "main")
    assert kernel.value("get_ipython().run_line_magic('azureml', 'show') is not None") is True
    assert "main" in kernel.ok("%azureml show").text
    kernel.ok("%azureml rename main first")
    assert front.find("Config").chosen == "first"
    front.click("Delete")
    front.confirm()
    assert "first" not in kernel.ok("%azureml list").text
    kernel.ok("%azureml delete other -f")
    assert front.find("Config").chosen == "(new config)"


def test_panel_follows_notebook_variables(kernel, front, endpoint):
    kernel.ok("river = 'Tiber'")
    front.type("Prompt", "Tell me about the {river}")
    assert front.find("{river}").placeholder == "notebook: Tiber"
    kernel.ok("river = 'Po'")
    front.until(lambda: front.find("{river}").placeholder == "notebook: Po")
    front.run()
    assert endpoint.requests[-1].json()["messages"][-1]["content"] == "Tell me about the Po"


def test_compare_test_detect_and_probe(front, endpoint):
    front.type("Prompt", "Hello")
    front.open("Compare")
    front.set(front.find("Times", "BoundedIntTextModel"), value=2)
    front.click("Compare")
    front.ended()
    assert len(front.answer_outputs()) == 2
    front.click("Test")
    front.ended()
    # The Stop button is disabled by one message and the note is set by another.
    front.until(lambda: any(line.startswith("It works") for line in front.lines()))
    front.click("Detect")
    front.ended()
    front.until(lambda: any("its /info says" in line for line in front.lines()))
    front.click("Probe")
    front.ended()
    front.until(lambda: any(line.startswith("Detected ") and "/info" not in line for line in front.lines()))


# ---- cells during a run


def test_cell_runs_while_a_response_streams(kernel, front, endpoint):
    endpoint.rate = 40
    front.type("Prompt", PROSE)
    front.click("Run")
    front.until(front.answer)
    assert "Hello" in kernel.ok("%%azureml --no-stream\nHello").text
    assert kernel.value("6 * 7") == 42
    assert front.is_running()
    before = front.answer()
    front.until(lambda: len(front.answer()) > len(before))
    front.click("Stop")
    front.ended()
    assert front.answer().startswith(before)


def test_response_streams_while_a_cell_runs(front, endpoint, busy):
    endpoint.script([Fault("slow", seconds=0.5)])
    front.type("Prompt", "Hello")
    front.click("Run")
    with busy() as cell:
        front.until(lambda: "Hello" in front.answer())
        front.ended()
        assert not cell.is_over


def test_click_during_a_cell_is_not_lost(front, busy):
    front.type("Prompt", "Hello")
    with busy():
        front.click("Run", waits=False)
    front.until(lambda: "Hello" in front.answer())
    front.ended()


def test_cell_interrupt_does_not_stop_the_panel(kernel, front, endpoint):
    endpoint.rate = 40
    front.type("Prompt", PROSE)
    front.click("Run")
    front.until(front.answer)
    done = []

    def watch(message):
        if message and message["msg_type"] == "stream" and not done:
            kernel.manager.interrupt_kernel()
            done.append(True)

    # Not a single long sleep: Python handles a signal between steps only, and while the panel's threads hold the lock,
    # it waits for the end of the next step.
    cell = kernel.run("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.01)", on_message=watch)
    assert cell.error["ename"] == "KeyboardInterrupt"
    before = front.answer()
    assert front.is_running()
    front.until(lambda: len(front.answer()) > len(before))
    front.click("Stop")
    front.ended()


# ---- second display, closing, restart


def test_second_display_is_the_same_panel(kernel, front):
    root = front.root
    front.type("Prompt", "What I am writing")
    front.show()
    front.show("import azml_magics.notebook as notebook\nnotebook.side_panel()")
    assert front.root == root
    assert front.find("Prompt").value == "What I am writing"


def opened_and_closed(front):
    kinds = {"comm_open": set(), "comm_close": set(), "comm_msg": set()}
    for message in front.comm_messages():
        kinds[message["msg_type"]].add(message["content"]["comm_id"])
    return kinds["comm_open"], kinds["comm_close"]


@pytest.mark.parametrize("line", ["%unload_ext azml_magics", "%reload_ext azml_magics"])
def test_unloading_closes_the_panel_during_a_run(kernel, front, endpoint, line):
    endpoint.script([Fault("stalled", after=10)])
    front.type("Prompt", "{a} {b}")
    front.type("Prompt", "Tell me about rivers")
    front.click("Run")
    front.until(front.answer)
    kernel.ok(line)
    opened, closed = opened_and_closed(front)
    assert opened
    assert opened == closed
    assert front.states == {}
    kernel.ok(
        f"%unload_ext azml_magics\n%load_ext azml_magics\n%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY"
    )
    front.show()
    assert "Hello" in front.run("Hello")


def test_frontend_closes_all_widgets_during_a_run(kernel, front, endpoint):
    endpoint.script([Fault("stalled", after=10)])
    front.type("Prompt", "Tell me about rivers")
    front.click("Run")
    front.until(front.answer)
    gone = list(front.states)
    for comm_id in gone:
        front.send(comm_id, {}, kind="comm_close")
    assert kernel.value("6 * 7") == 42
    front.states.clear()
    front.show()
    assert front.root not in gone
    assert "Hello" in front.run("Hello")


def test_messages_to_closed_widgets_are_ignored(kernel, front):
    root, run = front.root, front.button("Run")
    kernel.ok("%unload_ext azml_magics\n%load_ext azml_magics\n%azureml demo")
    front.send(run.comm_id, {"method": "custom", "content": {"event": "click"}})
    front.send(root, {"method": "request_state"})
    front.show()
    assert front.run("Hello")


def test_restarted_kernel(home, tmp_path):
    with started(tmp_path, environment(home)) as kernel:
        load = "%load_ext azml_magics\n%azureml demo"
        kernel.ok(load)
        front = Frontend(kernel)
        front.show()
        front.type("Prompt", "Tell me about rivers")
        front.click("Run")
        front.until(front.answer)
        former, run = front.root, front.button("Run")
        front.close()
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=PATIENCE)
        front = Frontend(kernel)
        kernel.ok(load)
        front.send(run.comm_id, {"method": "custom", "content": {"event": "click"}})  # the old view is still there
        assert front.show().text == "azml-magics panel (demo)"
        assert front.root != former
        assert "Hello" in front.run("Hello")
        assert front.stderr() == ""


# ---- wrong input


def test_errors_are_reported_and_the_panel_works_on(front, endpoint):
    front.type("Prompt", "Hello")
    front.type("Others, JSON", '{"seed": 1, bad')
    front.click("Run")
    assert any("not JSON at column 13" in line for line in front.lines())
    front.type("Others, JSON", "")
    for url, said in {
        "nonsense": "URL",
        "http://127.0.0.1:9/v1/chat/completions": "127.0.0.1",
        "https://name.region.invalid/v1/chat/completions": "name.region.invalid",
    }.items():
        front.type("URL", url)
        front.click("Run")
        front.ended()
        assert any(said in line for line in front.lines()), front.lines()
        front.click("Revert")
    front.type("Key", "env:NOT_THERE")
    front.click("Run")
    front.ended()
    assert any("NOT_THERE is not set" in line for line in front.lines())
    front.click("Revert")
    endpoint.script([Fault("500")] * 4)
    front.type("Retries", "0")
    front.click("Run")
    front.ended()
    assert any(", request " in line for line in front.lines()), front.lines()
    endpoint.script([])
    assert "Hello" in front.run()


def test_two_megabyte_response(kernel, front, endpoint):
    endpoint.script([Fault("big", size=2_000_000)])
    front.messages.clear()
    shown = front.run("Hello")
    assert "more characters. `%azureml last` shows all of it." in shown
    assert sum(map(size, front.comm_messages())) < 1_000_000
    assert kernel.value("len(str(_))" if kernel.ok("%azureml last") else "0") >= 2_000_000


HOSTILE = "<img src=x onerror=alert(1)>\n\n<script>alert(2)</script> [a](javascript:alert(3))"


def test_hostile_response_stays_text(kernel, front, endpoint):
    kernel.ok(
        "class Says:\n    def format_request_payload(self, p, k): return {'input_data': [p]}\n"
        f"    def format_response_payload(self, o): return {HOSTILE!r}\nsays = Says()\n"
        "from azml_magics import LLMConfig\nfrom azml_magics.session import current\n"
        f"current().save('says', LLMConfig(endpoint_url={endpoint.url + '/score'!r}, formatter=says, key='env:TEST_KEY'))"
    )
    front.type("Config", "says")
    front.run("Hello")
    data, _facts = front.answer_outputs()
    assert data["text/plain"] == HOSTILE
    assert not {"<img", "<script", "](javascript"} & {
        live for live in ("<img", "<script", "](javascript") if live in data["text/markdown"]
    }
    assert "alert(1)" in data["text/markdown"]


# ---- a typed key


def test_typed_key_is_not_in_messages_history_log_or_files(kernel, front, endpoint, home):
    front.set(front.find("API key"), value=KEY)
    assert front.find("API key").value == ""  # the frontend's copy was emptied
    assert front.find("Key").value == "ask"
    assert "✓ typed, for this session" in front.lines()
    assert "Hello" in front.run("Hello")
    assert endpoint.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    front.click("Test")
    front.ended()
    endpoint.script([Fault("400", message=f"bad key {KEY}")] * 3)
    front.run()
    (tab,) = [each for each in front.controls() if each._model_name == "TabModel"]
    for index in range(6):
        front.set(tab, selected_index=index)
    front.click("Save")
    for line in ("show", "list", "history", "last", "last --traceback", "code", "export main typed.json -f"):
        kernel.run(f"%azureml {line}")
    kernel.run("from azml_magics.session import current\nvars(current()), current().history, %who")
    kernel.run("%history -g")
    kernel.ok("get_ipython().history_manager.writeout_cache()")
    assert KEY not in json.dumps(front.messages, default=str)
    assert KEY not in json.dumps(front.states)
    for path in home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


TYPES_THE_KEY = """
import json, os, ipywidgets
from azml_magics import panel

def within(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from within(child)

shown = panel.get_open_panel()
box = [each for each in within(shown.widget) if isinstance(each, ipywidgets.Password)][-1]
box.set_state({"value": os.environ["TEST_KEY"]})
shown.model.set_prompt("Hello")
shown.model.runs.run()
shown.model.worker.wait(60)
"""


def test_saved_notebook_has_widgets_without_a_key(kernel, endpoint):
    notebook, error = kernel.notebook("%azureml panel", TYPES_THE_KEY, "%azureml last", "%azureml panel")
    assert error is None
    saved = nbformat.writes(notebook)
    assert KEY not in saved
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    boxes = [each for each in state.values() if each["model_name"] == "PasswordModel"]
    assert {each["state"]["value"] for each in boxes} == {""}
    assert notebook.cells[0].outputs[0].data["text/plain"] == "azml-magics panel (main)"
    assert notebook.cells[0].outputs[0].data == notebook.cells[3].outputs[0].data
    assert "Hello" in notebook.cells[2].outputs[-1].data["text/plain"]


# ---- traffic of a long response


def long_answer(front, tokens):
    """(the response, its comm messages) for that many tokens sent at once."""
    front.type("Others, JSON", json.dumps({"ignore_eos": True}))
    front.type("max_tokens", str(tokens))
    front.type("Prompt", "Write a story of 6000 words about rivers")
    front.messages.clear()
    front.click("Run")
    front.ended()
    return front.answer(), front.comm_messages()


@pytest.mark.parametrize("rate", [0, 4000])
def test_long_text_is_resent_only_after_growing(kernel, front, endpoint, rate):
    """This keeps the traffic proportional to the response at any rate; benchmarks/probes/panel.py measures it."""
    endpoint.rate = rate
    text, messages = long_answer(front, 5000)
    last = kernel.ok("%azureml last").result["application/vnd.azml.response.v1+json"]
    assert last["usage"]["completion_tokens"] == 5000
    assert last["text"] == text
    frames: dict[str, list[int]] = {}
    for message in messages:
        for output in message["content"]["data"].get("state", {}).get("outputs", ()):
            frames.setdefault(message["content"]["comm_id"], []).append(len(output["data"]["text/plain"]))
    assert frames
    for sizes in frames.values():
        *growing, last_one = sizes
        assert all(after >= before * (1 + GROWTH) for before, after in itertools.pairwise(growing) if before > 4000)
        assert last_one <= len(text)
    assert len(messages) < 100 + 4 * sum(map(len, frames.values()))  # nothing else is sent with each frame
