"""%azureml discover: the table, and --save."""

from __future__ import annotations

import re

import pytest

from azml_magics.azure import identity
from azml_magics.azure.discovery import Discovery
from azml_magics.display.mime import RESPONSE_MIME
from azml_magics.emulator.control_plane import ControlPlane
from azml_magics.notebook.completion import complete
from azml_magics.notebook.remedies import REMEDIES

pytest.importorskip("azure.identity")


@pytest.fixture
def azure(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    identity.forget_tokens()
    with ControlPlane() as plane:
        for name, value in plane.environment.items():
            monkeypatch.setenv(name, value)
        yield plane
    identity.forget_tokens()


def test_table_shows_what_the_sign_in_sees(notebook, azure):
    ran = notebook.ok("%azureml discover")
    assert isinstance(ran.result, Discovery)
    headings = re.split(r"  +", ran.text.splitlines()[0])
    assert headings == ["name", "in", "kind", "model", "wire", "region or zone", "tokens/min", "state", "key"]
    line = next(line for line in ran.text.splitlines() if line.startswith("gpt-5-mini"))
    assert re.split(r"  +", line) == [
        "gpt-5-mini",
        "contoso-foundry",
        "Foundry",
        "gpt-5-mini 2025-08-07",
        "openai-responses",
        "global",
        "250,000",
        "Succeeded",
        "key or Entra",
    ]
    assert "<table" in ran.data["text/html"]
    assert ran.text.endswith("To save some as configs: %azureml discover --save NAME …")


def test_jupyterlabs_viewer_gets_values_that_it_can_sort(notebook, azure):
    document = notebook.ok("%azureml discover").data[RESPONSE_MIME]
    assert document["columns"][:2] == ["name", "in"]
    rows = {row["setting"]["name"]: row["setting"] for row in document["rows"]}
    assert rows["gpt-5-mini"]["tokens/min"] == 250_000
    assert "tokens/min" not in rows["llama-chat"]
    assert document["rest"].endswith("%azureml discover --save NAME …")


def test_refusals_stand_below_the_table(notebook, azure):
    azure.faults.denied = ["*/onlineEndpoints/read", "*/serverlessEndpoints/read"]
    ran = notebook.ok("%azureml discover")
    assert "gpt-5-mini" in ran.text
    assert "The online endpoints of contoso-ml: Your sign-in lacks" in ran.text
    assert ran.data["text/html"].count("AzureML Data Scientist or Reader") == 2
    assert "<br>" in ran.data["text/html"]


def test_saved_deployments_answer_in_the_next_cell(notebook, azure):
    notebook.ok("%azureml discover")
    before = len(azure.requests)
    said = notebook.ok("%azureml discover --save gpt-5-mini claude-sonnet-4-6").text
    assert len(azure.requests) == before  # from the last table
    assert said.splitlines() == [
        "Saved gpt-5-mini: openai-responses in contoso-foundry, key entra.",
        "Saved claude-sonnet-4-6: anthropic-messages in contoso-foundry, key entra.",
        "In use: gpt-5-mini.",
    ]
    assert notebook.ok("%%azureml\nSay hello").text
    assert notebook.ok("%%azureml claude-sonnet-4-6\nSay hello").text


def test_save_alone_discovers_and_saves_what_takes_a_prompt(notebook, azure, magics):
    said = notebook.ok(f"%azureml discover {azure.project_url} --save").text
    names = {"gpt-5-mini", "o3-pro", "claude-sonnet-4-6", "qwen3-8b", "gpt-4o"}
    assert set(magics.context.session.names()) == names
    assert all(f"Saved {name}: " in said for name in names)


def test_formatter_that_only_the_deployment_knows_is_asked_for(notebook, azure, magics):
    said = notebook.ok("%azureml discover --workspace contoso-ml --save bart-summary").text
    assert said.startswith("Saved bart-summary: mlflow in contoso-ml, key entra.")
    assert notebook.ok("%%azureml\nSay hello").text


def test_deployment_that_does_not_describe_itself_names_the_next_step(notebook, azure):
    azure.resources.find(_id(azure, "bart-summary"))["properties"]["scoringUri"] = f"{azure.url}/nowhere/score"
    said = notebook.ok("%azureml discover --save bart-summary").text
    assert "no formatter yet" in said
    assert "Find its formatter: %azureml detect bart-summary --probe" in said


def test_owner_without_the_role_to_send_prompts_gets_the_key(notebook, azure):
    azure.faults.denied = ["*/OpenAI/deployments/chat/completions/action"]
    said = notebook.ok("%azureml discover --save gpt-5-mini").text
    assert said.startswith("Saved gpt-5-mini: openai-responses in contoso-foundry, key azure-key.")
    assert notebook.ok("%%azureml\nSay hello").text


def test_saved_deployment_that_takes_no_prompt_says_why(notebook, azure):
    said = notebook.ok("%azureml discover --save mistral-idle falcon-broken").text.splitlines()
    assert said[1] == "  No prompt can be sent to it now: it has no deployment."
    assert said[3] == "  No prompt can be sent to it now: its creation failed."


def _id(azure, name):
    return next(one["id"] for one in azure.resources.with_keys() if one["name"] == name)


def test_key_of_the_saved_configs_can_be_named(notebook, azure, magics):
    notebook.ok("%azureml discover --save gpt-5-mini --key env:MY_KEY")
    assert str(magics.context.session.get("gpt-5-mini").key) == "env:MY_KEY"


def test_way_to_sign_in_can_be_chosen(notebook, azure, magics):
    notebook.ok("%azureml discover --sign-in managed --save gpt-5-mini")
    assert str(magics.context.session.get("gpt-5-mini").key) == "entra:managed"
    assert "--sign-in takes cli, managed, device, browser" in notebook.refused("%azureml discover --sign-in azure")


def test_nothing_found_says_where_it_looked(notebook, azure):
    azure.subscriptions.clear()
    ran = notebook.ok("%azureml discover")
    assert ran.text.startswith("No endpoint or deployment was found in every subscription of your sign-in.")
    assert "text/html" not in ran.data
    said = notebook.ok("%azureml discover --subscription 5ab5c41b-0000-4000-8000-000000000009 --save").text
    assert said.startswith("Nothing was saved: no deployment takes a prompt.")


def test_name_that_is_not_in_the_last_table_is_searched(notebook, azure):
    notebook.ok("%azureml discover --subscription 'Contoso Sandbox'")
    assert notebook.ok("%azureml discover --save gpt-5-mini").text.startswith("Saved gpt-5-mini: ")


def test_empty_table_is_not_kept(notebook, azure):
    notebook.ok("%azureml discover")
    notebook.ok("%azureml discover --workspace nowhere")
    before = len(azure.requests)
    assert notebook.ok("%azureml discover --save gpt-5-mini").text.startswith("Saved gpt-5-mini: ")
    assert len(azure.requests) == before


def test_mistakes_are_one_line_in_the_notebooks_words(notebook, azure, tmp_path):
    assert "goes before --save" in notebook.refused("%azureml discover --save https://x.example/api/projects/p")
    assert "Did you mean 'gpt-5-mini'?" in notebook.refused("%azureml discover --save gpt5-mini")
    identity.forget_tokens()
    azure.faults.token_tenant = "11111111-0000-4000-8000-000000000000"
    assert "Use --tenant " in notebook.refused("%azureml discover")
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text("{}")
    assert "--workspace, --resource-group and --subscription" in notebook.refused("%azureml discover")
    assert "wrong-tenant" in REMEDIES


def test_saved_names_complete_from_the_last_table(notebook, azure, magics):
    notebook.ok("%azureml discover")
    for line in ("%azureml discover --save gpt-5", "%azureml discover --save o3-pro gpt-5"):
        _, found = complete(magics.context, line, 0, line, len(line))
        assert [item.text for item in found] == ["gpt-5-mini", "gpt-5"]
