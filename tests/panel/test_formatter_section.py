"""The Formatter section: the formatters that fit, and the request."""

from __future__ import annotations

import ipywidgets as w

from .sections import URL, options_of, panel_over, titles, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import set_state, within


def test_only_fitting_formatters_are_offered(panel):
    chat = options_of(panel.find("Formatter"))
    panel.type("URL", "http://127.0.0.1:9/score")
    score = options_of(panel.find("Formatter"))
    assert "gpt2" not in chat
    assert "gpt2" in score
    assert {"openai-chat", ""} <= set(chat) & set(score)


def test_description_follows_the_formatter(panel):
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "dolly")
    assert panel.model.describe_formatter() in panel.lines()
    assert any("Formatter: dolly" in title for title in titles(panel))


def fold_of(panel, title):
    (fold,) = [
        each
        for each in within(panel.panel.widget)
        if isinstance(each, w.Accordion) and each.titles[0].startswith(title)
    ]
    return fold


def test_request_is_drawn_only_while_open(panel):
    shows = panel.find("Will send")
    panel.type("Prompt", "Hello")
    assert shows.value == ""
    set_state(fold_of(panel, "Formatter"), selected_index=0)
    assert '"Hello"' in shows.value
    panel.type("Prompt", "Hello there")
    assert '"Hello there"' in shows.value
    set_state(fold_of(panel, "Formatter"), selected_index=None)
    panel.type("Prompt", "Unseen")
    assert "Unseen" not in shows.value


def test_request_shows_why_nothing_can_be_sent(panel):
    set_state(fold_of(panel, "Formatter"), selected_index=0)
    assert panel.find("Will send").value == "There is no prompt. Write one into the prompt field."
