"""A question mark at the end of a line is the prompt's, not IPython's."""

from __future__ import annotations

import pytest

from azml_magics.notebook.trailing_question import as_calls


@pytest.mark.parametrize("question", ["What is MLflow?", "Why??", 'Who said "why"?', "What's {x}?", "Is it $5 \\ 6 ?"])
def test_question_is_sent_as_typed(asking, last_body, question):
    asking.vars["x"] = "new"
    ran = asking.ok(f"%azureml ask {question}")
    assert last_body()["messages"][0]["content"] == question.replace("{x}", "new")
    assert ran.text


def test_response_can_be_assigned(asking):
    asking.ok("answer = %azureml ask What is MLflow?")
    assert "MLflow" in asking.vars["answer"].text


def test_question_among_other_lines(asking, last_body):
    asking.ok("x = 1\nif x:\n    %azureml ask What is MLflow?\ny = 2")
    assert last_body()["messages"][0]["content"] == "What is MLflow?"
    assert asking.vars["y"] == 2


@pytest.mark.parametrize(
    "source", ["%azureml?", "%%azureml?", "%azureml ask?", "print?", "%timeit?", "%azureml list?", "x = 'ask?'"]
)
def test_ipythons_help_still_works(source):
    assert as_calls([source]) == [source]


def test_strings_and_cell_magics_are_unchanged(asking, last_body):
    asking.ok('text = """\n%azureml ask What is MLflow?\n"""')
    assert asking.vars["text"] == "\n%azureml ask What is MLflow?\n"
    asking.ok("%%azureml\nExplain this line:\n%azureml ask What is MLflow?")
    assert last_body()["messages"][0]["content"] == "Explain this line:\n%azureml ask What is MLflow?"


def test_empty_cell_is_unchanged():
    assert as_calls([]) == []
