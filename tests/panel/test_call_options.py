"""Schema, tools, template and the variable for the response: read, refused, sent, kept and restored."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel, Field

from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import SchemaError, UsageError
from azml_magics.core.response import Response
from azml_magics.emulator import Fault
from azml_magics.notebook import prompt_templates
from azml_magics.panel.model.call_options import CallOptions
from azml_magics.panel.model.output_variable import describe_output, read_output
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.model.prompt_template import find_slots, template_choices
from azml_magics.panel.model.schema import find_models, read_schema, schema_words
from azml_magics.panel.model.tools import describe_tools, find_tools, read_described


class Opinion(BaseModel):
    product: str
    stars: int = Field(ge=1, le=5)


AGE = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
def model(session, variables):
    """A panel that stores into the notebook's variables and renders its templates."""
    made = PanelModel(session, lambda: variables, render_template=prompt_templates.render, store=variables.__setitem__)
    yield made
    made.close()


# ---- the schema


@pytest.mark.parametrize("text", ["Opinion", "$Opinion", " Opinion\n"])
def test_schema_takes_a_class_by_its_name(text):
    schema = read_schema(text, {"Opinion": Opinion})
    assert (schema.name, schema.model) == ("Opinion", Opinion)
    assert schema_words(text, {"Opinion": Opinion}) == ["--schema", "$Opinion"]


def test_schema_takes_json_and_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "age.json").write_text(json.dumps(AGE))
    assert read_schema(json.dumps(AGE, indent=2), {}).json_schema == AGE
    assert read_schema("age.json", {}).json_schema == AGE
    assert schema_words("age.json", {}) == ["--schema", "age.json"]
    assert read_schema(" \n", {}) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Opinon", "The notebook has no variable 'Opinon'"),
        ('{\n  "type": "object"\n  "x": 1}', "The schema is not JSON at line 3, column 3: Expecting ',' delimiter"),
        ("{", "The schema is not JSON at column 2"),
        ("[1]", "The schema is not a JSON object"),
        ('{"type": "objekt"}', "The JSON schema itself is wrong: 'objekt' is not valid"),
        ('{"$ref": "https://example.org/a"}', "which is not fetched"),
        ("number", "A schema is a pydantic model class, a dict, or JSON in a text or a file, not int"),
        ("none.json", "The schema none.json cannot be read"),
        ("two words", "The schema is not JSON at column 1"),
    ],
)
def test_wrong_schema_says_what_and_where(text, said):
    with pytest.raises(UsageError) as caught:
        read_schema(text, {"Opinion": Opinion, "number": 3})
    assert said in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_schema_or_one_line(text):
    with contextlib.suppress(UsageError):
        schema = read_schema(text, {})
        assert schema is None or isinstance(schema.json_schema, dict)


def test_only_the_notebooks_own_classes_are_offered():
    notebook = {
        "Opinion": Opinion,
        "_Private": Opinion,
        "BaseModel": BaseModel,
        "int": int,
        "one": Opinion(product="a", stars=1),
    }
    assert find_models(notebook) == ["Opinion"]


def test_run_with_a_schema_gives_an_object(ready, variables, wait_until_idle, endpoint, session):
    variables["Opinion"] = Opinion
    ready.set_option("schema", "Opinion")
    ready.runs.run()
    wait_until_idle(ready)
    assert isinstance(ready.result.row.response.parsed, Opinion)
    assert endpoint.requests[-1].json()["response_format"]["json_schema"]["name"] == "Opinion"
    assert session.last.config.model_kwargs["response_format"]["type"] == "json_schema"


def test_run_refuses_a_schema_that_cannot_be_read(ready, endpoint):
    ready.set_option("schema", '{"type":\n')
    ready.runs.run()
    assert "The schema is not JSON at line 2, column 1" in ready.notes["run"].text
    assert ready.check_options().lines["schema"].is_error
    assert not endpoint.requests
    ready.set_option("schema", "")
    assert ready.notes["run"].text == ""


