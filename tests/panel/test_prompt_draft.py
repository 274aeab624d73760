"""The prompt: its variables, their values, and how a former call is restored."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azml_magics.core.errors import PromptError, UndefinedVariableError
from azml_magics.core.messages import as_messages
from azml_magics.core.prompt import template
from azml_magics.panel.model.prompt_draft import (
    PromptDraft,
    PromptVariable,
    boxes_from_messages,
    strip_blank_lines,
)

_BRACES = st.lists(
    st.sampled_from(
        ["{", "}", "{x}", "{{x}}", "{{{x}}}", "x", " ", "\n", "{if}", "{}", "{é}", r"\frac{a}{b}", "\\", '"']
    ),
    max_size=12,
).map("".join)


# ---- variables


def test_variables_are_listed_once_in_order():
    prompt = PromptDraft("Compare {tea} and {coffee}; {tea} first, as {{json}}.", {"coffee": "mocha", "gone": "x"})
    assert prompt.variables({"tea": "green"}) == [
        PromptVariable("tea", "", "green"),
        PromptVariable("coffee", "mocha", None),
    ]


def test_empty_field_takes_the_notebook_value():
    prompt = PromptDraft("{a} {b}", {"a": "", "b": "typed"})
    assert prompt.render({"a": 1, "b": 2}) == "1 typed"
    assert prompt.overrides() == {"b": "typed"}


def test_missing_variable_is_named():
    with pytest.raises(UndefinedVariableError, match=r"\{topic\}"):
        PromptDraft("About {topic}").render({})


@pytest.mark.parametrize("text", ["", "  \n\n ", "\n"])
def test_empty_prompt_is_refused(text):
    with pytest.raises(PromptError, match="There is no prompt"):
        PromptDraft(text).render({})


def test_value_is_not_rendered_again():
    assert PromptDraft("{a}").render({"a": "{b}", "b": "no"}) == "{b}"


@given(st.text("a \n\t", max_size=12))
def test_blank_lines_around_the_prompt_are_removed(text):
    left = strip_blank_lines(f"\n\n{text}")
    assert left == left.rstrip()
    assert not left.startswith("\n")
    assert strip_blank_lines(left) == left


class Loud:
    def __str__(self):
        raise RuntimeError("no text for you")


def test_notebook_value_is_shown_short_on_one_line():
    hints = {
        "long": "word " * 5000,
        "lines": "one\ntwo",
        "many": list(range(1_000_000)),
        "nested": {"a": [1, 2]},
        "loud": Loud(),
        "none": None,
    }
    shown = {
        each.name: each.notebook for each in PromptDraft(" ".join(f"{{{name}}}" for name in hints)).variables(hints)
    }
    assert shown["lines"] == "one two"
    assert shown["nested"] == "{'a': [1, 2]}"
    assert shown["none"] == "None"
    assert shown["loud"] == "(Loud, whose text raises RuntimeError)"
    assert all(len(text) <= 60 and "\n" not in text for text in shown.values())


def test_prompts_share_no_values():
    first = PromptDraft("{a}", {"a": "1"})
    PromptDraft(first.text, first.typed).typed["a"] = "2"
    assert first.typed == {"a": "1"}


# ---- restoring a call


@given(st.text() | _BRACES)
@example("{x}")
@example("{{{x}}}")
@example(r"\frac{a}{b} and {x}")
def test_sent_text_renders_to_itself_or_is_noted(text):
    prompt, _, note = boxes_from_messages(as_messages(text, None))
    assert prompt == template.escape(text)
    assert template.find_variables(prompt) == []
    if template.render(prompt, {}) != text:
        assert note == "Braces in this prompt cannot be written in the field as they were sent."
        assert "{{" in text
    else:
        assert note == ""


@given(st.text() | _BRACES)
def test_single_braces_are_restored_exactly(text):
    text = re.sub(r"\{(?=\{)", "{ ", text)
    assert template.render(template.escape(text), {}) == text


def test_last_message_and_system_message_are_restored():
    assert boxes_from_messages(as_messages("Why?", "Be brief.")) == ("Why?", "Be brief.", "")
    assert boxes_from_messages(as_messages("Why?", None)) == ("Why?", None, "")


@pytest.mark.parametrize(
    ("messages", "boxes"),
    [
        (
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
            ("c", None, ""),
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {}}]}],
            ("What?", None, ""),
        ),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}]}], ("a", None, "")),
        ([{"role": "user", "content": None}], ("", None, "")),
        ([], ("", None, "")),
    ],
)
def test_prompt_is_the_text_of_the_last_message(messages, boxes):
    assert boxes_from_messages(messages) == boxes
