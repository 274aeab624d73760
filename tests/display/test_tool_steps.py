"""Tool calls and their results as lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.response import Response
from azml_magics.core.tool_steps import ToolStep, with_step
from azml_magics.display import mime
from azml_magics.display.tool_steps import step_line, steps_html


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (ToolStep("look_up", '{"word": "sea", "n": 2}', "salty"), 'look_up(word="sea", n=2) → salty'),
        (ToolStep("look_up", "{}", None), "look_up() → …"),
        (ToolStep("look_up", "not JSON", "a\nb"), "look_up(not JSON) → a b"),
        (ToolStep("look_up", "", ""), "look_up() → (nothing)"),
        (ToolStep("look_up", "", "no network", is_error=True), "look_up() → failed: no network"),
    ],
)
def test_step_is_one_line(step, line):
    assert step_line(step) == line


def test_result_replaces_the_call_that_waits_for_it():
    asked = [ToolStep("look_up", '{"word": "a"}', id="1"), ToolStep("look_up", '{"word": "b"}', id="2")]
    steps = with_step(with_step((), asked[0]), asked[1])
    steps = with_step(steps, ToolStep("look_up", '{"word": "a"}', "found", id="1"))
    assert [step.result for step in steps] == ["found", None]
    again = with_step(steps, ToolStep("look_up", '{"word": "c"}', id="1"))  # some servers count from 1 in each response
    assert [step.arguments for step in again] == ['{"word": "a"}', '{"word": "b"}', '{"word": "c"}']


@given(st.text(), st.text(), st.text())
def test_html_of_any_step_is_one_inert_line(name, arguments, result):
    shown = steps_html([ToolStep(name, arguments, f"<script>{result}", said=result)])
    assert "\n" not in shown
    assert "<script" not in shown
    assert "$" not in shown


def test_response_shows_its_steps_above_its_text():
    response = Response("It is salty.", steps=(ToolStep("look_up", '{"word": "sea"}', "salty"),))
    data, _ = mime.response_bundle(response)
    markdown = data["text/markdown"]
    assert markdown.index("<summary>") < markdown.index(mime.ANSWER_MARK) < markdown.index("It is salty.")
    assert data["text/plain"] == "It is salty."
    assert data[mime.RESPONSE_MIME]["steps"][0]["result"] == "salty"
    assert Response.from_dict(response.to_dict()) == response