def test_response_that_violates_its_schema_is_said_in_place(ready, wait_until_idle, endpoint):
    ready.set_option("schema", json.dumps({**AGE, "properties": {"age": {"type": "string", "pattern": "^x{40}$"}}}))
    endpoint.script([None])
    ready.runs.run()
    said = wait_until_idle(ready)
    assert isinstance(ready.result.row.error, SchemaError)
    assert "does not match" in said
    assert ready.notes["schema"].text == said
    assert ready.result.row.text  # it is kept
    ready.set_option("schema", json.dumps(AGE))
    assert ready.notes["schema"].text == ""


# ---- tools


def test_tools_are_a_variable_or_json():
    assert read_described("tools", {"tools": [WEATHER]}) == [WEATHER]
    assert read_described(json.dumps([WEATHER]), {}) == [WEATHER]
    assert read_described("", {}) is None
    assert describe_tools([WEATHER, {"name": "search", "input_schema": {}}, {"type": "web_search"}, {}]) == (
        "4 tools: weather, search, web_search, ?"
    )
    assert find_tools({"tools": [WEATHER], "rows": [{"a": 1}], "empty": [], "_x": [WEATHER]}) == ["tools"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("toolz", "The notebook has no variable 'toolz'"),
        ("number", "Tools are a list of objects. number is of the type int"),
        ('[{"type": "function",\n  }]', "The tools are not JSON at line 2, column 3"),
        ('{"type": "function"}', "Tools are a list of objects"),
        ("[]", "Tools are a list of objects"),
        ('["weather"]', "Tools are a list of objects"),
    ],
)
def test_wrong_tools_say_what_and_where(text, said):
    with pytest.raises(UsageError) as caught:
        read_described(text, {"number": 3, "tools": [WEATHER]})
    assert said in str(caught.value)


def test_key_in_tools_is_refused_and_not_kept(ready, variables, endpoint, contains_text):
    tool = {"type": "mcp", "server_url": "https://x.y", "authorization": "sk-" + "abcdefgh" * 4}
    variables["tools"] = [tool]
    for text in ("tools", json.dumps([tool])):
        ready.set_option("tools", text)
        line = ready.check_options().lines["tools"]
        assert line.is_error
        assert "authorization" in line.text
        assert "authorization" not in ready.build_cell().text
        ready.runs.run()
        assert "authorization" in ready.notes["run"].text
    assert not contains_text(ready.options.tools, "sk-abc")
    assert not contains_text(ready.notes, "sk-abc")
    assert not endpoint.requests


def test_tools_are_sent_and_leave_the_config_alone(ready, wait_until_idle, endpoint):
    ready.set_option("tools", json.dumps([WEATHER]))
    ready.runs.run()
    wait_until_idle(ready)
    assert endpoint.requests[-1].json()["tools"] == [WEATHER]
    assert not ready.draft.is_changed


# ---- the variable for the response


@pytest.mark.parametrize(
    ("text", "said"),
    [("2x", "'2x' is not a variable's name"), ("a b", "is not a variable's name"), ("class", "a word of Python")],
)
def test_wrong_output_name_is_refused(ready, endpoint, text, said):
    ready.set_option("output", text)
    assert said in ready.check_options().lines["output"].text
    ready.runs.run()
    assert said in ready.notes["run"].text
    assert not endpoint.requests


def test_output_says_what_it_replaces():
    notebook = {"frame": {"a": 1}, "index": 3, "answer": Response("x"), "batch": Batch([])}
    assert describe_output("frame", notebook) == "frame is a dict now: Run replaces it."
    assert describe_output("index", notebook) == "index is an int now: Run replaces it."
    assert describe_output("list", notebook) == "list is a name of Python's own: Run hides it."
    assert {describe_output(name, notebook) for name in ("answer", "batch", "new")} == {""}
    assert read_output(" $answer ") == "answer"


def test_response_is_kept_in_the_notebook(ready, variables, wait_until_idle):
    ready.set_option("output", "answer")
    ready.runs.run()
    wait_until_idle(ready)
    assert variables["answer"] is ready.result.row.response
    assert ready.notes["output"].text == "answer has the response."
    ready.runs.compare(repeats=2)
    wait_until_idle(ready)
    assert variables["answer"] is ready.result.batch
    assert ready.notes["output"].text == "answer has the responses."


def test_failed_response_replaces_nothing(ready, variables, wait_until_idle, endpoint):
    variables["answer"] = "before"
    ready.set_option("output", "answer")
    endpoint.script([Fault("400", message="maximum context length")])
    ready.runs.run()
    wait_until_idle(ready)
    assert variables["answer"] == "before"


