"""The answers: the same for the same request, different for another, and of the form asked for."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.emulator import tokens
from azml_magics.emulator.asking import Ask, Settings
from azml_magics.emulator.words import MARKER, answer

PROMPT = "Describe the harbour, its boats and the gulls"


def test_the_same_request_gives_the_same_answer_and_others_do_not(say):
    first = say(PROMPT)
    assert say(PROMPT) == first == say(PROMPT, temperature=0)
    others = {
        say(PROMPT, temperature=0.8),
        say(PROMPT, temperature=0.5),
        say(PROMPT, seed=1),
        say(PROMPT, seed=2),
        say(PROMPT, top_p=0.5),
    }
    assert len(others | {first}) == 6


def test_the_answer_holds_the_words_of_the_prompt_and_says_what_it_is(say):
    answer = say(PROMPT)
    assert answer.startswith(MARKER)
    assert "harbour" in answer


def test_the_system_message_shows(say):
    messages = [
        {"role": "system", "content": "You are a pirate. Be kind."},
        {"role": "user", "content": "What is Azure?"},
    ]
    assert "Speaking as a pirate: " in say("", messages=messages)
    messages[0]["content"] = "Answer in French."
    assert 'Following the system message "Answer in French": ' in say("", messages=messages)


def test_earlier_turns_are_known(say):
    turns = [
        {"role": "user", "content": "Hi, my name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "What is my name?"},
    ]
    assert "Your name is Ada" in say("", messages=turns)
    assert "have not told me" in say("What is my name?")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is 17 * 3?", "17 * 3 = 51"),
        ("What is 7 / 0", "has no value"),
        ("Reply with the single word 'ready'", f"{MARKER} ready"),
        ("Translate 'good morning' to French", "bon matin"),
        ("Classify as positive or negative: I love this great phone", "positive"),
        ("Is this review positive or negative? The food was cold and the staff rude.", "negative"),
        ("Write a Python function that reverses text", "```python\ndef "),
        ("Write a SQL query for the orders", "```sql\nSELECT"),
        ("Tell me a joke about cats.", "cats"),
        ("Show cats and dogs as a markdown table", "|---|---|---|"),
    ],
)
def test_forms(say, prompt, expected):
    assert expected in say(prompt)


def test_python_code_in_the_answer_runs(say):
    code = re.search(r"```python\n(.*?)\n```", say("Write a python function that sorts"), re.DOTALL)[1]
    exec(compile(code, "answer", "exec"), {})


def test_lists_have_as_many_items_as_asked(say):
    assert len(re.findall(r"(?m)^\d+\. ", say("Give me three names for a blue parrot"))) == 3
    assert len(re.findall(r"(?m)^\d+\. ", say("List the uses of a teaspoon"))) == 5


def test_haiku_have_three_lines_each(say):
    body = say("Write me 2 haikus about rain").removeprefix(MARKER).strip()
    assert [len(verse.split("\n")) for verse in body.split("\n\n")] == [3, 3]
    assert "rain" in body.lower()


def test_an_essay_has_as_many_words_as_asked(say):
    body = say("Write a 100 word essay about how to make friends.").removeprefix(MARKER)
    assert len(body.split()) == 100
    assert "how to make friends" in body


def test_a_summary_is_made_of_sentences_of_the_text(say):
    text = "The tower is tall. The tower was built of stone in the old town. Cats sleep. The stone tower of the town leans."
    body = say(f"Summarize in one sentence:\n{text}").removeprefix(MARKER).strip()
    assert body in text
    assert "tower" in body


def test_json_without_a_schema_has_the_keys_named(say):
    body = say("Return JSON with keys 'title' and 'year' about Paris")
    assert list(json.loads(re.search(r"```json\n(.*?)```", body, re.DOTALL)[1])) == ["title", "year"]


def test_a_brief_system_message_makes_it_brief(say):
    long = say(PROMPT)
    messages = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": PROMPT}]
    assert say("", messages=messages).count(". ") < long.count(". ")


@given(st.text(max_size=400))
def test_tokens_joined_are_the_text(text):
    assert "".join(tokens.tokenize(text)) == text
    assert tokens.count(text) == len(tokens.tokenize(text))


@given(st.text(max_size=60), st.integers(0, 30), st.lists(st.text(max_size=3), max_size=3))
def test_an_ending_holds_no_stop_and_not_too_much(text, limit, stop):
    ending = tokens.end_at(text, limit, tuple(stop))
    assert len(ending.tokens) <= limit
    assert text.startswith(ending.text)
    assert not any(mark and mark in ending.text for mark in stop)


@given(st.text(max_size=300), st.text(max_size=60), st.floats(0, 2))
def test_any_prompt_is_answered_twice_the_same(prompt, system, temperature):
    ask = Ask(prompt, system, settings=Settings(temperature=temperature))
    answer.cache_clear()
    first = answer(ask)
    answer.cache_clear()
    assert answer(ask) == first
    assert first.text.startswith(MARKER)
