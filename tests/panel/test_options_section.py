"""The fold "Schema and tools": fields, what they say, choosers, and the cell that does the same."""

from __future__ import annotations

import json

import ipywidgets as w
import pytest
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.panel.view.response_object import object_bundle, tool_calls_bundle
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .sections import titles
from .widgets import open_panel, within


class Opinion(BaseModel):
    product: str
    stars: int


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


@pytest.fixture
def session(azml_endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    made = Session()
    url = f"{azml_endpoint.url}/v1/chat/completions"
    made.save("main", LLMConfig(endpoint_url=url, formatter="openai-chat", key="env:PANEL_KEY", max_retries=0))
    return made


@pytest.fixture
def notebook():
    """The notebook's variables."""
    return {
        "Opinion": Opinion,
        "my_tools": TOOLS,
        "qa": ChatPromptTemplate.from_template("{language}: {question}"),
        "frame": [1, 2],
    }


@pytest.fixture
def panel(session, notebook):
    with open_panel(session, **notebook) as panel:
        panel.type("Prompt", "An opinion about tea")
        yield panel


def cell(panel):
    return panel.find("As a cell").value


def html_of(panel):
    """The HTML that the outputs show."""
    outputs = [each.outputs for each in within(panel.panel.widget) if isinstance(each, w.Output)]
    return [entry["data"].get("text/html", "") for output in outputs for entry in output]


def test_class_is_chosen_and_its_fields_are_said(panel):
    panel.type("Classes in the notebook", "Opinion")
    assert panel.find("Schema").value == "Opinion"
    assert "Opinion: product, stars" in panel.lines()
    assert cell(panel) == "%%azureml main --schema $Opinion\nAn opinion about tea"
    assert "Schema and tools: schema Opinion" in titles(panel)


def test_typed_json_shows_its_error_in_place_and_run_refuses_it(panel, azml_endpoint):
    panel.type("Schema", '{"type":\n  "object",,}')
    said = "The schema is not JSON at line 2, column 12: Expecting property name enclosed in double quotes."
    assert [line for line in panel.lines() if line.startswith("The schema is not JSON at line 2, column 1")]
    assert "Schema and tools: schema ✗" in titles(panel)
    panel.click("Run")
    panel.wait_until_idle()
    assert len([line for line in panel.lines() if line.startswith("The schema is not JSON")]) == 2, said
    assert not azml_endpoint.requests


def test_object_of_a_response_is_a_table_above_its_json(panel):
    panel.type("Schema", "Opinion")
    panel.click("Run")
    panel.wait_until_idle()
    [page] = [html for html in html_of(panel) if "<details" in html and "product" in html]
    assert '<th scope="row"' in page
    assert "<summary>JSON</summary>" in page


def test_tools_and_output_are_in_the_cell(panel):
    panel.type("Tools in the notebook", "my_tools")
    panel.type("Keep response as", "frame")
    assert cell(panel).splitlines()[0] == "%%azureml main -p tools=$my_tools -o frame"
    assert "1 tool: weather" in panel.lines()
    assert "frame is a list now: Run replaces it." in panel.lines()
    panel.type("Tools", json.dumps(TOOLS))
    assert "-p 'tools=[{" in cell(panel)
    assert "Schema and tools: 1 tool, kept as frame" in titles(panel)


def test_response_is_said_to_be_in_its_variable(panel):
    panel.type("Keep response as", "answer")
    panel.click("Run")
    panel.wait_until_idle()
    assert "answer has the response." in panel.lines()


def test_template_shows_its_variables(panel):
    panel.type("Template", "$qa")
    assert "$qa takes {language}, {question}." in panel.lines()
    assert panel.find("{language}").placeholder == "not in the notebook: type a value"
    assert "azml-missing" in panel.find("{language}")._dom_classes
    panel.type("{language}", "German")
    assert "$qa takes {language}, {question}. The prompt becomes {question}." in panel.lines()
    assert "azml-missing" not in panel.find("{language}")._dom_classes
    assert cell(panel).startswith("%%azureml main -v language=German -t $qa\n")
    assert "Schema and tools: template $qa" in titles(panel)


def test_names_follow_the_notebook(panel, session):
    assert panel.find("Classes in the notebook").options[1:] == (("Opinion", "Opinion"),)
    with open_panel(session) as bare:
        shown = [each.description for each in within(bare.panel.widget) if isinstance(each, w.Dropdown)]
        assert "Classes in the notebook" in shown
        with pytest.raises(AssertionError):
            bare.find("Classes in the notebook")  # it is hidden


def test_lookup_in_braces_is_said_below_the_prompt(panel):
    panel.type("Prompt", "Look at {frame[0]}")
    assert any(line.startswith("{frame[0]} is sent as written") for line in panel.lines())


# ---- bundles


def test_tool_calls_are_shown_below_the_text():
    call = {"id": "c1", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    bundle = tool_calls_bundle(Response("Let me look.", tool_calls=(call,)))
    assert bundle["text/plain"] == "Let me look.\n\nThe model calls weather."
    assert bundle["text/markdown"].startswith("Let me look.\n\n<div")
    assert "Rome" in bundle["text/markdown"]
    assert tool_calls_bundle(Response("Hello")) is None


def test_large_object_is_shown_as_code():
    bundle = object_bundle(Response("", parsed=list(range(20_000)), format="json"))
    assert "text/html" not in bundle
    assert object_bundle(Response("", parsed=None, format="json")) is None
