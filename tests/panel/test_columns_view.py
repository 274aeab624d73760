"""Several responses as a frontend gets them: columns that grow, differences, buttons, and failures with their button."""

from __future__ import annotations

import json
import re

import ipywidgets as w
import pytest

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AuthenticationError, RateLimitError
from azml_magics.core.response import Response, Usage
from azml_magics.panel.model.changes import HISTORY, RESULT
from azml_magics.panel.model.run_result import Asked, RunResult
from azml_magics.session import Session

from .widgets import choose, click, open_panel, set_state, visible_within, within

URL = "http://127.0.0.1:9/v1/chat/completions"
CONFIG = LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None, name="main")
OTHER = LLMConfig(endpoint_url="http://127.0.0.1:9/score", formatter="hf", key=None, name="other")
MESSAGES = [{"role": "user", "content": "Hello"}]
LIVE = re.compile(r"<(script|img|svg|iframe|style)", re.IGNORECASE)
HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)>"


@pytest.fixture
def panel():
    session = Session()
    session.save("other", OTHER)
    session.save("main", CONFIG)
    session.use("main")
    with open_panel(session) as panel:
        yield panel


class Shown:
    """Puts responses into the panel's result, as the worker does."""

    def __init__(self, panel, count=2, configs=(CONFIG, OTHER)):
        self._panel = panel
        self._configs = [configs[at % len(configs)] for at in range(count)]
        self._requests = [BatchRequest({"answer": at}, config, MESSAGES) for at, config in enumerate(self._configs, 1)]

    def show(self, *responses, errors=(), is_running=False, waiting="", **facts):
        errors = [*errors, *[None] * len(responses)]
        rows = []
        for request, given, error in zip(self._requests, responses, errors, strict=False):
            response = Response(given, **facts) if isinstance(given, str) else given
            rows.append(Row(request.setting, request.config, response, error, waiting=waiting))
        model = self._panel.model
        ids = []
        with model.changing(RESULT, HISTORY):
            if not is_running:
                ids = [model.session.record(row.config, MESSAGES, row.response, row.error).id for row in rows]
            asked = Asked(CONFIG, "", model.prompt)
            batch = Batch(rows, is_complete=not is_running)
            model.result = RunResult(self._requests, batch, is_running=is_running, ids=ids, asked=asked)


def columns(panel):
    return [each for each in visible_within(panel.panel.widget) if "azml-column" in each._dom_classes]


def heads(panel):
    return [each.children[0] for each in columns(panel)]


def bundles(column):
    return [output["data"] for each in within(column) if isinstance(each, w.Output) for output in each.outputs]


def texts(panel):
    return ["".join(data["text/plain"] for data in bundles(column)) for column in columns(panel)]


def button(column, tooltip):
    (found,) = [each for each in visible_within(column) if getattr(each, "tooltip", "") == tooltip]
    return found


def lines(column):
    return [each.value for each in visible_within(column) if isinstance(each, w.Label)]


# ---- growing


def test_each_response_grows_in_its_column(panel):
    shown = Shown(panel)
    shown.show(None, None, is_running=True)
    assert texts(panel) == ["", ""]
    shown.show("Tea", None, is_running=True)
    panel.traffic.clear()
    shown.show("Tea is", "Cof", is_running=True)
    assert texts(panel) == ["Tea is", "Cof"]
    assert len(panel.traffic.updates) == 2
    shown.show("Tea is wet.", "Coffee.", finish_reason="stop", model="gpt-5", usage=Usage(1, 4, 5), latency=1.5)
    assert texts(panel) == ["Tea is wet.", "Coffee."]
    assert lines(columns(panel)[0]) == ["gpt-5 · 4 tokens · stop · 1.5 s"]


def test_column_that_does_not_change_sends_nothing(panel):
    shown = Shown(panel, 3)
    first = "Paragraph. " * 400
    shown.show(first, "b", None, is_running=True)
    panel.traffic.clear()
    shown.show(first, "b c", None, is_running=True)
    assert len(panel.traffic.updates) == 1
    assert first[:100] not in json.dumps([each.data for each in panel.traffic.updates])


