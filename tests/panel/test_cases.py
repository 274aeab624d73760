"""Test cases in the panel: edited, imported, run through the rows engine, and made into a cell."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from azml_magics import session as sessions
from azml_magics.core.config import LLMConfig
from azml_magics.emulator import Fault
from azml_magics.panel.model.case_table import MAX_CASES, CaseTable
from azml_magics.panel.model.cases import describe_failure
from azml_magics.panel.model.changes import CASES
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.rows.results import Results

AGE = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.fixture
def model(session, variables):
    made = PanelModel(session, lambda: variables, store=variables.__setitem__)
    yield made
    made.close()


@pytest.fixture
def cases(ready):
    """The cases of a panel with a config, and a prompt with one variable."""
    ready.set_prompt("Tell me about {topic}")
    return ready.cases


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fill(cases, *topics):
    cases.set_text("topic\n" + "".join(f'"{topic}"\n' for topic in topics))


def note(model):
    return model.notes["cases"].text


# ---- editing


def test_case_has_a_column_for_each_variable(ready, cases):
    ready.set_prompt("{topic} in {place}")
    cases.add()
    assert cases.table == CaseTable(("topic", "place"), (("", ""),))
    cases.set_value("topic", "tea")
    cases.duplicate()
    cases.set_value("place", "Rome")
    assert (cases.table.to_dicts(), cases.selected) == (
        [{"topic": "tea", "place": ""}, {"topic": "tea", "place": "Rome"}],
        1,
    )
    cases.delete()
    assert (len(cases.table), cases.selected) == (1, 0)
    cases.delete()
    cases.delete()
    assert note(ready) == "There is no case. Add one, paste a table, or import one."


def test_prompt_without_variables_takes_no_case(ready, cases):
    ready.set_prompt("Hello")
    cases.add()
    assert "The prompt has no variable" in note(ready)
    assert len(cases.table) == 0


def test_text_with_an_error_keeps_the_table(ready, cases):
    fill(cases, "tea")
    cases.set_text('topic\n"tea')
    assert "The quote that opens on line 2 is not closed" in note(ready)
    assert cases.table.to_dicts() == [{"topic": "tea"}]
    assert cases.text == 'topic\n"tea'  # as it was typed
    cases.edit_as_text(is_open=False)
    cases.edit_as_text(is_open=True)
    assert (cases.text, note(ready)) == ("topic\ntea\n", "")


def test_selection_stays_within_the_table(cases):
    fill(cases, *map(str, range(45)))
    cases.select(99)
    assert cases.selected == 44
    cases.turn_page(-1)
    assert cases.selected == 20
    cases.turn_page(-5)
    assert cases.selected == 0


def test_notes_name_what_does_not_fit(ready, cases, variables):
    ready.set_prompt("{topic} in {place} for {reader}")
    variables["reader"] = "children"
    cases.set_text("topic,note\ntea,x\n,y\n,z\n")
    assert [(each.text, each.is_error) for each in cases.notes()] == [
        ("{place} has no column and no value: type it into the case, or into its field.", True),
        ("The prompt does not use note.", False),
        ("{topic} is empty in cases 2, 3: an empty text is sent.", False),
    ]
    assert cases.names() == ["topic", "note", "place"]


# ---- importing


@pytest.mark.parametrize(
    "rows",
    [
        [{"topic": "tea", "n": 1}, {"topic": None}],
        pd.DataFrame({"topic": ["tea", math.nan], "n": ["1", ""]}),
    ],
)
def test_import_of_a_list_or_a_frame(ready, cases, variables, rows):
    variables["rows"] = rows
    assert cases.import_("$rows")
    assert cases.table == CaseTable(("topic", "n"), (("tea", "1"), ("", "")))
    assert note(ready) == "Imported 2 cases from $rows."


def test_import_of_texts_and_of_a_file(cases, variables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    variables["texts"] = ["tea", "rain"]
    assert cases.import_("texts")
    assert cases.table == CaseTable(("topic",), (("tea",), ("rain",)))
    (tmp_path / "topics.csv").write_text("topic,x\nsnow,1\n")
    assert cases.import_("topics.csv")
    assert cases.table == CaseTable(("topic", "x"), (("snow", "1"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rowz", "The notebook has no variable 'rowz'"),
        ("number", "An object of type int is not a table"),
        ("once", "once can be read only once. Make a list of it: once = list(once)."),
        ("many", "many has more than 500 rows"),
        ("", "There is nothing to import"),
        ("a b", "'a b' is neither a variable nor a table's file"),
        ("none.csv", "There is no file"),
        ("open.csv", "the quote that opens on line 2 is not closed"),
    ],
)
def test_import_that_fails_keeps_the_table(ready, variables, in_folder, text, said):
    cases = ready.cases
    (in_folder / "open.csv").write_text('topic\n"tea\n')
    variables.update(number=3, once=iter([{"topic": "a"}]), many=[{"topic": "a"}] * (MAX_CASES + 1))
    fill(cases, "tea")
    assert not cases.import_(text)
    assert said in note(ready)
    assert len(cases.table) == 1
    assert next(variables["once"]) == {"topic": "a"}  # not read


# ---- running


def test_run_all_sends_every_case(ready, cases, wait_until_idle, endpoint, session):
    ready.set("system", "About {topic}, be brief.")
    ready.set_kwarg("temperature", "0.5")
    fill(cases, "rivers", "tea")
    cases.run_all()
    assert cases.is_running
    wait_until_idle(ready)
    assert not cases.is_running
    bodies = sorted(json.dumps(request.json()["messages"]) for request in endpoint.requests)
    assert bodies == sorted(
        json.dumps(
            [
                {"role": "system", "content": f"About {topic}, be brief."},
                {"role": "user", "content": f"Tell me about {topic}"},
            ]
        )
        for topic in ("rivers", "tea")
    )
    assert {request.json()["temperature"] for request in endpoint.requests} == {0.5}
    assert "rivers" in cases.row.text
    cases.select(1)
    assert "tea" in cases.row.text
    assert isinstance(session.last_batch, Results)
    assert cases.run.summary.startswith("2 of 2 rows")


def test_saved_system_message_is_sent_as_it_is(ready, cases, chat, wait_until_idle, endpoint):
    ready.session.save("main", chat.merged(system="Say {x}"))
    fill(cases, "tea")
    cases.run_all()
    wait_until_idle(ready)
    assert endpoint.requests[-1].json()["messages"][0] == {"role": "system", "content": "Say {x}"}
    ready.set("system", "")
    cases.run_all()
    wait_until_idle(ready)
    assert [each["role"] for each in endpoint.requests[-1].json()["messages"]] == ["user"]


def test_typed_and_notebook_values_fill_what_has_no_column(ready, cases, variables, wait_until_idle, endpoint):
    ready.set_prompt("{topic} {place} {reader}")
    variables.update(place="Rome", topic="not this")
    ready.set_variable("reader", "Ada")
    cases.set_text("topic\ntea\n")
    cases.run_all()
    wait_until_idle(ready)
    assert endpoint.requests[-1].json()["messages"][-1]["content"] == "tea Rome Ada"


def test_failures_are_grouped_by_cause(ready, cases, wait_until_idle, endpoint):
    fill(cases, "a", "b", "c")
    endpoint.script([Fault("400", message="maximum context length")] * 3)
    cases.run_all()
    wait_until_idle(ready)
    [cause] = cases.run.causes
    assert cause.startswith("3 rows failed: BadRequestError")
    assert "(rows 1, 2, 3)" in cause
    assert describe_failure(cases.row)


def test_stop_keeps_what_has_arrived(ready, cases, wait_until_idle, endpoint, watch):
    endpoint.script([None, *[Fault("stalled", after=0)] * 40])
    fill(cases, *map(str, range(40)))
    changes = watch(ready)
    cases.run_all()
    changes.until(lambda: cases.run.rows)
    ready.stop()
    wait_until_idle(ready)
    assert not cases.is_running
    assert "not sent" in cases.run.results.counts()
    assert cases.run.summary.endswith("Stopped")
    assert any(row.response for row in cases.run.rows.values())


def test_changed_case_no_longer_shows_its_answer(ready, cases, wait_until_idle):
    fill(cases, "tea", "rain")
    cases.run_all()
    wait_until_idle(ready)
    cases.set_value("topic", "snow")
    assert cases.row is None
    assert cases.row_at(1) is not None
    cases.set_value("topic", "tea")
    assert cases.row is not None


def test_schema_and_output_apply_to_the_cases(ready, cases, variables, wait_until_idle):
    ready.set_option("schema", json.dumps(AGE))
    ready.set_option("output", "out")
    fill(cases, "tea")
    cases.run_all()
    wait_until_idle(ready)
    assert cases.row.response.parsed.keys() == {"age"}
    assert variables["out"][0]["topic"] == "tea"
    assert isinstance(variables["out"][0]["age"], int)
    assert ready.notes["output"].text == "out has the table of the responses."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model: model.set_prompt("Hello"), "The prompt uses no column of the table"),
        (lambda model: model.set_prompt("{topic} {nobody}"), "nobody"),
        (lambda model: model.set_prompt(" "), "There is no prompt"),
        (lambda model: model.set_template("none"), "Test cases fill the {name}s of a prompt"),
        (lambda model: model.conversation.open("chat"), "A conversation takes one response"),
        (lambda model: model.set("endpoint_url", ""), "There is no endpoint"),
        (lambda model: model.set_option("schema", "{"), "The schema is not JSON at column 2"),
        (lambda model: model.cases.delete(), "There is no case"),
    ],
)
def test_run_all_refuses_what_cannot_be_sent(ready, cases, endpoint, change, said):
    fill(cases, "tea")
    change(ready)
    cases.run_all()
    assert said in note(ready)
    assert not cases.is_running
    assert not endpoint.requests


def test_missing_key_is_said_and_ends_the_run(ready, cases, wait_until_idle, monkeypatch):
    monkeypatch.delenv("PANEL_KEY")
    fill(cases, "tea")
    cases.run_all()
    wait_until_idle(ready)
    assert "PANEL_KEY" in note(ready)
    assert not cases.is_running


def test_second_run_waits_for_the_first(ready, cases, wait_until_idle, endpoint):
    endpoint.script([Fault("stalled", after=0)])
    fill(cases, "tea")
    cases.run_all()
    cases.run_all()
    assert note(ready) == "Another task is running. Stop it first."
    ready.stop()
    wait_until_idle(ready)


def test_five_hundred_cases_change_the_panel_a_few_times(ready, cases, wait_until_idle, endpoint, watch):
    fill(cases, *map(str, range(MAX_CASES)))
    changes = watch(ready)
    cases.run_all()
    wait_until_idle(ready)
    assert len(cases.run.rows) == MAX_CASES
    seconds = cases.run.progress.seconds
    assert len([parts for parts in changes.parts if CASES in parts]) <= 2 * seconds + 4


# ---- what is expected


def answering(cases, wait_until_idle, ready, text):
    cases.set_text(text)
    cases.run_all()
    wait_until_idle(ready)
    return cases.scores()


def test_answers_are_compared_with_a_column(ready, cases, wait_until_idle):
    ready.set_prompt("Say {word}")
    cases.set_expect("right")
    cases.set_match("contains")
    scores = answering(
        cases, wait_until_idle, ready, "word,right\ntea,not a language model\nrain,no such words\nsnow,\n"
    )
    assert {position: score.value for position, score in scores.scores.items()} == {0: True, 1: False}
    assert scores.summary == "1 of 2 as expected (50%)"
    assert not cases.notes()  # the expected column is one that the prompt need not use
    assert cases.expect_choices() == ["right"]


def test_changes_since_the_run_before_are_named(ready, cases, wait_until_idle):
    ready.set_prompt("Say {word}")
    cases.set_expect("right")
    cases.set_match("contains")
    table = "word,right\ntea,Say tea\nrain,Tell rain\n"
    assert answering(cases, wait_until_idle, ready, table).changes == []
    ready.set_prompt("Tell {word}")
    assert answering(cases, wait_until_idle, ready, table).changes == [
        "Case 1 no longer as expected, unlike in the run before.",
        "Case 2 now as expected, unlike in the run before.",
    ]


def test_field_of_a_schema_is_compared(ready, cases, wait_until_idle):
    ready.set_option("schema", json.dumps(AGE))
    cases.set_expect("age=age")
    scores = answering(cases, wait_until_idle, ready, "topic,age\ntea,-77777\n")
    assert scores.summary == "0 of 1 as expected (0%)"
    assert cases.expect_choices() == ["age", "age=age"]


def test_expectation_that_is_no_number_is_said(ready, cases, wait_until_idle):
    cases.set_expect("right")
    cases.set_match("number")
    scores = answering(cases, wait_until_idle, ready, "topic,right\ntea,many\n")
    assert scores.errors == ["ValueError: the expectation 'many' is not a number"]
    assert scores.summary == ""


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("rihgt", "The table has no column 'rihgt' to expect"),
        ("age=right", "expect names the field 'age'"),
        ("=", "column"),
    ],
)
def test_wrong_expectation_is_refused(ready, cases, endpoint, expect, said):
    cases.set_text("topic,right\ntea,x\n")
    cases.set_expect(expect)
    assert cases.notes() is not None
    cases.run_all()
    assert said in note(ready)
    assert not endpoint.requests


# ---- the cell


def test_cell_says_what_is_expected(cases):
    cases.set_text("topic,right answer\ntea,x\n")
    cases.set_expect("right answer")
    assert cases.make_cell().text.splitlines()[0] == "%%azureml main --each $cases --expect 'right answer'"
    cases.set_match("contains")
    assert cases.make_cell().text.splitlines()[0].endswith("--expect 'right answer' --match contains")


def test_cell_takes_the_cases_from_a_variable(ready, cases, variables):
    ready.set_option("output", "out")
    ready.set_variable("topic", "not this")
    fill(cases, "tea", "rain")
    cell = cases.make_cell()
    assert cell.text == "%%azureml main --each $cases -o out\nTell me about {topic}"
    assert variables["cases"] == [{"topic": "tea"}, {"topic": "rain"}]
    assert note(ready) == "cases has 2 cases."
    cases.add()
    cases.make_cell()
    assert len(variables["cases"]) == 3


def test_cell_takes_the_cases_from_a_file(ready, cases, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases.set_place("my cases.csv")
    fill(cases, "tea")
    assert cases.make_cell().text.startswith("%%azureml main --each 'my cases.csv'\n")
    assert (tmp_path / "my cases.csv").read_text() == "topic\ntea\n"
    fill(cases, "rain")
    assert cases.make_cell()
    (tmp_path / "my cases.csv").write_text("mine")
    assert cases.make_cell() is None
    assert note(ready) == "my cases.csv exists. Choose another name for the cases."
    assert (tmp_path / "my cases.csv").read_text() == "mine"


def test_cell_replaces_no_other_variable(ready, cases, variables):
    variables["cases"] = 3
    fill(cases, "tea")
    assert cases.make_cell() is None
    assert note(ready) == "cases is in use: it is of the type int. Choose another name for the cases."
    cases.set_place("2x")
    assert cases.make_cell() is None
    assert "not a variable's name" in note(ready)
    assert variables["cases"] == 3


def test_cell_sends_the_same_requests(notebook, magics, endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", "demo")
    shell = magics.shell
    sessions.current().save(
        "main", LLMConfig(endpoint_url=f"{endpoint.url}/v1/chat/completions", key="env:PANEL_KEY", max_retries=0)
    )
    panel = PanelModel(sessions.current(), lambda: magics.context.prompt_variables, store=shell.user_ns.__setitem__)
    monkeypatch.setenv("PANEL_KEY", endpoint.key)
    panel.set("system", "In {place}, for {topic}")
    panel.set_prompt("Tell {reader} about {topic}")
    panel.set_variable("reader", "Ada")
    panel.set_kwarg("temperature", "0.3")
    shell.user_ns["place"] = "Rome"
    fill(panel.cases, "tea", "rain")
    panel.cases.run_all()
    assert panel.worker.wait(60)
    mine = sorted(json.dumps(request.json(), sort_keys=True) for request in endpoint.requests)
    endpoint.requests.clear()
    notebook.ok(panel.cases.make_cell().text)
    assert sorted(json.dumps(request.json(), sort_keys=True) for request in endpoint.requests) == mine
    panel.close()
