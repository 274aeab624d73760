"""A prompt and a row become messages, and a key that is the same for the same question only."""

from __future__ import annotations

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError, UndefinedVariableError, UsageError
from azml_magics.core.keys import Secret
from azml_magics.rows.prompts import RowPrompt
from azml_magics.rows.records import Record

CONFIG = LLMConfig(endpoint_url="https://n.example.com/score?code=s3cret", formatter="openai-chat", key=Secret("k3y"))


def record(**values):
    return Record(3, "row-3", values)


def asked(question, **values):
    return question.messages(record(**values))[-1]["content"]


def test_a_text_takes_the_rows_values_and_then_the_variables():
    question = RowPrompt(CONFIG, "{a} in {lang}; {{a}} and {} stay", {"lang": "French", "a": "never"})
    assert asked(question, a="x{lang}", b=1) == "x{lang} in French; {a} and {} stay"
    assert question.used_values(record(a=1, b=2)) == {"a": 1}


def test_messages_take_them_in_their_texts_and_parts():
    picture = {"type": "image_url", "image_url": {"url": "data:{a}"}}
    prompt = [
        {"role": "system", "content": "You know {a}."},
        {"role": "user", "content": [{"type": "text", "text": "{b}?"}, picture]},
    ]
    question = RowPrompt(CONFIG, prompt)
    system, user = question.messages(record(a="A", b="B"))
    assert system["content"] == "You know A."
    assert user["content"] == [{"type": "text", "text": "B?"}, picture]
    assert question.names == ("a", "b")


def test_a_function_makes_the_prompt():
    question = RowPrompt(CONFIG, lambda row: f"{row['a']}!")
    question.check(["anything"])
    assert asked(question, a="x") == "x!"
    assert question.used_values(record(a="x", b=1)) == {"a": "x", "b": 1}
    assert "<lambda>" in question.settings()["prompt"]


def test_the_configs_system_message_goes_along():
    question = RowPrompt(CONFIG.merged(system="Be terse."), "{a}")
    assert question.messages(record(a="x"))[0] == {"role": "system", "content": "Be terse."}


@pytest.mark.parametrize(
    ("prompt", "variables", "alone"),
    [
        ("{w}", {}, "w"),
        ("{w} {lang}", {"lang": 1}, "w"),
        ("{w}", {"w": 1}, "w"),
        ("{a} {b}", {}, "text"),
        ("x", {}, "text"),
    ],
)
def test_the_column_of_plain_texts(prompt, variables, alone):
    assert RowPrompt(CONFIG, prompt, variables).default_column == alone


def test_a_column_that_is_missing_stops_before_anything_is_sent():
    with pytest.raises(UndefinedVariableError, match=r"uses {citty}, .* Did you mean 'city'") as caught:
        RowPrompt(CONFIG, "{citty}").check(["city"])
    assert "-t none" not in str(caught.value), "which rows refuse"


def test_a_prompt_without_a_column_is_refused():
    for prompt, variables in (("Hello", {}), ("{lang}", {"lang": "French"}), ("{{city}}", {})):
        with pytest.raises(
            UsageError, match=r"every row would send the same request\. Write {NAME} .* the columns are city"
        ):
            RowPrompt(CONFIG, prompt, variables).check(["city"])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (record(b=1), "Row 'row-3' has no column 'a'"),
        (record(a=None), "Row 'row-3' has no value in the column 'a'"),
        (record(a=float("nan")), "Row 'row-3' has no value in the column 'a'"),
        (Record(3, 3, {}, "it is a list"), "Row 3 cannot be sent: it is a list"),
    ],
)
def test_a_row_that_cannot_be_asked(row, why):
    with pytest.raises(PromptError, match=why):
        RowPrompt(CONFIG, "{a}").messages(row)


def test_zero_false_and_empty_texts_are_values():
    assert [asked(RowPrompt(CONFIG, "{a}."), a=value) for value in (0, False, "")] == ["0.", "False.", "."]


# ---- the key


def key(config=CONFIG, prompt="{a}", variables=None, a="x"):
    question = RowPrompt(config, prompt, variables)
    return question.key(question.messages(record(a=a)))


def test_the_same_question_has_the_same_key_whatever_the_config_is_called():
    assert key() == key(CONFIG.merged(name="other", key="env:OTHER", timeout=5, max_retries=9))
    assert len(key()) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"a": "y"},
        {"prompt": "{a} "},
        {"prompt": "{a}{b}", "variables": {"b": ""}},
        {"config": CONFIG.merged(model_kwargs={"temperature": 0.1})},
        {"config": CONFIG.merged(system="Be terse.")},
        {"config": CONFIG.merged(deployment_name="blue")},
        {"config": CONFIG.merged(endpoint_url="https://n.example.com/score?code=other")},
        {"config": CONFIG.merged(formatter="openai")},
        {"config": CONFIG.merged(model="m")},
    ],
)
def test_another_question_has_another_key(other):
    assert key() != key(**other)


def test_what_a_run_asks_holds_no_key_and_no_query():
    asks = RowPrompt(CONFIG.merged(model_kwargs={"temperature": 0.1}), "{a} {b}", {"b": 7, "unused": 8}).settings()
    assert asks == {
        "endpoint": "https://n.example.com/score",
        "query": asks["query"],
        "endpoint_api_type": "dedicated",
        "formatter": "openai-chat",
        "model kwarg temperature": 0.1,
        "prompt": "{a} {b}",
        "variable b": "7",
    }
    assert "s3cret" not in str(asks)
    assert "k3y" not in str(asks)


def test_a_formatter_object_goes_by_its_class():
    class Mine:
        def format_request_payload(self, prompt, model_kwargs): ...
        def format_response_payload(self, output): ...

    assert RowPrompt(CONFIG.merged(formatter=Mine()), "{a}").settings()["formatter"].endswith(".Mine")
