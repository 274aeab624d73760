"""JSON and code out of an answer, and the answer itself untouched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.extract import Block, NoJson, blocks, code, json_value

from .judge import only_our_errors


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2]\n", [1, 2]),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is:\n\n```\n{"a": 1}\n```\nEnjoy!', {"a": 1}),
        ("~~~json\n[1]\n~~~", [1]),
        ('Sure! {"a": {"b": [1]}} is what you want.', {"a": {"b": [1]}}),
        ('{} is empty, but {"a": 1} is not', {"a": 1}),
        ('```python\nx = 1\n```\nand {"a": 1}', {"a": 1}),
        ('```json\n{"a": 1}', {"a": 1}),
    ],
)
def test_the_json_of_an_answer(text, value):
    assert json_value(text) == value


@pytest.mark.parametrize("text", ["", "no", '{"a": 1', "```json\n{\n```", "{} and []", "[" * 5000])
def test_an_answer_without_json_says_so(text):
    with pytest.raises(NoJson, match="holds no JSON"):
        json_value(text)


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```python\nx = 1\n```", Block("python", "x = 1")),
        ("Try:\n```Python\nx = 1\n\ny = 2\n```\nand\n```sh\nls\n```", Block("python", "x = 1\n\ny = 2")),
        ("x = 1\n", Block("", "x = 1")),
        ("```c++\nint x;\n", Block("c++", "int x;")),
        ("````md\n```\nin\n```\n````", Block("md", "```\nin\n```")),
    ],
)
def test_the_code_of_an_answer(text, block):
    assert code(text) == block


def test_all_blocks_in_order():
    assert blocks("```a\n1\n```\n~~~b\n2\n~~~") == [Block("a", "1"), Block("b", "2")]


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1, max_size=3),
    st.text("ab \n.", max_size=10),
)
def test_json_is_found_in_any_prose(value, prose):
    assert json_value(f"{prose}\n```json\n{json.dumps(value)}\n```\n{prose}") == value


@given(st.text('`~{}[]":1a\n ', max_size=40))
def test_any_answer_can_be_looked_through(text):
    assert isinstance(code(text).text, str)
    with only_our_errors(NoJson):
        json_value(text)
