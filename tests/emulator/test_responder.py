"""The generated text: the same for the same request, prepared for the documentation's prompts, honest about others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.emulator import tokens
from azml_magics.emulator.canned_replies import load_entries
from azml_magics.emulator.generation import GenerationRequest, GenerationSettings
from azml_magics.emulator.responder import compose, generate
from azml_magics.emulator.unknown_prompts import reply_to_unknown

ROOT = Path(__file__).parents[2]
PROMPT = "Tell me about balance on a bicycle."
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")])


CELL = re.compile(r"%%azureml([^\n]*)\n(.*)", re.DOTALL)
ASKED = re.compile(r"^%azureml ask (.+)$", re.MULTILINE)
IN_PYTHON = re.compile(r"\b(?:a?invoke|a?stream|predict)\((?:\w+, )?(\"[^\"\n]+\")\)")
OTHERWISE = re.compile(r"(?<!-)-t |--schema|--dry-run|-f embeddings|^ *\$")
"""Options with which the body is not the whole prompt, or the reply is made from a schema, or nothing is sent."""


def cells_of(page):
    """The code cells of a notebook, or the Python blocks of a Markdown page."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return re.findall(r"^ *```python\n(.*?)\n *```", text, re.DOTALL | re.MULTILINE)


def prompts_of(page):
    """Every prompt that a page sends: of cells, of `%azureml ask`, and of Python; `{name}` as the page assigns it."""
    cells = cells_of(page)
    values = {name: text for cell in cells for name, text in re.findall(r'^(\w+) = "([^"\n]+)"$', cell, re.MULTILINE)}
    found = [cell[2] for cell in map(CELL.fullmatch, cells) if cell and not OTHERWISE.search(cell[1])]
    for cell in cells:
        found += ASKED.findall(cell) + [json.loads(text) for text in IN_PYTHON.findall(cell)]
    wanted = [
        prompt for prompt in found if not re.fullmatch(r"\{\w+\}", prompt)
    ]  # a text for a deployment that sums up
    return [re.sub(r"(?<!\{)\{(\w+)\}", lambda name: values.get(name[1], name[1]), prompt) for prompt in wanted]


def test_same_request_gives_same_text(say):
    first = say(PROMPT)
    assert say(PROMPT) == first == say(PROMPT, temperature=0)


def test_temperature_and_seed_choose_another_reply(say):
    texts = {say(PROMPT), *(say(PROMPT, temperature=value) for value in (0.3, 0.6, 0.9, 1.2))}
    assert len(texts) == 5
    assert say(PROMPT, seed=1) == say(PROMPT, temperature=0.3)


def test_unknown_prompt_gets_an_honest_reply_with_the_way_on(say):
    text = say("Describe  the harbour\nof Ulthar")
    assert text.startswith('A model would respond to "Describe the harbour of Ulthar" here.')
    assert "The demo is not a language model" in text
    assert "%azureml demo --model runs a small real one" in text
    assert tokens.count(reply_to_unknown("word " * 1000)) < 60  # a small limit does not cut it


def test_replies_to_an_unknown_prompt_differ_by_temperature(say):
    texts = [say("Describe the harbour", temperature=value) for value in (0, 0.3, 0.6)]
    assert len(set(texts)) == 3
    assert all("is not a language model" in text and '"Describe the harbour"' in text for text in texts)


def test_reply_for_the_users_own_topic_says_that_it_is_prepared(say):
    text = say("Write a haiku about my cat")
    assert text.startswith("my cat, at first light:")
    assert text.endswith(
        "(A prepared text: the demo is not a language model. %azureml demo --model starts a real one.)"
    )
    assert "prepared" not in say("Write a haiku about sparkling water")


def test_attachments_are_named_in_the_reply(say):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,MTIzNDU="}}
    text = say("", messages=[{"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]}])
    assert text.startswith('Received an image (image/png, 5 bytes) with the prompt "What is this?".')


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
            results = {str(position) for position in range(1, 1 + sum(map(len, entry.calls)))}
            assert set(re.findall(r"\{(\w+)\}", reply)) <= known | results, entry.prompt


@pytest.mark.parametrize("page", [page for page in PAGES if prompts_of(page)], ids=lambda page: page.stem)
def test_every_prompt_of_readme_docs_and_tutorials_has_a_reply(page):
    prompts = prompts_of(page)
    earlier = tuple(("user", prompt) for prompt in prompts)
    system = "\n".join(cells_of(page))  # a reply may need the system message of its cell
    tools = tuple(call["name"] for entry in load_entries() for step in entry.calls for call in step)
    replies = {prompt: compose(GenerationRequest(prompt, system, earlier, tools=tools)) for prompt in prompts}
    assert [prompt for prompt, reply in replies.items() if "not a language model" in reply] == []


@pytest.mark.parametrize("notebook", [page for page in PAGES if page.suffix == ".ipynb"], ids=lambda page: page.stem)
def test_no_tutorial_shows_the_reply_to_an_unknown_prompt(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        shown = json.dumps(cell.get("outputs", []))
        assert "The demo is not a language model" not in shown, "".join(cell["source"])


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
