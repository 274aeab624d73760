"""Calls of tools as foldable lines, in all forms of an output."""

from __future__ import annotations

import pytest

from azml_magics.core.response import Response, ToolRun
from azml_magics.display import mime
from azml_magics.display.tool_runs import fold_run, format_call, format_run

CALL = {"id": "a", "type": "function", "function": {"name": "get_sales", "arguments": '{"region": "North", "n": 2}'}}
STEPS = (
    {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": "1,200 $"},
)


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (ToolRun("get_sales", '{"region": "North"}', "1200"), 'get_sales(region="North") → 1200'),
        (ToolRun("get_sales", "", None), "get_sales() …"),
        (ToolRun("get_sales", "{broken", "Error: no", is_error=True), "get_sales({broken) ✗ no"),
        (ToolRun("f", "[1]", "a\nb\n"), "f([1]) → a b"),
        (ToolRun("f", "", ""), 'f() → ""'),
    ],
)
def test_a_call_and_its_result_are_one_line(run, line):
    assert format_run(run) == line


def test_a_long_call_is_shortened_on_its_line_and_whole_inside():
    run = ToolRun("f", f'{{"text": "{"x" * 500}"}}', "y" * 500)
    assert len(format_call(run)) <= 120
    assert "x" * 500 in fold_run(run)
    assert "y" * 500 in fold_run(run)


def test_html_in_a_result_is_text():
    html = fold_run(ToolRun("f", '{"a": "<b>"}', "<script>alert(1)</script>\n$x$ `y`"))
    assert "<script>" not in html
    assert "<b>" not in html
    assert "\n" not in html


def test_a_response_shows_its_steps_above_its_text():
    data, _ = mime.response_bundle(Response("They sold 1,200.", steps=STEPS))
    markdown = data["text/markdown"]
    assert data["text/plain"] == "They sold 1,200."
    assert markdown.index("Let me look.") < markdown.index("<details") < markdown.index("They sold")
    assert data[mime.RESPONSE_MIME]["steps"] == [
        {"text": "Let me look."},
        {
            "line": 'get_sales(region="North", n=2) → 1,200 $',
            "call": 'get_sales(region="North", n=2)',
            "result": "1,200 $",
        },
    ]


def test_a_response_without_steps_has_none_in_its_document():
    assert "steps" not in mime.response_bundle(Response("Hi"))[0][mime.RESPONSE_MIME]
