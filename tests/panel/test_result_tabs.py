"""The result as a frontend gets it: the response in chunks and complete, and the other tabs."""

from __future__ import annotations

import json
import re

import ipywidgets as w
import pytest

from azml_magics.compare.comparison import Batch, Row
from azml_magics.compare.side_by_side import BatchRequest
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError
from azml_magics.core.response import Response, Usage
from azml_magics.panel.model.changes import RESULT
from azml_magics.panel.model.run_result import RunResult
from azml_magics.session import Session

from ..notebook.hostile_server import FORBIDDEN
from ..notebook.hostile_server import HOSTILE as CONTROLS
from .widgets import choose, click, open_panel, set_state, within

CONFIG = LLMConfig(
    endpoint_url="http://127.0.0.1:9/v1/chat/completions", formatter="openai-chat", key=None, name="main"
)
MESSAGES = [{"role": "user", "content": "Hello"}]
TABS = ("Response", "Request", "JSON", "Code", "Usage", "Versions")
HOSTILE = (
    "# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [a](javascript:alert(1))\n\n"
    "```html\n<b>fine</b>\n```\n"
)
LIVE = re.compile(r"<(script|img|b)\b", re.IGNORECASE)


@pytest.fixture
def panel():
    session = Session()
    session.save("main", CONFIG)
    with open_panel(session) as panel:
        yield panel


def contains_text(panel, *texts, is_running=False, number=0, error=None, **parts):
    """Put those responses into the panel's result, as the worker does."""
    rows = [
        Row({"answer": at}, CONFIG, None if text is None else Response(text, **parts), error)
        for at, text in enumerate(texts, 1)
    ]
    asks = [BatchRequest(row.setting, CONFIG, MESSAGES) for row in rows]
    with panel.model.changing(RESULT):
        batch = Batch(rows, is_complete=not is_running)
        panel.model.result = RunResult(asks, batch, is_running=is_running, number=number)


