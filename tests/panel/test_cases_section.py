"""The fold "Test cases" over comms: edit, import, run all, look at a case, and make a cell."""

from __future__ import annotations

import html
import json
import re

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.emulator import Fault
from azml_magics.panel.model.case_table import MAX_CASES
from azml_magics.panel.view.case_page import page_html
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .sections import titles
from .widgets import click, open_panel, set_state, visible_within, within

AGE = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.fixture
def session(azml_endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    made = Session()
    url = f"{azml_endpoint.url}/v1/chat/completions"
    made.save("main", LLMConfig(endpoint_url=url, formatter="openai-chat", key="env:PANEL_KEY", max_retries=0))
    return made


@pytest.fixture
def panel(session):
    with open_panel(session, rows=[{"topic": "tea"}, {"topic": "<b>snow</b>"}]) as panel:
        panel.type("Prompt", "Tell me about {topic}")
        yield panel


def table(panel):
    """The rows of the page, each as the texts of its cells."""
    [page] = [each for each in within(panel.panel.widget) if "azml-cases" in each._dom_classes]
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd]\b.*?</t[hd]>", row)]
        for row in re.findall(r"<tr\b.*?</tr>", page.value)
    ]


def fill(panel, count):
    panel.type("Edit as text", True)
    panel.type("Cases as text", "topic\n" + "".join(f"t{number}\n" for number in range(1, count + 1)))
    panel.type("Edit as text", False)


def run_all(panel):
    panel.click("Run all")
    panel.wait_until_idle()


def test_cases_are_added_and_edited(panel):
    panel.click("Add case")
    panel.type("topic", "tea")
    panel.click("Duplicate")
    panel.type("topic", "rain")
    assert table(panel) == [["case", "topic"], ["1", "tea"], ["2", "rain"]]
    assert "Test cases: 2" in titles(panel)
    panel.type("Case", 1)
    assert panel.find("topic").value == "tea"
    panel.click("Delete case")
    assert table(panel) == [["case", "topic"], ["1", "rain"]]


def test_new_variable_of_the_prompt_is_a_field(panel):
    panel.type("Import", "rows")
    panel.click("Import cases")
    panel.type("Prompt", "{topic} in {place}")
    assert "{place} has no column and no value: type it into the case, or into its field." in panel.lines()
    panel.type("place", "Rome")
    assert table(panel)[0] == ["case", "topic", "place"]
    assert "{place} is empty in case 2: an empty text is sent." in panel.lines()


def test_text_from_a_spreadsheet_becomes_cases(panel):
    panel.type("Edit as text", True)
    panel.type("Cases as text", 'topic\tnote\ntea\t"two\nlines"\n')
    assert table(panel)[1] == ["1", "tea", "two lines"]
    assert "The prompt does not use note." in panel.lines()
    panel.type("Cases as text", 'topic\n"tea')
    assert "The quote that opens on line 2 is not closed. Close it." in panel.lines()
    assert len(table(panel)) == 2


def test_run_all_shows_how_each_case_ended(panel, azml_endpoint):
    panel.type("Import", "rows")
    panel.click("Import cases")
    azml_endpoint.script([Fault("400", message="maximum context length"), None])
    run_all(panel)
    statuses = sorted(row[2] for row in table(panel)[1:])
    assert statuses == ["✓ done", "✗ failed"]
    assert any(line.startswith("1 row failed: BadRequestError") for line in panel.lines())
    good = next(row for row in table(panel)[1:] if row[2] == "✓ done")
    panel.type("Case", int(good[0]))
    assert f"Answer to case {good[0]}" in panel.lines()
    shown = [
        output["data"]["text/plain"]
        for each in visible_within(panel.panel.widget)
        if isinstance(each, w.Output) and "azml-page" in each._dom_classes
        for output in each.outputs
    ]
    assert any("not a language model" in text for text in shown)
    panel.type("Prompt", "Say {topic}")
    assert any(line.endswith("The prompt has changed since.") for line in panel.lines())


def test_schema_adds_a_column_for_each_field(panel):
    panel.type("Schema", json.dumps(AGE))
    panel.type("Import", "rows")
    panel.click("Import cases")
    run_all(panel)
    assert table(panel)[0] == ["case", "topic", "status", "age", "answer"]
    assert table(panel)[1][3].lstrip("-").isdigit()


def test_texts_of_cases_and_answers_are_escaped(panel):
    panel.type("Import", "rows")
    panel.click("Import cases")
    run_all(panel)
    assert "<b>" not in page_html(panel.model.cases)
    assert table(panel)[2][1] == "<b>snow</b>"


def test_expected_column_marks_right_and_wrong(panel):
    panel.type("Edit as text", True)
    panel.type("Cases as text", "topic,right\ntea,not a language model\nsnow,nothing like it\n")
    panel.type("Expected", "right")
    panel.type("Match", "contains")
    run_all(panel)
    assert [row[3] for row in table(panel)[1:]] == ["✓ right", "✗ wrong"]
    assert "1 of 2 as expected (50%)" in panel.lines()


def test_cell_is_made_copied_and_inserted(panel):
    panel.type("Import", "rows")
    panel.click("Import cases")
    panel.type("Cases in", "my_cases")
    panel.click("Make a cell")
    assert panel.find("Cases cell").value == "%%azureml main --each $my_cases\nTell me about {topic}"
    panel.click("Insert cases cell")
    panel.click("Copy cases cell")
    panel.type("Prompt", "Say {topic}")
    assert "Cases cell" not in [getattr(each, "description", "") for each in visible_within(panel.panel.widget)]
    panel.type("Cases in", "rows")
    panel.click("Make a cell")
    assert "rows is in use: it is of the type list. Choose another name for the cases." in panel.lines()


def test_five_hundred_cases_take_few_widgets_and_messages(session):
    with open_panel(session) as panel:
        panel.type("Prompt", "Tell me about {topic}")
        panel.click("Add case")
        before = len(list(within(panel.panel.widget)))
        fill(panel, MAX_CASES)
        assert len(list(within(panel.panel.widget))) == before
        assert len(table(panel)) == 21
        panel.traffic.clear()
        panel.type("topic", "another")
        assert len(panel.traffic.updates) <= 10
        panel.traffic.clear()
        run_all(panel)
        seconds = panel.model.cases.run.progress.seconds
        assert len(panel.traffic.updates) <= 60 + 20 * 2 * seconds
        assert max(len(json.dumps(each.data, default=str)) for each in panel.traffic.updates) < 50_000
        assert "500 of 500 rows" in " ".join(panel.lines())


def test_pages_are_turned_with_buttons(panel):
    fill(panel, 45)
    [on] = [each for each in within(panel.panel.widget) if getattr(each, "tooltip", "") == "Next page of cases"]
    click(on)
    assert table(panel)[1][0] == "21"
    click(on)
    assert [row[0] for row in table(panel)[1:]] == ["41", "42", "43", "44", "45"]
    assert on.disabled


def test_number_beyond_the_table_selects_its_last_case(panel):
    fill(panel, 3)
    set_state(panel.find("Case"), value=99)
    assert panel.model.cases.selected == 2
    assert panel.find("Case").value == 3


def test_refused_run_is_said_in_place(panel):
    panel.click("Run all")
    assert "There is no case. Add one, paste a table, or import one." in panel.lines()
