"""Magics called in a function see its variables, as IPython's own do; results go to the notebook's namespace."""

from __future__ import annotations

import pytest


def call(body, line="", *, before="", magic="cell"):
    """A cell that calls the magic in a function whose variables the notebook does not have."""
    run = {
        "cell": f"get_ipython().run_cell_magic('azureml', {line!r}, {body!r})",
        "line": f"get_ipython().run_line_magic('azureml', {f'{line} {body}'.strip()!r})",
    }[magic]
    return f"def call(city):\n    {before or 'pass'}\n    return {run}\nresult = call('Lisbon')"


def content(body):
    """The text of the last message of a request."""
    return body["messages"][-1]["content"]


def test_braces_take_the_callers_local_variable(asking, last_body):
    asking.ok(call("What is in {city}?"))
    assert content(last_body()) == "What is in Lisbon?"


def test_local_variable_hides_the_notebooks(asking, last_body):
    asking.vars["city"] = "Oslo"
    asking.ok(call("What is in {city}?"))
    assert content(last_body()) == "What is in Lisbon?"


def test_notebooks_variables_are_seen_in_a_function(asking, last_body):
    asking.vars["river"] = "Tagus"
    asking.ok(call("{city} on the {river}"))
    assert content(last_body()) == "Lisbon on the Tagus"


def test_line_magic_in_a_function_sees_its_variables(asking, last_body):
    asking.ok(call("ask What is in {city}?", magic="line"))
    assert content(last_body()) == "What is in Lisbon?"


def test_line_magic_syntax_in_a_function_body(asking, last_body):
    asking.ok(
        "def call(city):\n    return %azureml ask What is in {city}\nresult = call('Lisbon')".replace("return ", "a = ")
    )
    assert content(last_body()) == "What is in Lisbon"


def test_question_of_a_line_magic_in_a_function(asking, last_body):
    asking.ok("def call(city):\n    a = %azureml ask What is in {city}?\n    return a\nresult = call('Lisbon')")
    assert content(last_body()) == "What is in Lisbon?"


def test_dollar_takes_local_objects(asking, last_body):
    asking.ok(call("Hi", "-s $note -k $extra", before="note, extra = 'Be brief.', {'seed': 7}"))
    assert last_body()["seed"] == 7
    assert last_body()["messages"][0] == {"role": "system", "content": "Be brief."}


def test_dollar_takes_a_local_config(asking, endpoint, last_body):
    asking.ok("from azml_magics import LLMConfig")
    made = f"mine = LLMConfig(endpoint_url={endpoint.url + '/v1/chat/completions'!r}, key='env:TEST_KEY', system=city)"
    asking.ok(call("Hi", "$mine", before=made))
    assert last_body()["messages"][0] == {"role": "system", "content": "Lisbon"}


def test_template_may_be_a_local_variable(asking, last_body):
    pytest.importorskip("langchain_core", reason="the template is one of LangChain")
    asking.ok("from langchain_core.prompts import PromptTemplate")
    asking.ok(call("\n", "-t $mine", before="mine = PromptTemplate.from_template('Praise {city}.')"))
    assert content(last_body()) == "Praise Lisbon."


def test_rows_may_be_a_local_variable(asking, endpoint):
    asking.ok(call("{city}: {dish}", "--each $rows", before="rows = [{'dish': 'bacalhau'}, {'dish': 'nata'}]"))
    assert sorted(content(request.json()) for request in endpoint.requests) == ["Lisbon: bacalhau", "Lisbon: nata"]


def test_output_of_a_function_is_stored_in_the_notebook(asking):
    asking.ok(call("What is in {city}?", "-o reply -q"))
    assert "Lisbon" in asking.vars["reply"].text


def test_save_takes_a_local_variable(asking, magics):
    asking.ok(call("save main -s $note", before="note = 'Be brief.'", magic="line"))
    assert magics.context.session.get("main").system == "Be brief."


def test_locals_of_a_finished_call_are_forgotten(asking):
    asking.ok(call("What is in {city}?"))
    assert "city" in asking.refused("%%azureml\nWhat is in {city}?")


def test_completion_and_panel_keep_to_the_notebook(asking, magics):
    asking.ok(call("What is in {city}?"))
    assert "city" not in magics.context.prompt_variables


def test_magic_in_a_comprehension_sees_its_variable(asking, endpoint):
    asking.ok("[get_ipython().run_cell_magic('azureml', '-q', 'Hi {who}') for who in ('Ann', 'Bo')]")
    assert [content(request.json()) for request in endpoint.requests] == ["Hi Ann", "Hi Bo"]
