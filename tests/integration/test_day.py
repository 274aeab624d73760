"""A day's prompt work in one fresh kernel, against the demo endpoint, without leaving the notebook."""

from __future__ import annotations

import json

import pytest

from .conftest import PATIENCE, environment
from .fresh import started

VENDOR = "application/vnd.azml.response.v1+json"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """The kernel of the day, with the demo endpoint in it."""
    folder = tmp_path_factory.mktemp("day")
    with started(folder, environment(folder)) as kernel:
        kernel.folder = folder
        kernel.ok("%load_ext azml_magics\n%azureml demo")
        kernel.ok("%%azureml\nHello")  # at the pace of a model; the rest of the day is quicker
        kernel.ok("get_ipython().magics_manager.registry['AzureMLMagics'].context.state.demo_endpoint.rate = 0")
        yield kernel


def payload_of(kernel, source):
    """What the kernel tells the frontend to do after the cell."""
    number = kernel.client.execute(source)
    while True:
        reply = kernel.client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == number:
            assert reply["content"]["status"] == "ok"
            return reply["content"]["payload"]


def test_morning_the_first_prompts(day):
    day.ok("city = 'Oslo'")
    assert "Oslo" in day.ok("%%azureml -p temperature=0.2 -s 'Be brief.' -o answer\nName a walk in {city}.").text
    assert day.value("answer.usage.total_tokens > 0") is True
    assert "Hello!" in day.ok("%azureml ask Hello").text
    for name in ("demo-chat", "demo-llama2", "demo-gpt2", "demo-hf", "demo-dolly"):
        assert day.ok(f"%%azureml {name}\nHello there").text


def test_conversation(day):
    day.ok("%%azureml -c walk\nMy name is Ada.")
    assert "Ada" in day.ok("%%azureml -c walk\nWhat is my name?").text
    assert "walk          2" in day.ok("%azureml conversations").text
    day.ok("%azureml conversations export walk walk.json")
    assert len(json.loads((day.folder / "walk.json").read_text(encoding="utf-8"))) == 4


def test_schema_and_repair(day):
    day.ok("from pydantic import BaseModel\nclass Walk(BaseModel):\n    title: str\n    minutes: int")
    day.ok("%%azureml --schema $Walk -o walk\nA walk of 20 minutes")
    assert day.value("walk.parsed.minutes") == 20
    assert day.run("%%azureml demo-dolly --schema $Walk\nA walk").error["ename"] == "SchemaError"
    assert day.ok("%azureml last").text
    day.run("%azureml repair")  # the demo does not learn from its faults; a model may
    assert "That does not fit: The response does not match Walk" in day.ok("%azureml history").text


def test_code_is_inserted_into_next_cell(day):
    [payload] = payload_of(day, "%%azureml -F code --insert\nWrite a Python function that converts ounces to grams.")
    assert payload["source"] == "set_next_input"
    assert payload["replace"] is False
    assert payload["text"].startswith("def ")
    assert "```" not in payload["text"]
    day.ok(payload["text"])


def test_prompt_without_insert_inserts_nothing(day):
    assert payload_of(day, "%%azureml -F code\nWrite a Python function that converts ounces to grams.") == []


def test_side_by_side_and_differences(day):
    cell = day.ok("%%azureml --compare demo,demo-gpt2,demo-dolly -o batch\nTell me about balance on a bicycle.")
    assert [row["setting"]["config"] for row in cell.result[VENDOR]["rows"]] == ["demo", "demo-gpt2", "demo-dolly"]
    assert day.value("len(batch.only_different())") == 3
    cell = day.ok("%%azureml --sweep temperature=0,1 -n 2\nTell me about rivers")
    assert cell.stream("stdout") == "Sending 4 requests.\n"


def test_working_config_is_saved_and_exported(day):
    day.ok("%%azureml -p temperature=0.7 --save walker\nTell me about walks")
    day.ok("%azureml export walker walker.json")
    day.ok("from azml_magics.langchain import load_llm\nllm = load_llm('walker.json')")
    assert day.ok("%%azureml $llm\nTell me about walks").text == day.ok("%%azureml walker\nTell me about walks").text
    code = day.ok("%azureml code last").text
    assert "not a language model" in day.ok(code).stream("stdout")


def test_other_deployment_is_detected(day):
    url = day.value("get_ipython().run_line_magic('azureml', 'show demo-hf').rows[1][1]")
    day.ok(f"%azureml save new --url {url} --deployment hf --key env:AZML_DEMO_KEY;")
    assert "To use it: %azureml save new -f hf" in day.ok("%azureml detect new").text
    day.ok("%azureml save new -f hf")
    assert "It works." in day.ok("%azureml test new").text


def test_history_has_everything(day):
    day.ok("%azureml history --json day.jsonl")
    lines = (day.folder / "day.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 20
    key = day.value("__import__('os').environ['AZML_DEMO_KEY']")
    for path in day.folder.glob("*.json*"):
        assert key not in path.read_text(encoding="utf-8")
    assert "Name a walk in Oslo." in day.ok("%azureml history --search walk -n 50").text


def test_unloading_leaves_nothing(day):
    day.ok("%unload_ext azml_magics")
    assert day.value("[t.name for t in __import__('threading').enumerate() if 'azml' in t.name]") == []
    assert day.value("'AZML_DEMO_KEY' in __import__('os').environ") is False