# ---- the template


def test_template_none_sends_braces_as_written(ready, wait_until_idle, endpoint):
    ready.set_prompt("{a: 1} and {name}")
    ready.set_template("none")
    assert ready.variables() == []
    ready.runs.run()
    wait_until_idle(ready)
    assert endpoint.requests[-1].json()["messages"][-1]["content"] == "{a: 1} and {name}"


def test_prompt_template_takes_variables_and_the_prompt(ready, variables, wait_until_idle, endpoint):
    variables["qa"] = ChatPromptTemplate.from_messages(
        [("system", "Answer in {language}."), ("human", "Q: {question}")]
    )
    variables["language"] = "German"
    ready.set_template("$qa")
    ready.set_prompt("How far is {place}?")
    ready.set_variable("place", "Rome")
    assert [(each.name, each.notebook) for each in ready.variables()] == [("language", "German"), ("place", None)]
    assert ready.describe_template() == "$qa takes {language}, {question}. The prompt becomes {question}."
    ready.runs.run()
    wait_until_idle(ready)
    assert endpoint.requests[-1].json()["messages"] == [
        {"role": "system", "content": "Answer in German."},
        {"role": "user", "content": "Q: How far is Rome?"},
    ]


def test_prompt_template_without_values_is_refused(ready, variables, endpoint):
    variables["qa"] = ChatPromptTemplate.from_template("{a} and {b}")
    ready.set_template("$qa")
    ready.set_prompt("")
    ready.runs.run()
    assert ready.notes["run"].text.startswith("$qa needs a, b. Type a value into its field")
    ready.set_prompt("Hello")
    ready.runs.run()
    assert "it lacks a, b" in ready.notes["run"].text
    del variables["qa"]
    ready.runs.run()
    assert "The notebook has no variable 'qa'" in ready.notes["run"].text
    assert not endpoint.requests


def test_choices_have_the_notebooks_templates():
    notebook = {"qa": ChatPromptTemplate.from_template("{a}"), "x": 1, "_t": ChatPromptTemplate.from_template("{a}")}
    assert [value for _, value in template_choices(notebook, "$gone")] == ["", "none", "$qa", "$gone"]
    assert find_slots("$qa", notebook) == ("a",)
    assert find_slots("$x", notebook) == find_slots("$gone", notebook) == find_slots("none", notebook) == ()


# ---- kept with a run


def test_options_are_restored_with_a_version(ready, variables, wait_until_idle):
    variables["Opinion"] = Opinion
    ready.set_option("schema", "Opinion")
    ready.set_option("tools", json.dumps([WEATHER]))
    ready.set_template("none")
    ready.runs.run()
    wait_until_idle(ready)
    number, kwargs = ready.result.number, dict(ready.draft.config.model_kwargs)
    for name in ("schema", "tools"):
        ready.set_option(name, "")
    ready.set_template("")
    assert ready.is_result_stale
    ready.history.restore(number)
    assert ready.options == CallOptions("Opinion", json.dumps([WEATHER]))
    assert ready.prompt.template == "none"
    assert dict(ready.draft.config.model_kwargs) == kwargs
    assert not ready.is_result_stale
    ready.history.go_back()
    assert (ready.options, ready.prompt.template) == (CallOptions(), "")


def test_options_survive_a_restart(session, ready, variables, wait_until_idle, tmp_path):
    session.open_history(tmp_path / "history.jsonl")
    ready.set_option("schema", json.dumps(AGE))
    ready.set_template("none")
    ready.runs.run()
    wait_until_idle(ready)
    again = type(session)()
    again.save("main", ready.draft.config)
    again.open_history(tmp_path / "history.jsonl")
    made = PanelModel(again, lambda: variables)
    assert made.options.schema == json.dumps(AGE)
    assert made.prompt.template == "none"
    assert "response_format" not in made.draft.config.model_kwargs
    made.close()


@pytest.mark.parametrize("notes", [{}, {"options": 3}, {"options": {"schema": 3, "odd": "x"}}])
def test_odd_notes_are_no_options(notes):
    assert CallOptions.from_notes(notes) == CallOptions()