def tabs(panel):
    (found,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    return found


def opens(panel, title):
    set_state(tabs(panel), selected_index=TABS.index(title))


def outputs(panel, title):
    """The mime bundles in a tab, in order."""
    page = tabs(panel).children[TABS.index(title)]
    return [output["data"] for each in within(page) if isinstance(each, w.Output) for output in each.outputs]


def answer(panel, mime="text/markdown"):
    return [data[mime] for data in outputs(panel, "Response")]


def texts(panel):
    return "".join(answer(panel, "text/plain"))


# ---- thoughts and facts


THINKING = {
    "reasoning": "1 < 2, so <script>alert(1)</script>",
    "model": "gpt-5-2026",
    "usage": Usage(
        3,
        200,
        203,
        {"completion_tokens_details": {"reasoning_tokens": 192}, "prompt_tokens_details": {"cached_tokens": 3}},
    ),
    "finish_reason": "stop",
    "headers": {"x-ms-region": "East US 2", "x-ratelimit-remaining-tokens": "41"},
    "latency": 2.0,
}


def test_growing_thoughts_are_open_and_fold_above_the_response(panel):
    contains_text(panel, "", is_running=True, reasoning="Hm")
    assert [text.partition(" style")[0] for text in answer(panel)] == ["<details open"]
    contains_text(panel, "It runs.", is_running=True, reasoning="Hm.")
    assert [text.partition(" style")[0] for text in answer(panel)] == ["<details", "It runs."]
    contains_text(panel, "It runs.", **THINKING)
    above, text, facts = answer(panel)
    assert above.startswith('<details style="opacity:0.75"><summary>Reasoning (192 tokens)</summary>')
    assert not LIVE.search(above)
    assert text == "It runs."
    assert "gpt-5-2026 · East US 2 · 200 tokens (192 reasoning), 3 cached · stop · 2.0 s" in facts


def test_facts_are_beside_a_long_response_and_not_below_its_end(panel):
    contains_text(panel, "Tea is wet.\n\n" * 2000, **THINKING)
    (scrolled,) = [each for each in within(panel.panel.widget) if "azml-response" in each._dom_classes]
    inside = [output["data"] for each in within(scrolled) if isinstance(each, w.Output) for output in each.outputs]
    assert "East US 2" not in str(inside)
    assert "East US 2" in str(outputs(panel, "Response"))


def test_usage_tab_has_thoughts_region_and_what_is_left(panel):
    contains_text(panel, "It runs.", **THINKING)
    opens(panel, "Usage")
    text = outputs(panel, "Usage")[0]["text/plain"]
    for fact in ("reasoning tokens", "192", "region", "East US 2", "tokens left", "41"):
        assert fact in text


def test_several_choices_are_a_table(panel):
    contains_text(panel, "Rivers run.", choices=(Response("Rivers run."), Response("Rivers flow.")))
    (table,) = answer(panel, "text/html")
    assert "<mark>flow</mark>" in table


# ---- a response


def test_tab_titles(panel):
    assert tabs(panel).titles == TABS


def test_tabs_are_empty_before_the_first_run(panel):
    assert outputs(panel, "Response") == []


def test_response_is_text_and_markdown(panel):
    contains_text(panel, "**Tea** is wet.")
    assert outputs(panel, "Response") == [{"text/plain": "**Tea** is wet.", "text/markdown": "**Tea** is wet."}]


def test_short_response_grows_in_one_output(panel):
    contains_text(panel, None, is_running=True)
    assert outputs(panel, "Response") == []
    panel.traffic.clear()
    for text in ("Tea", "Tea is", "Tea is wet"):
        contains_text(panel, text, is_running=True)
        assert texts(panel) == text
    assert len(panel.traffic.messages) == 3
    contains_text(panel, "Tea is wet.")
    assert texts(panel) == "Tea is wet."


PARAGRAPHS = [f"Paragraph {number}. " + "Words and words. " * 20 for number in range(40)]


def test_long_response_is_sent_in_chunks_once(panel):
    contains_text(panel, None, is_running=True)
    panel.traffic.clear()
    text = "\n\n".join(PARAGRAPHS)
    for end in range(200, len(text), 200):
        contains_text(panel, text[:end], is_running=True)
        assert texts(panel) == text[:end]
    assert len(outputs(panel, "Response")) > 5
    sent = sum(len(json.dumps(each.data)) for each in panel.traffic.messages)
    assert sent < 20 * len(text)  # the whole text in every frame would be 35 times as much, and growing
    contains_text(panel, text)
    assert answer(panel) == [text]
    assert len(outputs(panel, "Response")) == 1


def bytes_of(panel, text):
    """The total traffic of a streaming response that grows by 20 characters a frame."""
    contains_text(panel, None, is_running=True)
    panel.traffic.clear()
    for end in range(20, len(text), 20):
        contains_text(panel, text[:end], is_running=True)
    contains_text(panel, text)
    return sum(len(json.dumps(each.data)) for each in panel.traffic.updates)


@pytest.mark.parametrize(
    "text",
    [
        "\n\n".join(PARAGRAPHS),
        "one line of words that never ends " * 400,
        "```python\n" + "print('a line of code')\n" * 600 + "```\n",
        "- an item of a list\n" * 600,
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 1200,
    ],
    ids=["paragraphs", "one line", "code", "list", "table"],
)
def test_double_text_costs_double_traffic(panel, text):
    half, whole = bytes_of(panel, text[: len(text) // 2]), bytes_of(panel, text)
    assert whole < 2.5 * half


def test_next_response_starts_empty(panel):
    contains_text(panel, "The first.")
    contains_text(panel, None, is_running=True)
    assert outputs(panel, "Response") == []
    contains_text(panel, "The", is_running=True)
    assert texts(panel) == "The"


@pytest.mark.parametrize("first", ["short", "\n\n".join(PARAGRAPHS)])
def test_former_responses_leave_no_widgets(panel, first):
    counts = []
    for _ in range(3):
        contains_text(panel, None, is_running=True)
        contains_text(panel, first[: len(first) // 2], is_running=True)
        contains_text(panel, first, is_running=True)
        contains_text(panel, first)
        counts.append(len(panel.traffic.open_comms()))
    assert len(set(counts)) == 1


def test_same_response_sends_nothing(panel):
    contains_text(panel, "Tea.")
    panel.traffic.clear()
    contains_text(panel, "Tea.")
    assert panel.traffic.messages == []


@pytest.mark.parametrize("is_running", [True, False])
def test_hostile_response_is_text(panel, is_running):
    contains_text(panel, None, is_running=True)
    contains_text(panel, HOSTILE, is_running=is_running)
    (markdown,) = answer(panel)
    prose = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    assert not LIVE.search(prose)
    assert "](javascript:" not in markdown
    assert "alert(1)" in prose  # shown as text
    for each in within(panel.panel.widget):
        if isinstance(each, w.HTML):
            assert "alert" not in each.value


@pytest.mark.parametrize("title", TABS)
def test_hostile_response_is_text_in_every_tab(panel, title):
    exchange = panel.model.session.record(
        CONFIG, [{"role": "user", "content": HOSTILE}], Response(HOSTILE, model=HOSTILE)
    )
    opens(panel, title)
    panel.model.history.restore(exchange.number)
    for data in outputs(panel, title):
        assert not LIVE.search(data.get("text/html", ""))
        prose = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", data.get("text/markdown", ""), flags=re.DOTALL | re.MULTILINE)
        prose = re.sub(r"^```.*?^```", "", prose, flags=re.DOTALL | re.MULTILINE)
        assert not LIVE.search(prose)


def test_very_long_response_is_truncated_with_a_hint(panel):
    contains_text(panel, None, is_running=True)
    panel.traffic.clear()
    text = "word " * 400_000
    for end in (50_000, 90_000, 500_000, 1_900_000):
        contains_text(panel, text[:end], is_running=True)
    contains_text(panel, text)
    (shown,) = answer(panel)
    assert len(shown) < 110_000
    assert "1,900,000 more characters. `%azureml last` shows all of it." in shown
    assert sum(len(json.dumps(each.data)) for each in panel.traffic.messages) < 1_500_000


def test_response_with_only_tool_calls_names_them(panel):
    contains_text(panel, "", tool_calls=({"function": {"name": "weather", "arguments": "{}"}},))
    [bundle] = outputs(panel, "Response")
    assert bundle["text/plain"] == "The model calls weather."
    assert "<strong>weather</strong>" in bundle["text/markdown"]


# ---- several responses


def test_several_responses_stand_in_columns(panel):
    contains_text(panel, "Tea.", "<b>Coffee</b>.", is_running=True)
    assert [data["text/plain"] for data in outputs(panel, "Response")] == ["Tea.", "<b>Coffee</b>."]
    contains_text(panel, "Tea.", "<b>Coffee</b>.")
    assert answer(panel) == ["Tea.", "&lt;b>Coffee&lt;/b>."]


def test_growing_columns_cost_proportional_traffic(panel):
    def cost(rounds):
        contains_text(panel, None, None, is_running=True)
        panel.traffic.clear()
        for number in range(1, rounds):
            contains_text(panel, "words " * number, "other " * number, is_running=True)
        contains_text(panel, "words " * rounds, "other " * rounds)
        return sum(len(json.dumps(each.data)) for each in panel.traffic.updates)

    assert cost(1600) < 2.5 * cost(800)


# ---- the other tabs


def test_tab_is_drawn_only_when_opened(panel):
    contains_text(panel, "Tea.", raw={"choices": []})
    assert outputs(panel, "JSON") == []
    opens(panel, "JSON")
    assert json.loads(outputs(panel, "JSON")[0]["text/plain"]) == {"choices": []}


def test_request_is_exact_without_the_key(panel, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "t0p-s3cr3t-key")
    panel.type("Key", "env:SOME_KEY")
    panel.type("Prompt", "Hello")
    opens(panel, "Request")
    (data,) = outputs(panel, "Request")
    assert data["text/plain"].startswith("POST ")
    assert '"Hello"' in data["text/plain"]
    assert "**********" in data["text/plain"]
    assert "t0p-s3cr3t-key" not in str(data)


def test_request_follows_the_controls_before_the_first_run(panel):
    opens(panel, "Request")
    assert outputs(panel, "Request") == [{"text/plain": "There is no prompt. Write one into the prompt field."}]
    panel.type("Prompt", "Hello there")
    assert '"Hello there"' in outputs(panel, "Request")[0]["text/plain"]
    contains_text(panel, "Tea.")
    panel.type("Prompt", "Something else")
    assert '"Hello"' in outputs(panel, "Request")[0]["text/plain"]


def test_code_is_in_the_chosen_language(panel):
    contains_text(panel, "Tea.")
    opens(panel, "Code")
    assert "AzureMLChatOnlineEndpoint" in outputs(panel, "Code")[0]["text/plain"]
    choose(panel.find("Language"), "curl")
    assert outputs(panel, "Code")[0]["text/plain"].startswith("curl")
    choose(panel.find("Language"), "python")
    assert "import" in outputs(panel, "Code")[0]["text/plain"]


def test_code_can_be_copied(panel):
    contains_text(panel, "Tea.")
    opens(panel, "Code")
    panel.traffic.clear()
    code = tabs(panel).children[TABS.index("Code")]
    click(panel.find("Copy", w.Button, at=code))
    scripts = [
        output["data"]["application/javascript"]
        for each in panel.traffic.updates
        for output in each.data.get("state", {}).get("outputs", ())
        if "application/javascript" in output["data"]
    ]
    assert len(scripts) == 1
    assert "AzureMLChatOnlineEndpoint" in scripts[0]


def test_usage_shows_the_responses_figures(panel):
    contains_text(panel, "Tea.", usage=Usage(5, 2, 7), latency=2.0, time_to_first_token=1.0, finish_reason="stop")
    opens(panel, "Usage")
    (data,) = outputs(panel, "Usage")
    lines = [" ".join(line.split()) for line in data["text/plain"].splitlines()]
    assert {"latency 2.00 s", "time to first token 1.00 s", "tokens per second 2.0", "total tokens 7"} <= set(lines)
    assert data["text/html"].startswith("<table class=")


def test_usage_of_several_responses_is_side_by_side(panel):
    contains_text(panel, "Tea.", "Coffee.")
    opens(panel, "Usage")
    assert "characters  4  7" in outputs(panel, "Usage")[0]["text/plain"]


@pytest.mark.parametrize("title", ["JSON", "Usage"])
def test_tab_says_that_there_is_no_response(panel, title):
    opens(panel, title)
    assert outputs(panel, title) == [{"text/plain": "No response yet."}]


def test_failure_is_shown_in_the_json_tab(panel):
    contains_text(panel, None, error=RateLimitError("The endpoint is busy"))
    opens(panel, "JSON")
    assert outputs(panel, "JSON")[0]["text/plain"].startswith("The endpoint is busy")


# ---- all tabs


def test_redraw_sends_nothing(panel):
    exchange = panel.model.session.record(CONFIG, MESSAGES, Response("Tea.", usage=Usage(1, 2, 3)))
    for title in TABS:
        opens(panel, title)
        contains_text(panel, "Tea.", number=exchange.number)
        panel.traffic.clear()
        contains_text(panel, "Tea.", number=exchange.number)
        assert panel.traffic.messages == [], title


# ---- control characters


@pytest.mark.parametrize("is_running", [False, True])
def test_no_tab_shows_control_characters(panel, is_running):
    parts = {"reasoning": CONTROLS, "model": CONTROLS, "finish_reason": CONTROLS, "request_id": CONTROLS}
    contains_text(panel, CONTROLS, is_running=is_running, **parts)
    seen = [outputs(panel, "Response")]
    for title in TABS[1:]:
        opens(panel, title)
        seen.append(outputs(panel, title))
    contains_text(panel, "", tool_calls=({"function": {"name": CONTROLS, "arguments": CONTROLS}},))
    contains_text(panel, CONTROLS, CONTROLS, error=RateLimitError(CONTROLS), is_running=is_running)
    opens(panel, "Response")
    seen.append(outputs(panel, "Response"))
    shown = {char for bundles in seen for bundle in bundles for text in bundle.values() for char in text}
    assert shown & FORBIDDEN == set()
    assert "mark" in str(seen)
