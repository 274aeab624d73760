"""%%azureml $chain --each $rows: one call of a LangChain object for every row."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from azml_magics.pytest_plugin import KEY
from azml_magics.runnables import event_loop

pd = pytest.importorskip("pandas", reason="pandas is optional")

TEMPLATE = ChatPromptTemplate.from_template("Mood of {letter}?")


class Mood(BaseModel):
    mood: str


@pytest.fixture
def rows(notebook):
    notebook.vars["letters"] = pd.DataFrame({"letter": ["Dear all", "Go away"], "label": ["glad", "cross"]})
    notebook.vars["chain"] = TEMPLATE | FakeListChatModel(responses=["glad"]) | StrOutputParser()
    return notebook


def test_chain_gets_rows_without_a_body(rows):
    ran = rows.ok("%azureml $chain --each $letters -o moods")
    assert ran.stdout.startswith("Sending 2 rows to $chain, up to 16 at a time.")
    assert list(rows.vars["moods"]["text"]) == ["glad", "glad"]
    assert list(rows.vars["moods"].columns[:3]) == ["letter", "label", "text"]


def test_body_is_the_prompt_of_a_model(rows, endpoint):
    client = httpx.AsyncClient()
    rows.vars["model"] = ChatOpenAI(base_url=f"{endpoint.url}/v1", api_key=KEY, model="m", http_async_client=client)
    rows.ok("%%azureml $model --each $letters -s Brief. -p seed=7\nMood of {letter}?")
    asyncio.run_coroutine_threadsafe(client.aclose(), event_loop.start_loop()).result(30)
    sent = [request.json() for request in endpoint.requests[-2:]]
    assert sorted(message["messages"][-1]["content"] for message in sent) == ["Mood of Dear all?", "Mood of Go away?"]
    assert {message["messages"][0]["content"] for message in sent} == {"Brief."}
    assert {message["seed"] for message in sent} == {7}


def test_fields_of_objects_are_columns(rows):
    rows.vars["chain"] = (
        TEMPLATE | FakeListChatModel(responses=['{"mood": "glad"}']) | PydanticOutputParser(pydantic_object=Mood)
    )
    rows.ok("%azureml $chain --each $letters -o moods")
    assert list(rows.vars["moods"]["mood"]) == ["glad", "glad"]


def test_schema_of_the_line_checks_outputs(rows):
    rows.vars["Mood"] = Mood
    ran = rows.ok("%azureml $chain --each $letters --schema $Mood")
    assert "2 rows failed: SchemaError: The response does not match Mood: it contains no JSON" in ran.text


def test_notebooks_variables_that_the_chain_takes_are_named(rows):
    rows.vars["chain"] = ChatPromptTemplate.from_template("{tone}: {letter}") | FakeListChatModel(responses=["ok"])
    rows.vars["tone"] = "Stern"
    assert "{tone} is the notebook's 'Stern' in every row." in rows.ok("%azureml $chain --each $letters").stdout


def test_dry_run_of_a_chain_shows_its_inputs(rows):
    shown = rows.ok("%azureml $chain --each $letters --dry-run").text
    assert "Would send 2 requests" in shown
    assert '"letter": "Dear all"' in shown


def test_journal_of_a_chain_resumes(rows, tmp_path):
    calls = []
    rows.vars["chain"] = RunnableLambda(lambda row: calls.append(row) or "ok").with_config(run_name="one")
    rows.ok("%azureml $chain --each $letters --journal run.jsonl")
    ran = rows.ok("%azureml $chain --each $letters --journal run.jsonl")
    assert "Sending nothing to $chain: the journal run.jsonl has all 2 rows." in ran.stdout
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-u https://x.example", "-u is for configs, and $chain is a LangChain object with settings of its own"),
        ("-s Brief.", "-s does not apply to a chain"),
        ("--model m", "--model is for configs"),
        ("-t none", "--each and -t do not go together"),
    ],
)
def test_options_that_do_not_apply_are_refused(rows, line, said):
    assert said in rows.refused(f"%azureml $chain --each $letters {line}")


def test_chain_that_needs_a_name_says_how_to_name_it(rows):
    thing = object()
    rows.vars["chain"] = RunnableLambda(lambda row: str(thing))
    said = rows.refused("%azureml $chain --each $letters --journal j.jsonl")
    assert "A journal cannot tell this chain from another one" in said
    assert 'with_config(run_name="letters-1")' in said


def test_model_without_a_body_is_refused(rows):
    rows.vars["model"] = FakeListChatModel(responses=["x"])
    assert "There is no prompt" in rows.refused("%azureml $model --each $letters")


def test_chain_is_evaluated(rows):
    rows.vars["chain"] = RunnableLambda(lambda row: "glad")
    evaluation = rows.ok("%azureml $chain --each $letters --expect label").result
    assert evaluation.summary()[0].setting.label == "chain"
    assert evaluation.summary()[0].accuracy.mean == 0.5


def test_body_without_a_variable_of_its_own_is_refused_in_a_cells_words(rows):
    rows.vars["chain"] = ChatPromptTemplate.from_template("{a} {b}") | FakeListChatModel(responses=["ok"])
    said = rows.refused("%%azureml $chain --each $letters\nabout {letter}")
    assert "$chain has no single variable for it: it lacks a, b. Leave out the cell's body" in said.replace(
        " (config '$chain')", ""
    )
