"""The tables of an evaluation: what stands in them, as text, HTML, Markdown and data for the viewer."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import LLMConfig, Response
from azml_magics.display.mime import RESPONSE_MIME
from azml_magics.errors import RateLimitError
from azml_magics.evaluation.confusion_section import ConfusionTable
from azml_magics.evaluation.examples import describe_examples
from azml_magics.evaluation.failure_list import failure_section
from azml_magics.evaluation.flip_list import flip_section
from azml_magics.evaluation.outcome import RIGHT, Outcome, Score
from azml_magics.evaluation.section import Cell, Section, sections_bundle, sections_to_markdown
from azml_magics.evaluation.settings import Setting
from azml_magics.evaluation.statistics import Difference, Interval
from azml_magics.evaluation.summary import FailureGroup, Flip, ScoreSummary, SettingSummary
from azml_magics.evaluation.summary_table import summary_section

SMALL = Setting(0, LLMConfig(name="small"), {"config": "small"})
LARGE = Setting(1, LLMConfig(name="large"), {"config": "large"})
SUMMARIES = [
    SettingSummary(
        SMALL,
        60,
        60,
        scores={RIGHT: ScoreSummary(RIGHT, 0.8, Interval(0.68, 0.88), 60, is_share=True)},
        latency_p50=0.4,
        latency_p95=1.25,
        prompt_tokens=6000,
        completion_tokens=120,
        cost=0.00123,
    ),
    SettingSummary(
        LARGE,
        60,
        59,
        {"RateLimitError": 3, "BadRequestError": 1},
        2,
        {
            RIGHT: ScoreSummary(
                RIGHT, 0.9, Interval(0.79, 0.95), 53, is_share=True, difference=Difference(0.1, None, 0.03, 53)
            )
        },
        12.34,
        20.0,
        6000,
        120,
        cost=0.0123,
        unpriced=1,
    ),
]


def outcome(answer, expected="cross", *, setting=SMALL, row=4, error=None):
    right = {} if error else {RIGHT: Score(RIGHT, answer == expected, answer=answer, expected=expected)}
    response = None if error else Response(answer)
    prompt = "Glad or cross? I have waited three weeks."
    return Outcome(
        setting,
        setting.config,
        response,
        error,
        row_index=row,
        row_label=f"row-{row}",
        prompt=prompt,
        expected={"": expected},
        scores=right,
    )


def cells(section):
    return [dict(zip(section.headings, [cell.text for cell in row], strict=True)) for row in section.rows]


# ---- the summary


def test_summary_has_a_line_for_each_setting():
    small, large = cells(summary_section(SUMMARIES))
    assert (small["config"], small["rows"], small["right"], small["accuracy"]) == ("small", "60", "48 of 60", "0.800")
    assert small["accuracy 95 %"] == "0.68 to 0.88"
    assert (small["p50 (s)"], small["p95 (s)"], small["cost"]) == ("0.40", "1.25", "0.0012")
    assert large["accuracy vs small"] == "+0.100, higher (p = 0.030)"
    assert large["failed"] == "3 RateLimitError, 1 BadRequestError"
    assert (large["not sent"], large["no expectation"], large["p50 (s)"]) == ("1", "2", "12.3")


def test_columns_without_a_value_are_left_out():
    headings = summary_section(SUMMARIES[:1]).headings
    assert {"failed", "not sent", "agreement", "cached", "accuracy vs small", "accuracy errors"}.isdisjoint(headings)
    assert "p50 (s)" not in summary_section(SUMMARIES, times=False).headings


def test_costs_that_are_not_known_are_said():
    assert summary_section(SUMMARIES).note == "1 response is not in the cost: no price, or no token counts."
    assert summary_section(SUMMARIES[:1]).note == ""


def test_scores_of_numbers_show_their_mean_and_count():
    score = ScoreSummary("length", 123.456, Interval(100, 150), 20, errors=2)
    (line,) = cells(summary_section([SettingSummary(SMALL, 22, 22, scores={"length": score})]))
    assert (line["length"], line["length n"], line["length 95 %"], line["length errors"]) == (
        *("123.5", "20", "100.0 to 150.0"),
        "2",
    )


def test_summary_is_sortable_by_numbers():
    document = sections_bundle([summary_section(SUMMARIES)])[RESPONSE_MIME]
    assert [row["setting"]["accuracy"] for row in document["rows"]] == [0.8, 0.9]
    assert [row["setting"]["cost"] for row in document["rows"]] == [0.0012, 0.012]
    assert document["columns"][0] == "config"
    json.dumps(document, allow_nan=False)


# ---- failures, confusions, flips


def test_failures_show_each_cause_with_its_examples():
    wrong = [outcome("glad", row=number) for number in range(3)]
    groups = [
        FailureGroup("expected 'cross', got 'glad'", "wrong", 7, wrong),
        FailureGroup("RateLimitError: Too many", "error", 1, [outcome("", error=RateLimitError("Too many"))]),
    ]
    section = failure_section(groups)
    assert [line["cause"] for line in cells(section)] == [
        "expected 'cross', got 'glad'",
        "",
        "",
        "RateLimitError: Too many",
    ]
    assert [cell.value for row in section.rows for cell in row[:2]][:4] == [7, "expected 'cross', got 'glad'"] * 2
    text = section.to_text()
    assert text.startswith("8 wrong or failed:\n\n7 x expected 'cross', got 'glad'\n    row row-0: Glad or cross?")
    assert "-> glad\n" in text


def test_examples_leave_out_what_all_prompts_share():
    letters = ("So late!", "It broke.", "Too cold.")
    wrong = [
        replace(outcome("glad", row=n), prompt=f"Glad or cross?\n\nLetter: {each} Mood: as one word")
        for n, each in enumerate(letters)
    ]
    shown = cells(failure_section([FailureGroup("wrong", "wrong", 3, wrong)]))
    assert [line["prompt"] for line in shown] == ["… So late! …", "… It broke. …", "… Too cold. …"]
    assert "setting" not in shown[0]
    mixed = failure_section([FailureGroup("wrong", "wrong", 2, [wrong[0], outcome("glad", setting=LARGE)])])
    assert [line["setting"] for line in cells(mixed)] == ["small", "large"]


@given(st.lists(st.text("ab c", max_size=30), min_size=1, max_size=4))
def test_any_prompts_keep_what_sets_them_apart(prompts):
    outcomes = [replace(outcome("glad", row=n), prompt=prompt) for n, prompt in enumerate(prompts)]
    shown = [example.prompt for example in describe_examples(outcomes)]
    assert len(set(shown)) == len({" ".join(prompt.split()) for prompt in prompts})


def test_many_causes_are_counted_and_not_all_shown():
    groups = [FailureGroup(f"cause {number}", "wrong", 1, [outcome("glad")]) for number in range(12)]
    section = failure_section(groups)
    assert len(section.rows) == 10
    assert section.note == "… and 2 for 2 rarer causes."
    assert section.to_text().endswith("… and 2 for 2 rarer causes.")
    assert failure_section([]).to_text() == "Nothing is wrong or failed."


def test_confusion_table_has_expected_labels_down():
    table = ConfusionTable(SMALL, RIGHT, ["cross", "glad"], ["cross", "glad", ""], [[5, 7, 1], [0, 9, 0]], 3)
    first, second = cells(table.to_section())
    assert first == {"expected": "cross", "cross": "5", "glad": "7", "(nothing)": "1", "all": "13"}
    assert second["cross"] == ""
    assert "3 more responses are longer texts" in table.to_section().note


def test_flips_show_what_became_wrong_first():
    gained = Flip(outcome("glad"), outcome("cross"))
    lost = Flip(outcome("cross", row=5), outcome("glad", row=5))
    section = flip_section([gained, lost], ["2 rows are new."])
    assert section.lead == "1 became right, 1 became wrong. 2 rows are new."
    assert [line["now"] for line in cells(section)] == ["wrong", "right"]
    assert cells(section)[0]["before"] == "cross"
    assert flip_section([gained] * 30).note == "… and 10 more."
    assert flip_section([]).to_text().endswith("No row changed.")


# ---- all forms

HOSTILE = "<script>alert(1)</script> | `x` *b* [l](http://e) $5$ \x1b[31m\n\nnew"


def test_hostile_texts_stay_text_in_every_form():
    section = Section("A <b>title", ["a|b", "c"], [[Cell(HOSTILE, HOSTILE), Cell(1.5, "1.5")]], "Lead <i>", "Note")
    html = section.to_html()
    assert "<script" not in html
    assert "\x1b" not in html + section.to_text() + section.to_markdown()
    assert "\\<script\\>alert(1)" in section.to_markdown()
    assert "\\| \\`x\\` \\*b\\*" in section.to_markdown()
    assert "\x1b" not in json.dumps(section.to_document(), ensure_ascii=False)


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), min_size=1, max_size=4))
def test_any_texts_make_a_table_of_as_many_lines_and_cells(rows):
    section = Section("", ["a", "b"], [[Cell.of(text) for text in row] for row in rows])
    table = [line for line in section.to_markdown().splitlines() if line.startswith("|")]
    assert len(table) == len(rows) + 2
    counter = TagCounter()
    counter.feed(section.to_html())
    assert counter.tags.count("td") == 2 * len(rows)


class TagCounter(HTMLParser):
    """Collects the tags of an HTML text."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def test_further_sections_follow_the_first_in_the_document():
    sections = [summary_section(SUMMARIES), flip_section([])]
    document = sections_bundle(sections)[RESPONSE_MIME]
    assert document["version"] == 1
    assert [section["title"] for section in document["sections"]] == ["Against the baseline"]
    assert "| config | rows |" in sections_to_markdown(sections)


@pytest.mark.parametrize("form", ["to_text", "to_html", "to_markdown"])
def test_section_without_rows_has_its_line_alone(form):
    assert "No row changed." in getattr(flip_section([]), form)()
