"""The Formatter section: the formatters that fit."""

from __future__ import annotations

from .sections import options_of, panel_over, two_configs  # noqa: F401 - fixtures are found by their names


def test_only_fitting_formatters_are_offered(panel):
    chat = options_of(panel.find("Formatter"))
    panel.type("URL", "http://127.0.0.1:9/score")
    score = options_of(panel.find("Formatter"))
    assert "gpt2" not in chat
    assert "gpt2" in score
    assert {"openai-chat", ""} <= set(chat) & set(score)


def test_tooltip_describes_the_formatter(panel):
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "dolly")
    assert panel.find("Formatter").value == "dolly"
    assert panel.find("Formatter").tooltip == panel.model.describe_formatter()
