"""The generated text: the same for the same request, prepared for the documentation's prompts, honest about others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.emulator import tokens
from azml_magics.emulator.canned_replies import find_reply, load_entries
from azml_magics.emulator.generation import GenerationRequest, GenerationSettings
from azml_magics.emulator.responder import generate, write_no_reply

ROOT = Path(__file__).parents[2]
PROMPT = "Tell me about balance on a bicycle."
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def prompts_of(page):
    """The prompts of the cells that a page shows, those with variables left out."""
    cells = re.findall(r"```python\n%%azureml[^\n]*\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [cell for cell in cells if not re.search(r"(?<!\{)\{\w+\}", cell)]


def test_same_request_gives_same_text(say):
    first = say(PROMPT)
    assert say(PROMPT) == first == say(PROMPT, temperature=0)


def test_temperature_and_seed_choose_another_reply(say):
    texts = {say(PROMPT), *(say(PROMPT, temperature=value) for value in (0.3, 0.6, 0.9, 1.2))}
    assert len(texts) == 5
    assert say(PROMPT, seed=1) == say(PROMPT, temperature=0.3)


def test_unknown_prompt_gets_one_honest_sentence(say):
    text = say("Describe  the harbour\nof Ulthar")
    assert text.startswith("This is the demo endpoint, not a language model: ")
    assert text.endswith('"Describe the harbour of Ulthar".')
    assert text == say("Describe the harbour of Ulthar", temperature=2, seed=9)
    assert len(write_no_reply("word " * 1000)) < 160


def test_prompt_is_recognized_despite_case_spaces_and_punctuation(say):
    assert say("  write a HAIKU about\nsparkling water") == say("Write a haiku about sparkling water.")


def test_system_message_selects_an_entry(say):
    prompt = "Name three things to do on a rainy day in Lisbon."
    messages = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": prompt}]
    assert len(say("", messages=messages)) < len(say(prompt))


def test_prompt_inside_instructions_is_recognized(say):
    assert say("Answer in one line.\n\nName a river.") == say("Name a river.")
    assert say("Name a river.\n\nReply with JSON.") == say("Name a river.")


def test_reply_repeats_text_of_the_prompt(say):
    assert "Oslo" in say("Name three things to do on a rainy day in Oslo.")


def test_reply_depends_on_words_of_a_row(say):
    prompt = "Is this letter positive or negative? {}"
    assert say(prompt.format("I love the stove.")) == "positive"
    assert say(prompt.format("The zip broke, I want a refund.")) == "negative"
    assert say(prompt.format("It is a tent.")) == "neutral"


def test_name_of_an_earlier_turn_is_known(say):
    turns = [
        {"role": "user", "content": "Hi, my name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "What is my name?"},
    ]
    assert say("", messages=turns) == "Your name is Ada."
    assert say("What is my name?") == "You have not told me your name yet."


def test_summary_is_made_of_sentences_of_the_text(say):
    text = "The tower is tall. The tower was built of stone in the old town. Cats sleep. The stone tower of the town leans."
    body = say(f"Summarize in one sentence:\n{text}")
    assert body in text
    assert "tower" in body


def test_json_reply_is_an_object_without_a_fence(say):
    prompt = "Give me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread."
    assert say(prompt).startswith("```json\n")
    assert set(json.loads(say(prompt, response_format={"type": "json_object"}))) == {"title", "price", "tags"}


def test_python_in_replies_compiles():
    code = [
        text
        for entry in load_entries()
        for reply in entry.replies
        for text in re.findall(r"```python\n(.*?)```", reply, re.DOTALL)
    ]
    assert code
    for text in code:
        compile(text, "reply", "exec")


def test_entries_are_different_and_fill_their_names():
    keys = [(entry.prompt, entry.system, entry.earlier, entry.effort) for entry in load_entries()]
    assert len(keys) == len(set(keys))
    for entry in load_entries():
        known = {*entry.pattern.groupindex, *(entry.earlier.groupindex if entry.earlier else ())}
        for reply in entry.replies:
            assert set(re.findall(r"\{(\w+)\}", reply)) <= known, entry.prompt


@pytest.mark.parametrize("page", [page for page in PAGES if prompts_of(page)], ids=lambda page: page.name)
def test_every_prompt_of_the_documentation_has_a_reply(page):
    missing = [prompt for prompt in prompts_of(page) if find_reply(GenerationRequest(prompt)) is None]
    assert missing == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_prompt_of_the_tutorials_has_a_reply(notebook):
    outputs = [cell.get("outputs", []) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]]
    assert write_no_reply("")[:40] not in json.dumps(outputs)


@given(st.text(max_size=400))
def test_tokens_joined_are_the_text(text):
    assert "".join(tokens.tokenize(text)) == text
    assert tokens.count(text) == len(tokens.tokenize(text))


@given(st.text(max_size=60), st.integers(0, 30), st.lists(st.text(max_size=3), max_size=3))
def test_limited_text_keeps_to_stop_and_max_tokens(text, limit, stop):
    limited = tokens.apply_limits(text, limit, tuple(stop))
    assert len(limited.tokens) <= limit
    assert text.startswith(limited.text)
    assert not any(mark and mark in limited.text for mark in stop)


@given(st.text(max_size=300), st.text(max_size=60), st.floats(0, 2))
def test_any_prompt_gets_the_same_text_twice(prompt, system, temperature):
    request = GenerationRequest(prompt, system, settings=GenerationSettings(temperature=temperature))
    generate.cache_clear()
    first = generate(request)
    generate.cache_clear()
    assert generate(request) == first
    assert first.text
