"""A model's thoughts above its answer: one inert HTML element that every Markdown reader takes whole."""

from __future__ import annotations

import html
import json
import re

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert import HTMLExporter, MarkdownExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response, Usage
from azml_magics.display.batch_html import batch_to_html
from azml_magics.display.mime import ANSWER_MARK, RESPONSE_MIME, response_bundle
from azml_magics.display.reasoning import fold_reasoning, growing_reasoning

THOUGHTS = "First:\n\n```python\n1 < 2 & $x$\n\n<script>alert(1)</script>\n# *not* a [heading](javascript:x)"


def markdown_of(response):
    return response_bundle(response)[0]["text/markdown"]


def test_thoughts_are_folded_above_the_answer():
    usage = Usage(1, 200, 201, {"completion_tokens_details": {"reasoning_tokens": 192}})
    data, _ = response_bundle(Response("It **runs**.", reasoning=THOUGHTS, usage=usage))
    assert data["text/plain"] == "It **runs**."
    above, answer, below = (part.strip() for part in data["text/markdown"].split(ANSWER_MARK))
    assert above.startswith('<details style="opacity:0.75"><summary>Reasoning (192 tokens)</summary><pre')
    assert answer == "It **runs**."
    assert "200 tokens (192 reasoning)" in html.unescape(below)
    assert data[RESPONSE_MIME]["reasoning"] == THOUGHTS


def test_thoughts_are_open_or_hidden_on_request():
    response = Response("Yes.", reasoning="Hm.", show_reasoning="open")
    assert markdown_of(response).startswith("<details open ")
    assert response_bundle(response)[0][RESPONSE_MIME]["reasoning_open"] is True
    hidden = response_bundle(Response("Yes.", reasoning="Hm.", show_reasoning="hidden"))[0]
    assert "Hm." not in json.dumps(hidden)


def test_response_without_thoughts_is_only_its_answer():
    data, metadata = response_bundle(Response("Yes.", finish_reason="stop", usage=Usage(1, 2, 3), model="m"))
    assert data["text/markdown"] == "Yes."
    assert set(data[RESPONSE_MIME]) == {
        "version", "text", "config", "model", "finish_reason", "usage", "tool_calls", "reasoning",
    }  # fmt: skip
    assert "region" not in metadata["azml"]


@given(st.text(max_size=200) | st.text("`*_$\\<>&[]()#-+|~\n\r\t \u2028x1.", max_size=80))
def test_any_thoughts_stay_in_one_html_element(thoughts):
    for element in (fold_reasoning(thoughts), growing_reasoning(thoughts)):
        assert len(element.split("\n")) == 1
        shown = mistune.html(f"{element}\n\nanswer *here*") if element else ""
        assert not element or shown.rstrip().endswith("<p>answer <em>here</em></p>")
        assert len(re.findall("<(?!br>)", element)) in (0, 6)


def test_growing_thoughts_show_their_end():
    shown = growing_reasoning("x" * 5000 + "the end")
    assert "the end</pre>" in shown
    assert len(shown) < 2500


@pytest.mark.parametrize("exporter", [HTMLExporter, MarkdownExporter])
def test_exports_keep_the_answer_readable(exporter):
    data, metadata = response_bundle(Response("It **runs**.", reasoning=THOUGHTS))
    output = new_output("execute_result", data=data, metadata=metadata, execution_count=1)
    exported, _ = exporter().from_notebook_node(new_notebook(cells=[new_code_cell("x", outputs=[output])]))
    assert ("It <strong>runs</strong>." if exporter is HTMLExporter else "\nIt **runs**.\n") in exported
    assert "<script>alert(1)" not in exported
    assert "<summary>Reasoning</summary>" in exported


def test_several_choices_are_shown_side_by_side():
    usage = Usage(1, 72, 73)
    choices = tuple(Response(text, usage=usage, latency=1.0) for text in ("Rivers run.", "Rivers flow."))
    data, metadata = response_bundle(Response("Rivers run.", usage=usage, choices=choices))
    assert [row["text"] for row in data[RESPONSE_MIME]["rows"]] == ["Rivers run.", "Rivers flow."]
    assert [row["setting"] for row in data[RESPONSE_MIME]["rows"]] == [{"choice": 1}, {"choice": 2}]
    assert [row["usage"] for row in data[RESPONSE_MIME]["rows"]] == [None, None]
    assert data[RESPONSE_MIME]["rest"] == "72 tokens", "of both together"
    assert "72 tokens</small>" in data["text/html"]
    assert metadata["azml"]["latencies"] == [None, None]


def test_table_unfolds_the_thoughts_of_a_row():
    batch = Batch([Row({"n": 1}, LLMConfig(), Response("Yes.", reasoning="1 < 2")), Row({"n": 2}, LLMConfig())])
    assert (
        '<summary>Reasoning</summary><div style="white-space:pre-wrap">1 &lt; 2</div></details>Yes.'
        in batch_to_html(batch)
    )
    assert batch.texts == ["Yes.", ""]
    batch.show_reasoning = "hidden"
    assert "Reasoning" not in batch_to_html(batch)


def test_table_shows_the_notices_of_a_row():
    batch = Batch([Row({"n": 1}, LLMConfig(), Response("", notices=("All 64 tokens were thoughts.",)))])
    assert "All 64 tokens were thoughts.</div>" in batch_to_html(batch)
    assert "All 64 tokens were thoughts." in batch.to_text()


def test_table_shows_what_a_row_waits_for():
    batch = Batch([Row({"n": 1}, LLMConfig(), waiting="429: waiting 12 s")], is_complete=False)
    assert "429: waiting 12 s" in batch_to_html(batch)
    assert "429: waiting 12 s" in batch.to_text()
