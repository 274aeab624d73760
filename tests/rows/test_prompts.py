"""A prompt and a row become messages, and a key that is the same for the same request only."""

from __future__ import annotations

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError, UndefinedVariableError, UsageError
from azml_magics.core.secret import Secret
from azml_magics.rows.prompts import RowPrompt
from azml_magics.rows.table_rows import Record

CONFIG = LLMConfig(endpoint_url="https://n.example.com/score?code=s3cret", formatter="openai-chat", key=Secret("k3y"))


def record(**values):
    return Record(3, "row-3", values)


def last_text(row_prompt, **values):
    return row_prompt.messages(record(**values))[-1]["content"]


def test_text_takes_columns_before_variables():
    row_prompt = RowPrompt(CONFIG, "{a} in {lang}; {{a}} and {} stay", {"lang": "French", "a": "never"})
    assert last_text(row_prompt, a="x{lang}", b=1) == "x{lang} in French; {a} and {} stay"
    assert row_prompt.used_values(record(a=1, b=2)) == {"a": 1}


def test_messages_take_values_in_texts_and_parts():
    picture = {"type": "image_url", "image_url": {"url": "data:{a}"}}
    prompt = [
        {"role": "system", "content": "You know {a}."},
        {"role": "user", "content": [{"type": "text", "text": "{b}?"}, picture]},
    ]
    row_prompt = RowPrompt(CONFIG, prompt)
    system, user = row_prompt.messages(record(a="A", b="B"))
    assert system["content"] == "You know A."
    assert user["content"] == [{"type": "text", "text": "B?"}, picture]
    assert row_prompt.names == ("a", "b")


def test_function_returns_the_prompt():
    row_prompt = RowPrompt(CONFIG, lambda row: f"{row['a']}!")
    row_prompt.check(["anything"])
    assert last_text(row_prompt, a="x") == "x!"
    assert row_prompt.used_values(record(a="x", b=1)) == {"a": "x", "b": 1}
    assert "<lambda>" in row_prompt.settings()["prompt"]


def test_system_message_of_the_config_is_added():
    row_prompt = RowPrompt(CONFIG.merged(system="Be terse."), "{a}")
    assert row_prompt.messages(record(a="x"))[0] == {"role": "system", "content": "Be terse."}


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
def test_default_column_is_the_only_open_variable(prompt, variables, alone):
    assert RowPrompt(CONFIG, prompt, variables).default_column == alone


def test_undefined_variable_is_refused():
    with pytest.raises(UndefinedVariableError, match=r"uses {citty}, .* Did you mean 'city'") as caught:
        RowPrompt(CONFIG, "{citty}").check(["city"])
    assert "-t none" not in str(caught.value), "which rows refuse"


def test_prompt_without_column_is_refused():
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
def test_unusable_row_raises_prompt_error(row, why):
    with pytest.raises(PromptError, match=why):
        RowPrompt(CONFIG, "{a}").messages(row)


def test_zero_false_and_empty_text_are_values():
    assert [last_text(RowPrompt(CONFIG, "{a}."), a=value) for value in (0, False, "")] == ["0.", "False.", "."]


# ---- the key


def key(config=CONFIG, prompt="{a}", variables=None, a="x"):
    row_prompt = RowPrompt(config, prompt, variables)
    return row_prompt.key(row_prompt.messages(record(a=a)))


def test_key_is_independent_of_the_configs_name():
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
def test_key_depends_on_everything_that_is_sent(other):
    assert key() != key(**other)


def test_settings_hold_no_key_and_no_query():
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


def test_settings_name_a_formatter_object_by_class():
    class Mine:
        def format_request_payload(self, prompt, model_kwargs): ...
        def format_response_payload(self, output): ...

    assert RowPrompt(CONFIG.merged(formatter=Mine()), "{a}").settings()["formatter"].endswith(".Mine")
