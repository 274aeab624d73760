"""Responses side by side, as data and as text."""

from __future__ import annotations

import sys
import types

import pytest

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import Interrupted, RateLimitError, ResponseFormatError, UnknownNameError
from azml_magics.core.response import Response, Usage

CONFIG = LLMConfig(name="prod")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><svg/onload=alert(1)>",
    "<mark>mine</mark> &lt; &amp; &#60;",
    "javascript:alert('x')",
    "<!-- ]]> <style>*{}</style>",
)


def row(text=None, error=None, /, usage=None, latency=0.0, finish="stop", **setting):
    response = None
    if text is not None:
        response = Response(text, usage=usage, finish_reason=finish, latency=latency)
    return Row(setting or {"answer": 1}, CONFIG, response, error)


def batch(*texts):
    return Batch(row(text, answer=number) for number, text in enumerate(texts, 1))


# ---- as a sequence


def test_batch_is_a_sequence_whose_slices_are_batches():
    rows = [row("a", answer=1), row("b", answer=2), row(None, ResponseFormatError("no"), answer=3)]
    made = Batch(rows)
    assert len(made) == 3
    assert list(made) == rows
    assert made[-1] is rows[2]
    assert isinstance(made[1:], Batch)
    assert made[1:].texts == ["b", ""]
    assert [response and response.text for response in made.responses] == ["a", "b", None]
    assert made.errors == [None, None, rows[2].error]
    assert rows[0] in made


def test_empty_batch_has_every_form():
    empty = Batch([])
    assert (empty.to_text(), empty.to_dicts(), empty.summary()) == ("", [], "0 responses, 0 different")
    assert len(empty.only_different()) == 0


def test_only_different_keeps_first_of_each_text_without_failures():
    made = Batch([row("a", n=1), row("b", n=2), row("a", n=3), row("c", RateLimitError("slow"), n=4), row("", n=5)])
    assert [kept.setting["n"] for kept in made.only_different()] == [1, 2, 5]
    assert made.summary() == "5 responses, 3 different, 1 failed"


def test_rows_with_the_same_setting_stay_apart():
    made = Batch([row("a", config="x"), row("b", config="x")])
    assert [entry["text"] for entry in made.to_dicts()] == ["a", "b"]
    assert made.to_text() == "[x · stop]\na\n\n[x · stop]\n*b*"


def test_another_row_can_be_the_base():
    made = Batch([row("the cat", pet="a"), row("the dog", pet="b"), row("the dogs", pet="c")])
    made.show_reasoning = "hidden"
    assert made.against("b").to_text() == "[a · stop]\nthe *cat*\n\n[b · stop]\nthe dog\n\n[c · stop]\nthe *dogs*"
    assert (made.against(-1).base, made.against(1).show_reasoning) == (2, "hidden")
    assert made.to_text().startswith("[a · stop]\nthe cat")


@pytest.mark.parametrize("base", ["d", 3, -4])
def test_unknown_base_is_refused(base):
    with pytest.raises(UnknownNameError, match=f"No row named '{base}'"):
        Batch([row("x", pet="a"), row("x", pet="b"), row("x", pet="c")]).against(base)


# ---- as data


def test_to_dicts_returns_a_flat_dict_per_row():
    failed = ResponseFormatError("Half of it came")
    made = Batch(
        [
            row("Hi", usage=Usage(3, 2, 5), latency=0.5, config="prod", temperature=0.2),
            row("Ha", failed, finish=None, config="prod", temperature=0.9),
            row(None, failed, config="test", temperature=0.2),
        ]
    )
    assert made.to_dicts() == [
        {
            "config": "prod",
            "temperature": 0.2,
            "text": "Hi",
            "finish_reason": "stop",
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "latency": 0.5,
            "error": None,
        },
        {
            "config": "prod",
            "temperature": 0.9,
            "text": "Ha",
            "finish_reason": None,
            "prompt_tokens": None,
            "completion_tokens": None,
            "latency": 0.0,
            "error": "ResponseFormatError: Half of it came",
        },
        {
            "config": "test",
            "temperature": 0.2,
            "text": "",
            "finish_reason": None,
            "prompt_tokens": None,
            "completion_tokens": None,
            "latency": None,
            "error": "ResponseFormatError: Half of it came",
        },
    ]


def test_to_pandas_makes_a_data_frame_of_the_dicts(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=lambda rows: ("frame", rows)))
    assert batch("a", "b").to_pandas() == ("frame", batch("a", "b").to_dicts())


def test_to_pandas_works_with_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    frame = batch("a", "b").to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["text"]) == ["a", "b"]


def test_to_pandas_without_pandas_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas\. to_dicts\(\) works without it"):
        batch("a").to_pandas()


# ---- as text


def test_to_text_has_headings_and_marks_differences():
    made = Batch(
        [
            row("the cat sat", usage=Usage(1, 3, 4), latency=1.26, temperature=0),
            row("the dog sat", finish="length", latency=2.0, temperature=1),
            row("the", ResponseFormatError("Half of it came"), finish=None, temperature=2),
            row(None, RateLimitError("Too many"), temperature=3),
            row(None, temperature=4),
        ]
    )
    assert made.to_text() == (
        "[0 · stop · 3 tokens]\nthe cat sat\n\n"
        "[1 · length]\nthe *dog* sat\n\n"
        "[2]\nthe\nResponseFormatError: Half of it came\n\n"
        "[3]\nRateLimitError: Too many\n\n"
        "[4]\n…"
    )
    assert repr(made) == made.to_text()
    assert made.to_text(times=True).startswith("[0 · stop · 3 tokens · 1.3 s]\n")


def test_label_of_several_settings_has_their_names():
    made = Batch([row("a", config="prod", temperature=0), row("a", config="a\nb", temperature="x" * 500)])
    heading = made.to_text().splitlines()[3]
    assert made.to_text().splitlines()[0] == "[config=prod, temperature=0 · stop]"
    assert heading.startswith("[config=a b, temperature=xxx")
    assert len(heading) < 130


def test_to_text_has_no_control_characters_or_surrogates():
    made = Batch([row("\x1b[2Jgone\x07\r\nnext\ttab \ud800", RuntimeError("a\x1b[2J\nb"), finish=None)])
    form = made.to_text()
    assert form.encode()
    assert not set(form) & {"\x1b", "\x07", "\r"}
    assert "[2Jgone\nnext\ttab \ufffd" in form
    assert "RuntimeError: a[2J b" in form


def test_batch_marks_no_differences_while_more_is_coming():
    made = Batch([row("a b", n=1), row("a c", n=2)], is_complete=False)
    assert "*" not in made.to_text()
    assert "*" not in made[:2].to_text()
    assert "*" in Batch(list(made)).to_text()


def test_interrupted_counts_whole_responses_of_its_batch():
    made = Batch([row("a"), row("b", Interrupted()), row(None, Interrupted())])
    assert str(Interrupted(batch=made)).startswith("Stopped; 1 of 3 responses were complete.")
