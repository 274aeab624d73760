"""An evaluation as people see it: as text, in a notebook, on GitHub."""

from __future__ import annotations

from azml_magics.display.mime import RESPONSE_MIME
from azml_magics.evaluation.section import sections_bundle

from .evaluations import make_evaluation, make_settings, rate_limit

TABLE = [
    ("So late!", "cross", ["cross", "cross"]),
    ("Thanks!", "glad", ["cross", "glad"]),
    ("Lovely.", "glad", [rate_limit(), "Glad."]),
]


def evaluation(**options):
    return make_evaluation(TABLE, make_settings("small", "large", price="1,2"), **options)


def test_text_has_the_summary_first_then_failures():
    text = evaluation().to_text()
    assert text.splitlines()[0] == "3 rows x 2 settings = 6 responses, 1 failed"
    assert text.index("accuracy") < text.index("2 wrong or failed:") < text.index("RateLimitError: Too many requests")


def test_text_is_the_same_in_every_run_without_times():
    assert "p50" not in evaluation().to_text()
    assert "p50" in evaluation().to_text(times=True)


def test_single_setting_shows_its_confusions():
    table = [(letter, label, answers[1:]) for letter, label, answers in TABLE]
    one = make_evaluation(table, make_settings("large"))
    assert "Expected (down) and answered (across): large" in one.to_text()
    assert "Expected (down)" not in evaluation().to_text()
    assert "glad" in repr(one.confusion())


def test_baseline_shows_which_rows_changed():
    small, large = (
        make_evaluation([(letter, label, [answers[at]]) for letter, label, answers in TABLE], make_settings(name))
        for at, name in enumerate(("small", "large"))
    )
    large.flips = large.flipped(small)
    text = large.to_text()
    assert "1 became right, 0 became wrong." in text
    assert "large: no difference beyond chance" in text
    assert "Against the baseline" in repr(large.flips)
    assert [s["title"] for s in sections_bundle(large.sections())[RESPONSE_MIME]["sections"]][
        -1
    ] == "Against the baseline"


def test_summary_and_failures_are_tables_of_their_own():
    summary = evaluation().summary()
    assert "accuracy" in repr(summary)
    assert "<table" in summary._repr_mimebundle_()["text/html"]
    assert "expected 'glad', got 'cross'" in repr(evaluation().failures())
    assert RESPONSE_MIME in evaluation().failures()._repr_mimebundle_()


def test_markdown_is_a_table_that_github_reads():
    lines = evaluation().to_markdown().splitlines()
    assert any(line.startswith("| config | rows | right | accuracy |") for line in lines)
    assert "| small | 3 | 1 of 2 | 0.500 |" in evaluation().to_markdown()


def test_plot_of_an_evaluation_has_a_point_for_each_setting():
    assert [point.label for point in evaluation().plot().points] == ["small", "large"]
