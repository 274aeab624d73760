"""One line of %azureml: a semicolon at its end, an object without a body, and an interrupt between two steps."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import Interrupted
from azml_magics.notebook.commands import dispatch


def test_a_semicolon_at_the_end_hides_the_result_and_is_no_part_of_the_line(asking, endpoint):
    ran = asking.ok(f"%azureml save other --url {endpoint.url}/v1/completions --key env:TEST_KEY;")
    assert (ran.result, ran.stdout) == (None, "")
    assert "env:TEST_KEY (found)" in asking.ok("%azureml show other").text
    assert asking.ok("%azureml list;").result is None
    assert asking.ok("%azureml use other ;").result is None
    assert "No config named 'othr'" in asking.refused("%azureml use othr;")


def test_a_semicolon_in_a_question_belongs_to_it(asking, last_body):
    asking.ok("%azureml ask What does this do: x = 1;")
    assert last_body()["messages"][0]["content"] == "What does this do: x = 1;"


def test_an_object_is_asked_without_a_body(asking):
    asking.ok("from langchain_core.prompts import PromptTemplate")
    asking.ok("shout = PromptTemplate.from_template('{word}!') | (lambda prompt: prompt.text.upper())")
    assert asking.ok("%azureml $shout -v word=hello").text == "HELLO!"
    assert asking.refused("%azureml $shout") == ("PromptError: $shout needs word. Define it, or pass --var NAME=VALUE.")
    assert "There is no variable 'shot' for $shot. Did you mean 'shout'?" in asking.refused("%azureml $shot")


@pytest.mark.parametrize("source", ["%azureml list", "%azureml history"])
def test_an_interrupt_between_two_steps_is_one_line_too(asking, monkeypatch, source):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "run", interrupted)
    assert asking.refused(source).startswith("Interrupted: ")
    assert type(asking.run(source).error) is Interrupted