@pytest.mark.parametrize("count", [2, 12])
def test_traffic_is_proportional_to_the_text_of_all_columns(panel, count):
    def cost(length):
        shown = Shown(panel, count)
        text = "\n\n".join(f"Paragraph {number}. " + "Words and words. " * 20 for number in range(length))
        shown.show(*[None] * count, is_running=True)
        panel.traffic.clear()
        for end in range(100, len(text), 100):
            shown.show(*[text[:end]] * count, is_running=True)
        shown.show(*[text] * count)
        return sum(len(json.dumps(each.data)) for each in panel.traffic.updates), count * len(text)

    half, whole = cost(10), cost(20)
    assert whole[0] < 2.5 * half[0]
    assert whole[0] < 30 * whole[1]


def test_thoughts_grow_in_large_steps_and_are_folded_at_the_end(panel):
    shown = Shown(panel)
    shown.show(Response("", reasoning="Hm. "), None, is_running=True)
    assert "<details open" in bundles(columns(panel)[0])[0]["text/markdown"]
    panel.traffic.clear()
    shown.show(Response("", reasoning="Hm. " * 5), None, is_running=True)
    assert panel.traffic.updates == []
    shown.show(Response("", reasoning="Hm. " * 500), None, is_running=True)
    assert len(panel.traffic.updates) == 1
    shown.show(Response("Yes.", reasoning="Hm. " * 500), "No.")
    thoughts, answer = bundles(columns(panel)[0])
    assert thoughts["text/markdown"].startswith("<details style")
    assert answer["text/markdown"] == "Yes."


def test_waiting_is_said_in_its_column(panel):
    Shown(panel).show(None, None, is_running=True, waiting="429: waiting 2 s, try 2 of 3")
    assert lines(columns(panel)[1]) == ["429: waiting 2 s, try 2 of 3"]


def test_next_comparison_uses_the_columns_again(panel):
    Shown(panel, 4).show("a", "b", "c", "d")
    counts = []
    for count in (2, 4, 3, 4):
        Shown(panel, count).show(*["text"] * count)
        assert len(columns(panel)) == count
        counts.append(len(panel.traffic.open_comms()))
    assert len(set(counts)) == 1


def test_single_response_leaves_no_columns(panel):
    before = len(panel.traffic.open_comms())
    for _ in range(3):
        Shown(panel, 5).show(*"abcde")
        Shown(panel, 1).show("alone")
        assert columns(panel) == []
        after = len(panel.traffic.open_comms())
    assert after - before < 15  # the buttons above them stay


# ---- what a reader sees


def test_heading_says_what_sets_a_column_apart(panel):
    Shown(panel).show("a", "b")
    assert [head.description for head in heads(panel)] == ["1", "2"]
    assert [head.value for head in heads(panel)] == [True, False]


def test_markdown_is_rendered_and_html_is_not(panel):
    Shown(panel).show(f"**Bold** {HOSTILE}", "b")
    (data,) = bundles(columns(panel)[0])
    assert data["text/markdown"].startswith("**Bold** &lt;script>")
    assert not LIVE.search(data["text/markdown"])


def test_differences_are_marked_by_elements_and_not_by_colour_alone(panel):
    Shown(panel).show("the cat sat", "the dog sat down")
    set_state(panel.find("Differences", w.ToggleButton), value=True)
    assert texts(panel) == ["the cat sat", "the[- cat-] {+dog+} sat {+down+}"]
    (data,) = bundles(columns(panel)[1])
    assert "the<del> cat</del> <ins>dog</ins> sat <ins>down</ins>" in data["text/html"]
    choose(panel.find("from"), 1)
    assert texts(panel) == ["the[- dog-] {+cat+} sat[- down-]", "the dog sat down"]
    set_state(panel.find("Differences", w.ToggleButton), value=False)
    assert texts(panel) == ["the cat sat", "the dog sat down"]


