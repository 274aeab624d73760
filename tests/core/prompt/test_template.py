"""Prompt variables: which braces are variables, and how their values are inserted."""

from __future__ import annotations

import json
import keyword
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import PromptError, UndefinedVariableError
from azml_magics.core.prompt.template import escape, find_lookups, find_spans, find_variables, render

# labextension/tests/variables.test.ts reads it, too: what the editor marks is what the renderer fills in
CASES = json.loads(Path(__file__).with_name("prompt_variables.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("prompt", "names"), CASES)
def test_variables_are_found(prompt, names):
    assert [name for name, _, _ in find_spans(prompt)] == names
    assert find_variables(prompt) == list(dict.fromkeys(names))


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Write about {topic}.", "Write about tea."),
        ("{n} times {n}", "3 times 3"),
        ("{{topic}} is {topic}", "{topic} is tea"),
        ("{{topic}}{{{topic}}}", "{topic}{tea}"),
        ('{"a": "{topic}"}', '{"a": "tea"}'),
        (r"\frac{a}{b} for {topic}", r"\frac{a}{b} for tea"),
        ("{} {1} {{}} {{ x }}", "{} {1} {{}} {{ x }}"),
        ("{if}", "{if}"),
    ],
)
def test_rendered_text(prompt, text):
    assert render(prompt, {"topic": "tea", "n": 3}) == text


def test_braces_in_values_are_not_replaced():
    values = {"a": "{b} {{b}} {a.__class__} {os.environ[HOME]}", "b": "secret"}
    assert render("{a}", values) == values["a"]


def test_values_are_converted_by_str():
    class Frame:
        def __str__(self):
            return "a  b\n1  2"

    assert render("{df}|{x}|{none}", {"df": Frame(), "x": 1.5, "none": None}) == "a  b\n1  2|1.5|None"


def test_value_without_str_names_its_variable():
    class Broken:
        def __str__(self):
            raise RuntimeError("no\nway")

    with pytest.raises(PromptError, match=r"variable 'x' .Broken. raised RuntimeError: no way") as caught:
        render("{x}", {"x": Broken()})
    assert caught.value.facts["param"] == "x"


def test_undefined_variable_suggests_nearest_public_name():
    with pytest.raises(UndefinedVariableError, match=r"Did you mean 'topic'\?") as caught:
        render("{topik}", {"topic": 1, "_topik": 2})
    assert "_topik" not in str(caught.value)


@given(st.text("{}ab \n\\x", max_size=40))
def test_prompt_without_variables_is_unchanged(prompt):
    if not find_variables(prompt) and "{{" not in prompt:
        assert render(prompt, {}) == prompt


@given(st.text("{}ab\\ f[", max_size=40), st.text("{}ab", max_size=6), st.text("{}ab", max_size=6))
def test_spans_are_the_places_of_variables(prompt, a, b):
    values = {"a": a, "b": b}
    if set(find_variables(prompt)) <= set(values):
        render(prompt, values)
    else:
        with pytest.raises(UndefinedVariableError):
            render(prompt, values)
    for name, start, end in find_spans(prompt):
        assert prompt[start:end] == "{" + name + "}"
        assert name.isidentifier()
        assert not keyword.iskeyword(name)


@pytest.mark.parametrize("piece", ["\\a[", "\\a[x]", "[\\a[x]", "\\a{", "\\", "{{{a", "{", "\\a"])
def test_long_prompt_is_read_in_linear_time(piece):
    assert find_variables(piece * (1_000_000 // len(piece)) + " {x}") == ["x"]  # a quadratic reader would take hours


# ---- columns, and braces of other languages --------------------------------------------------------------------


def test_column_is_a_variable_whatever_its_name_is():
    columns = ["Customer Review", "a.b", "0", "from", "x:y", "", " "]
    values = {name: f"<{name}>" for name in columns}
    prompt = "{Customer Review} {a.b} {0} {from} {x:y} {} { } {{Customer Review}} {{{a.b}}}"
    assert (
        render(prompt, values, columns) == "<Customer Review> <a.b> <0> <from> <x:y> {} { } {Customer Review} {<a.b>}"
    )
    assert find_variables(prompt, columns) == ["Customer Review", "a.b", "0", "from", "x:y"]


def test_longest_of_two_columns_wins():
    assert render("{a b c} {a b}", {"a b": 1, "a b c": 2}, ["a b", "a b c"]) == "2 1"


FOREIGN = (
    'print(f"{x!r:>8}")',
    "{k: v for k, v in d.items()}",
    "{% for item in items %}{{ item.name }}{% endfor %}",
    "{{#each rows}}{{ this.title }}{{/each}}",
    r"\frac{a}{b} \sum_{i}^{n} x_{i}",
    r"\begin{align*} e^{i\pi} \end{align*}",
    '{"name": {"first": [1, {}]}}',
    'Console.WriteLine($"{total:C} {user.Name}");',
    "for (;;) { i++; }",
    "${HOME:-x} {} { } {0}",
)


@given(st.lists(st.one_of(st.sampled_from(FOREIGN), st.just("{var}"), st.text(alphabet="ab \n.,;", max_size=5))))
def test_only_variables_change_in_text_of_other_languages(parts):
    prompt = " ".join(parts)
    assert render(prompt, {"var": "VALUE"}) == " ".join("VALUE" if part == "{var}" else part for part in parts)


def test_lookups_are_found_once_and_literals_are_not():
    prompt = '{ans.text} {ans.text} {x:.2f} {df["a"]} {x!r} {{x.y}} f_{city} x_{i} {"a": 1} {plain}'
    assert [lookup.written for lookup in find_lookups(prompt)] == [
        "{ans.text}", "{x:.2f}", '{df["a"]}', "{x!r}", "{city}",
    ]  # fmt: skip


@given(st.text(alphabet="{}ab_^x. ", max_size=30))
def test_escaped_text_renders_to_itself_or_says_so(text):
    prompt = escape(text)
    names = dict.fromkeys(find_variables(prompt), "VALUE")
    assert render(prompt, names) == text or "{{" in text
