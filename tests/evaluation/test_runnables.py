"""LangChain Runnables in evaluations: journal, pace, scores and comparison are those of configs."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain_core")

from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda

from azml_magics import evaluate
from azml_magics.core.errors import JournalError, UsageError
from azml_magics.langchain import AzureMLChatOnlineEndpoint

ROWS = [{"letter": f"say {number}", "label": f"SAY {number if number % 2 else 'x'}"} for number in range(6)]


def shout(row):
    return row["letter"].upper()


def shouting():
    return RunnableLambda(shout)


def test_chain_takes_the_rows(tmp_path):
    chain = shouting()
    journal = tmp_path / "run.jsonl"
    evaluation = evaluate(chain, None, ROWS, expect="label", journal=journal)
    assert [outcome.is_right for outcome in evaluation] == [False, True] * 3
    again = evaluate(chain, None, ROWS, expect="label", journal=journal)
    assert all(outcome.reused for outcome in again)
    assert [outcome.is_right for outcome in again] == [False, True] * 3


def test_chain_is_compared_with_a_config(echo):
    chain = ChatPromptTemplate.from_template("{letter}") | FakeListChatModel(responses=["SAY x"])
    evaluation = evaluate({"echo": echo.config(), "fake": chain}, "{letter}", ROWS, expect="label")
    assert [setting.label for setting in evaluation.settings] == ["echo", "fake"]
    assert [summary.accuracy.mean for summary in evaluation.summary()] == [0.5, 0.5]


def test_our_model_class_is_a_config(echo):
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{echo.url}/v1/chat/completions", key="none")
    assert [outcome.is_right for outcome in evaluate(chat, "{letter}", ROWS, expect="label")] == [False, True] * 3


def test_chain_that_fails_for_a_row_is_the_error_of_the_row():
    def call(row):
        if row["letter"] == "say 3":
            raise ValueError("three")
        return row["letter"].upper()

    evaluation = evaluate(RunnableLambda(call), None, ROWS, expect="label")
    assert [bool(outcome.error) for outcome in evaluation] == [False, False, False, True, False, False]


def test_sweep_of_a_chain_is_refused():
    with pytest.raises(UsageError, match="A sweep sets model kwargs of configs"):
        evaluate(shouting(), None, ROWS, sweep={"temperature": [0, 1]})


def test_judge_that_is_a_chain_is_refused(echo):
    with pytest.raises(UsageError, match="A judge is a config"):
        evaluate(echo.config(), "{letter}", ROWS, judge=shouting(), rubric="good")


def test_baseline_of_a_chain_is_its_journal(tmp_path):
    journal = tmp_path / "run.jsonl"
    chain = shouting()
    evaluate(chain, None, ROWS, expect="label", journal=journal)
    evaluation = evaluate(chain, None, ROWS, expect="label", baseline=journal)
    assert list(evaluation.flips) == []


def test_baseline_of_another_chain_is_refused(tmp_path):
    journal = tmp_path / "run.jsonl"
    evaluate(shouting(), None, ROWS, expect="label", journal=journal)
    with pytest.raises(JournalError, match="a LangChain object that is not one of those here"):
        evaluate(RunnableLambda(lambda row: row["letter"]), None, ROWS, expect="label", baseline=journal)
