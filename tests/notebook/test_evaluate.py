"""--each with --expect, --compare, --sweep, -n, --score, --judge, --require: what a user sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core.http import permit
from azml_magics.emulator import Fault
from azml_magics.evaluation.evaluation import Evaluation

MIME = "application/vnd.azml.response.v1+json"
CELL = "%%azureml --each $letters --expect label {}\nGlad or cross? {{letter}}"
LETTERS = [
    {"letter": "Great service, thank you!", "label": "glad"},
    {"letter": "It came late and broken.", "label": "cross"},
    {"letter": "I want a refund, poor work.", "label": "cross"},
    {"letter": "I love it, the best one.", "label": "cross"},  # as the model sees it, this label is wrong
]


@pytest.fixture
def letters(asking):
    """A notebook with a config and the list `letters`, whose last label is not what the model says."""
    permit.reset()
    asking.vars["letters"] = [dict(letter) for letter in LETTERS]
    yield asking
    permit.reset()


def cell(options=""):
    return CELL.format(options)


def first(evaluation):
    return evaluation.summary()[0]


# ---- one setting


def test_expectations_end_in_a_summary_with_accuracy(letters, endpoint):
    ran = letters.ok(cell("-o run"))
    assert isinstance(ran.result, Evaluation)
    assert letters.vars["run"] is ran.result
    assert (first(ran.result).accuracy.count, first(ran.result).accuracy.n) == (3, 4)
    assert len(endpoint.requests) == 4
    assert ran.stdout.startswith("Sending 4 rows to main, up to 16 at a time. About ")
    assert "tokens of prompts (estimated: bytes / 4).\n" in ran.stdout
    assert ran.text.splitlines()[0] == "4 rows"
    assert "3 of 4" in ran.text
    assert "1 x expected 'cross', got 'glad'" in ran.text.casefold()


def test_output_is_the_same_in_every_run(letters):
    one, two = (letters.ok(cell()) for _ in range(2))
    assert one.data == two.data
    assert one.metadata == two.metadata == {}
    document = one.data[MIME]
    assert document["rows"][0]["setting"]["accuracy"] == 0.75
    assert document["sections"][0]["rows"][0]["setting"]["cause"].casefold() == "expected 'cross', got 'glad'"


def test_times_are_saved_on_demand(letters):
    letters.ok("%config AzureMLMagics.save_details = True")
    assert letters.ok(cell()).metadata["azml"]["evaluation"][0]["p50"] > 0


def test_last_shows_the_evaluation_again(letters):
    run = letters.ok(cell("-q")).result
    assert run is None
    assert isinstance(letters.ok("%azureml last").result, Evaluation)


def test_usage_counts_the_requests(letters):
    letters.ok(cell("-q"))
    assert letters.ok("%azureml usage").result.values[0][2] == 4


def test_field_of_a_schema_is_compared(letters):
    letters.ok("schema = {'type': 'object', 'properties': {'mood': {'type': 'string'}}, 'required': ['mood']}")
    run = letters.ok(
        "%%azureml --each $letters --schema $schema --expect mood=label -o run\nWhat is the mood? {letter}"
    ).result
    assert first(run).accuracy.n == 4


def test_price_gives_a_cost_and_its_estimate(letters):
    ran = letters.ok(cell("--price 1,2 -o run"))
    assert ", which cost about " in ran.stdout
    assert first(ran.result).cost > 0
    assert "cost" in ran.data[MIME]["columns"]


# ---- several settings


def test_configs_are_compared_row_by_row(letters, endpoint):
    letters.ok("%azureml save other --from main temperature=0.5")
    ran = letters.ok(cell("--compare main,other -o run"))
    assert [setting.label for setting in ran.result.settings] == ["main", "other"]
    assert len(endpoint.requests) == 8
    assert "4 rows by 2 settings (main, other) = 8 requests, up to 16 at a time for each endpoint." in ran.stdout
    assert "no difference beyond chance" in ran.text


def test_sweeps_and_repeats_multiply(letters, endpoint):
    run = letters.ok(cell("--sweep temperature=0,1 -n 2")).result
    assert len(endpoint.requests) == 16
    assert [summary.rows for summary in run.summary()] == [8, 8]
    assert run.summary()[0].agreement is not None


def test_settings_need_no_expectation(letters, endpoint):
    run = letters.ok("%%azureml --each $letters --sweep temperature=0,1\nGlad or cross? {letter}").result
    assert len(endpoint.requests) == 8
    assert first(run).accuracy is None


def test_dry_run_shows_the_first_requests_and_sends_nothing(letters, endpoint):
    said = letters.ok(cell("--sweep temperature=0,1 --dry-run")).text
    assert said.startswith("Would send 4 rows by 2 settings (0, 1) = 8 requests. The first:")
    assert len(endpoint.requests) == 0


def test_one_failing_config_does_not_stop_the_others(letters):
    letters.ok("%azureml save down --url http://127.0.0.1:9/v1/chat/completions --key none --retries 0")
    ran = letters.ok(cell("--compare main,down"))
    main, down = ran.result.summary()
    assert main.accuracy.n == 4
    assert down.accuracy is None or down.accuracy.n == 0
    assert "down stopped after" in ran.result.note


def test_journal_is_continued(letters, endpoint):
    letters.ok(cell("--journal run.jsonl -q"))
    ran = letters.ok(cell("--journal run.jsonl"))
    assert len(endpoint.requests) == 4
    assert "Sending nothing of 4 rows to main: the journal run.jsonl has all responses." in ran.stdout


def test_progress_has_a_line_for_each_setting_and_ends_empty(letters, endpoint):
    endpoint.latency = 0.15
    try:
        ran = letters.ok(cell("--sweep temperature=0,1 --concurrency 1"))
    finally:
        endpoint.latency = 0.0
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    drawn = [payload["text/plain"] for payload in ran.payloads[1:-1]]
    assert any(len(text.splitlines()) == 3 and text.splitlines()[2].startswith("1 ") for text in drawn)


# ---- scores, judges, baselines


def test_functions_score_every_response(letters):
    letters.ok("def brief(row, response):\n    return len(str(response)) < 10")
    run = letters.ok(cell("--score $brief")).result
    assert first(run).scores["brief"].n == 4


def test_judge_rates_by_a_rubric(letters, endpoint):
    letters.ok("%azureml save judge --from main")
    ran = letters.ok(cell("--judge judge --rubric 'Is it one word?' -o run"))
    assert len(endpoint.requests) == 8
    assert "Then judge judges the responses." in ran.stdout
    assert "The judge judge took 4 requests" in ran.text
    usage = letters.ok("%azureml usage").result.values
    assert [(line[0], line[2]) for line in usage[:2]] == [("main", 4), ("judge", 4)]


def test_several_judges_rate_with_variables_and_columns(letters, endpoint):
    letters.ok("%azureml save one --from main\n%azureml save two --from main\nlanguage = 'French'")
    ran = letters.ok(cell("--judge one,two --rubric 'In {language} about {letter}?' -o run"))
    assert {"judge_one", "judge_two"} <= set(first(letters.vars["run"]).scores), ran.stdout
    asked = [str(request.json()) for request in endpoint.requests]
    assert sum("In French about " in text and "{letter}" not in text for text in asked) == 8
    refused = letters.refused(cell("--judge one --rubric 'About {lettre}?'"))
    assert "The rubric has {lettre}, which is not a column. Did you mean 'letter'?" in refused


def test_rubric_is_read_from_a_file(letters, endpoint):
    Path("rubric.md").write_text("Be kind.", encoding="utf-8")
    letters.ok(cell("--judge main --rubric rubric.md"))
    assert any("Be kind." in str(request.json()) for request in endpoint.requests)
    assert "The rubric nowhere.md cannot be read" in letters.refused(cell("--judge main --rubric nowhere.md"))


@pytest.mark.parametrize("baseline", ["$before", "before.jsonl"])
def test_baseline_shows_what_changed(letters, baseline):
    letters.ok("%%azureml --each $letters --expect label -o before --journal before.jsonl\nOne word: {letter}")
    ran = letters.ok(cell(f"--baseline {baseline} -o run"))
    assert letters.vars["run"].flips is not None
    assert "Against the baseline" in ran.text
    assert "The prompts differ" in ran.text


# ---- requirements


def test_met_requirement_says_nothing(letters):
    assert isinstance(letters.ok(cell("--require 'accuracy>=0.7' --require errors==0")).result, Evaluation)


def test_requirement_that_is_not_met_raises_after_the_evaluation_is_shown(letters):
    ran = letters.run(cell("--require 'accuracy>=0.9' -o run"))
    assert type(ran.error).__name__ == "EvaluationFailed"
    line = ran.error._render_traceback_()[0]
    assert line.startswith("EvaluationFailed: The evaluation does not meet a requirement: accuracy>=0.9: main has 0.75")
    assert "\n" not in line
    assert "3 of 4" in ran.payloads[-1]["text/plain"]
    assert isinstance(letters.vars["run"], Evaluation)


def test_requirement_raises_even_if_errors_are_only_shown(letters):
    letters.ok("%config AzureMLMagics.raise_errors = False")
    assert letters.run(cell("--require 'accuracy>=0.9' -q")).error is not None


# ---- what is refused, before anything is sent


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--expect labl", "The table has no column 'labl' to expect. Did you mean 'label'?"),
        ("--expect label --match fuzzy", "fuzzy"),
        ("--match exact", "--match compares responses with what is expected: it goes with --expect."),
        ("--baseline old.jsonl", "--baseline finds rows that became right or wrong: it goes with --expect."),
        ("--rubric nice", "--rubric tells a judge what a good response is: it goes with --judge."),
        ("--judge main", "--judge rates responses by a rubric: it goes with --rubric."),
        ("--score brief", "--score takes a function, not 'brief'. Write --score $brief."),
        (
            "--expect label --require 'acuracy>=0.9'",
            "There is no figure 'acuracy' to require. Did you mean 'accuracy'?",
        ),
        ("--expect label --require 'cost<1'", "needs a price"),
        ("--expect label -n 0", "at least 1, not 0"),
        ("--expect label --baseline nowhere.jsonl", "nowhere.jsonl"),
        ("--expect label --compare main,nobody", "No config named 'nobody'"),
        ("--expect label -F json", "--each and -F do not go together"),
        ("--expect label -c trip", "--each gives several responses, and -c takes one"),
    ],
)
def test_wrong_combinations_are_refused_in_one_line(letters, endpoint, line, said):
    assert said in letters.refused(f"%%azureml --each $letters {line}\nGlad or cross? {{letter}}")
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize("line", ["--expect label", "--score $brief", "--require errors==0", "--judge main"])
def test_options_of_evaluations_need_rows(letters, line):
    assert f"{line.split()[0]} goes with --each" in letters.refused(f"%%azureml {line}\nHi")


def test_failed_rows_are_counted_and_not_wrong(letters, endpoint):
    endpoint.script([Fault("400")])
    run = letters.ok(cell("--concurrency 1")).result
    assert (first(run).failed, first(run).accuracy.n) == (1, 3)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("%%azureml --each $letters --expect ", {"label", "letter"}),
        ("%%azureml --each $letters --expect mood=la", {"mood=label"}),
        ("%%azureml --each $letters --match n", {"normalized", "number"}),
        ("%%azureml --each $letters --require acc", {"accuracy>="}),
        ("%%azureml --each $letters --judge m", {"main"}),
    ],
)
def test_completion_offers_columns_matches_and_checks(letters, typed, expected):
    from azml_magics.notebook.completion import complete

    context = letters.shell.magics_manager.registry["AzureMLMagics"].context
    _, found = complete(context, f"{typed}\nHi", 0, typed, len(typed))
    assert {item.text for item in found} == expected


# ---- LangChain objects


def as_chain(row):
    return "glad" if "thank" in row["letter"] else "cross"


@pytest.fixture
def chain(letters):
    runnables = pytest.importorskip("langchain_core.runnables")
    letters.vars["chain"] = runnables.RunnableLambda(as_chain)
    return letters


def test_chain_without_a_prompt_gets_the_rows(chain, endpoint):
    ran = chain.ok("%%azureml $chain --each $letters --expect label\n\n")
    assert first(ran.result).accuracy.count == 4
    assert first(ran.result).label == "chain"
    assert not endpoint.requests


def test_chain_is_compared_with_a_config(chain, endpoint):
    chat = pytest.importorskip("langchain_core.language_models").FakeListChatModel(responses=["cross"])
    chain.vars["fake"] = chat
    ran = chain.ok(cell("--compare $fake,main"))
    assert [each.label for each in ran.result.summary()] == ["fake", "main"]
    assert [each.accuracy.count for each in ran.result.summary()] == [3, 3]
    assert len(endpoint.requests) == 4


def test_sweep_of_a_chain_is_refused(chain):
    ran = chain.run("%%azureml $chain --each $letters --sweep temperature=0,1\n{letter}")
    assert "A sweep sets model kwargs of configs" in str(ran.error)