def test_differences_of_hostile_texts_are_escaped(panel):
    Shown(panel).show(HOSTILE, f"{HOSTILE} again <svg onload=alert(1)>")
    set_state(panel.find("Differences", w.ToggleButton), value=True)
    assert not LIVE.search(bundles(columns(panel)[1])[0]["text/html"])


def test_failed_column_says_why_with_its_button(panel):
    error = AuthenticationError("The key was refused", error_code="authentication")
    Shown(panel).show("Tea.", None, errors=[None, error])
    assert any(line.startswith("The key was refused") for line in lines(columns(panel)[1]))
    (step,) = [each for each in visible_within(columns(panel)[1]) if getattr(each, "description", "") == "Type the key"]
    click(step)
    assert panel.model.name == "other"  # the key is that of the column's config
    assert not any("refused" in line for line in lines(columns(panel)[0]))


def test_partial_text_of_a_failed_column_stays(panel):
    Shown(panel).show("Tea.", "Half", errors=[None, RateLimitError("Too many requests")])
    assert texts(panel) == ["Tea.", "Half"]
    assert any(line.startswith("Too many requests") for line in lines(columns(panel)[1]))


# ---- buttons


def test_clicked_heading_selects_its_column(panel):
    Shown(panel).show("a", "b")
    set_state(heads(panel)[1], value=True)
    assert panel.model.columns.selected == 1
    assert [head.value for head in heads(panel)] == [False, True]
    set_state(heads(panel)[1], value=False)  # clicked again
    assert [head.value for head in heads(panel)] == [False, True]
    assert panel.find("Response of").value == 1
    choose(panel.find("Response of"), 0)
    assert [head.value for head in heads(panel)] == [True, False]


@pytest.mark.parametrize(
    ("title", "says"), [("Request", "/score"), ("Code", "AzureMLChatOnlineEndpoint"), ("JSON", "two")]
)
def test_other_tabs_follow_the_selected_column(panel, title, says):
    Shown(panel).show(Response("a", raw={"text": "one"}), Response("b", raw={"text": "two"}))
    (tab,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    set_state(tab, selected_index=tab.titles.index(title))
    before = str(bundles(tab.children[tab.selected_index]))
    set_state(heads(panel)[1], value=True)
    after = str(bundles(tab.children[tab.selected_index]))
    assert before != after
    assert title == "Code" or says in after


def test_rating_goes_to_the_columns_version(panel):
    Shown(panel).show("a", "b")
    set_state(button(columns(panel)[1], "Rate this response good"), value=True)
    first, second = panel.model.session.history[-2:]
    assert (first.notes.get("rating"), second.notes.get("rating")) == (None, "good")
    set_state(button(columns(panel)[1], "Rate this response bad"), value=True)
    assert second.id == panel.model.columns.id_of(1)
    assert panel.model.versions.get(second.id).rating == "bad"
    assert not button(columns(panel)[1], "Rate this response good").value


def test_use_this_and_undo(panel):
    Shown(panel).show("a", "b")
    click(button(columns(panel)[1], "Put the settings of this response into the controls"))
    assert panel.find("Config").value == "other"
    assert len(columns(panel)) == 2
    click(button(panel.panel.widget, "Bring back what was in the controls before"))
    assert panel.find("Config").value == "main"


def test_buttons_wait_for_the_end(panel):
    Shown(panel).show("a", "b", is_running=True)
    assert button(columns(panel)[0], "Rate this response good").disabled


def test_redraw_sends_nothing(panel):
    shown = Shown(panel, 3)
    shown.show("the cat", "the dog", "the cow")
    set_state(panel.find("Differences", w.ToggleButton), value=True)
    panel.traffic.clear()
    with panel.model.changing(RESULT):
        pass
    assert panel.traffic.messages == []


def test_usage_stands_side_by_side(panel):
    Shown(panel).show("a", "bc")
    (tab,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    set_state(tab, selected_index=tab.titles.index("Usage"))
    assert "characters  1  2" in bundles(tab.children[tab.selected_index])[0]["text/plain"]
