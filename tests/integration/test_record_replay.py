"""A notebook recorded against an endpoint runs again in a fresh kernel, without network and key, to equal outputs."""

from __future__ import annotations

import json

import nbformat
import pytest

from .conftest import KEY
from .fresh import executed, notebook_of, program, results

CELLS = (
    "%load_ext azml_magics",
    "%azureml {verb} tape.jsonl",
    "%azureml save chat --url {url}/v1/chat/completions --key env:TEST_KEY;\n"
    "%azureml save gpt2 --url {url}/score -f gpt2 --deployment gpt2-2023-06 --key env:TEST_KEY;",
    "%%azureml\nTell me about rivers",
    "%%azureml -c talk\nMy name is Ada.",
    "%%azureml -c talk\nWhat is my name?",
    "%%azureml gpt2 -p max_new_tokens=20\nOnce upon a time",
    "%%azureml --compare chat,gpt2\nTell me about hills",
    "%%azureml --sweep max_tokens=5,10,15\nTell me about lakes",
    "%%azureml -F json\nGive me JSON with 'name' and 'age'",
    "from azml_magics.langchain import from_config\nfrom azml_magics.session import current\n"
    "from langchain_core.output_parsers import StrOutputParser\n"
    "chain = from_config(current().get('chat')) | StrOutputParser()",
    "%%azureml $chain\nTell me about the sea",
    "%azureml detect gpt2",
    "%azureml last",
)


def cells(verb, url):
    return [source.replace("{verb}", verb).replace("{url}", url) for source in CELLS]


@pytest.fixture(scope="module")
def recorded(azml_session_endpoint, tmp_path_factory):
    """(folder with the cassette, the notebook's outputs as they were recorded, the endpoint's URL)."""
    folder = tmp_path_factory.mktemp("recorded")
    azml_session_endpoint.script([])
    notebook = executed(folder, *cells("record", azml_session_endpoint.url))
    assert "error" not in nbformat.writes(notebook).split('"output_type"')
    return folder, results(notebook), azml_session_endpoint.url


def test_replayed_outputs_are_equal_without_endpoint_and_key(recorded, endpoint):
    folder, before, _ = recorded
    again = executed(folder, *cells("replay", "http://127.0.0.1:9"), TEST_KEY="")
    after = results(again)
    assert len(endpoint.requests) == 0
    assert "Replaying 12 exchanges" in after[1][0]["data"]["text/plain"]
    for number in range(3, len(CELLS)):
        assert after[number] == before[number], CELLS[number]


def test_no_key_in_cassette_or_notebook(recorded):
    folder, before, _ = recorded
    text = (folder / "tape.jsonl").read_text(encoding="utf-8")
    assert KEY not in text
    assert KEY not in json.dumps(before)
    kept = {name for line in text.splitlines()[1:] for name in json.loads(line)["response"]["headers"]}
    assert "content-type" in kept
    assert not kept & {"authorization", "api-key", "set-cookie"}


def test_nbval_passes_on_the_replayed_notebook(recorded):
    folder, _, url = recorded
    notebook = executed(folder, *cells("replay", url), TEST_KEY="")
    nbformat.write(notebook, folder / "replayed.ipynb")
    (folder / "pytest.ini").write_text("[pytest]\n")
    ran = program(
        folder, "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "replayed.ipynb", TEST_KEY=""
    )
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert f"{len(CELLS)} passed" in ran.stdout


def test_request_not_recorded_stops_notebook(recorded, kernel):
    folder, _, _ = recorded
    kernel.ok(f"%azureml replay {folder / 'tape.jsonl'}")
    line = kernel.refused("%%azureml\nTell me about volcanoes", "NotRecordedError")
    assert line.startswith("NotRecordedError: tape.jsonl has no response to this request to /v1/chat/completions: ")
    assert "volcanoes" in line
    kernel.ok("%azureml stop-recording")
    assert "volcanoes" in kernel.ok("%%azureml\nTell me about volcanoes").text


def test_demo_can_be_replayed_without_it(tmp_path):
    asked = ("%%azureml\nTell me about rivers", "%%azureml -n 2\nTell me about hills")
    before = executed(
        tmp_path,
        "%load_ext azml_magics\n%azureml demo\n%azureml record demo.jsonl\n"
        "get_ipython().magics_manager.registry['AzureMLMagics'].context.state.demo_endpoint.rate = 0",
        *asked,
    )
    after = executed(
        tmp_path,
        "%load_ext azml_magics\n%azureml replay demo.jsonl\n"
        "%azureml save demo --url http://127.0.0.1:9/v1/chat/completions;",
        *asked,
    )
    assert results(after)[1:3] == results(before)[1:3]


def test_recorded_cells_make_a_valid_notebook():
    nbformat.validate(notebook_of(*cells("record", "http://127.0.0.1:9")))
