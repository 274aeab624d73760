"""JSON and code in a response."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.prompt.extract import CodeBlock, NoJsonError, find_blocks, find_code, find_json, find_json_values

from ..judge import only_our_errors


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
        ('```json\r\n{"a": 1}\r\n```\r\n', {"a": 1}),
        ('   ```json\n   {"a": 1}\n   ```', {"a": 1}),
        ('```json {"a": 1}```', {"a": 1}),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('Write it in {braces} or [brackets]: {"a": 1}', {"a": 1}),
        ('An open { in prose, and {"a": "}"} after it', {"a": "}"}),
        ('See [the docs](http://x.y): [{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"broken": {"a": 1},} but then {"a": 2}', {"a": 2}),
        ("null", None),
        ("0", 0),
        ('"text"', "text"),
    ],
)
def test_json_is_found(text, value):
    assert find_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        '{"a": 1',
        "```json\n{\n```",
        "{} and []",
        "[" * 5000,
        '{"a": ' * 5000,
        "{" * 50_000,
        '{"' * 50_000,
        # cut off or broken: no part of it is found
        '{"name": {"first": "Ada"}, "steps": [{"n": 1}, {"n"',
        '[{"a": 1}, {"a": 2}, {"a',
        "[[1, 2], [3, 4], [5",
        "[1, 2, [3, 4], ",
        '```json\n{"a": {"b": 1},\n```\n',
        '```json\n{"a": {"b": 1}, // a comment\n "c": {"d": 2}}\n```\n',
        '{"a": {"b": "x}',
    ],
)
def test_text_without_json_is_an_error(text):
    with pytest.raises(NoJsonError, match="contains no JSON"):
        find_json(text)


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```python\nx = 1\n```", CodeBlock("python", "x = 1")),
        ("Try:\n```Python\nx = 1\n\ny = 2\n```\nand\n```sh\nls\n```", CodeBlock("python", "x = 1\n\ny = 2")),
        ("x = 1\n", CodeBlock("", "x = 1")),
        ("```c++\nint x;\n", CodeBlock("c++", "int x;")),
        ("````md\n```\nin\n```\n````", CodeBlock("md", "```\nin\n```")),
        ("1. So:\n   ```python\n   if x:\n       y()\n\n  z\n   ```\n", CodeBlock("python", "if x:\n    y()\n\nz")),
        ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", CodeBlock("python", "x = 1\ny = 2")),
        ("```python title=a.py\nx = 1\n```", CodeBlock("python", "x = 1")),
        ("```\n```", CodeBlock("", "")),
    ],
)
def test_code_is_found(text, block):
    assert find_code(text) == block


def test_blocks_are_in_order():
    assert find_blocks("```a\n1\n```\n~~~b\n2\n~~~") == [CodeBlock("a", "1"), CodeBlock("b", "2")]


def test_fenced_json_comes_before_json_in_prose():
    text = 'For {"type": "object"} I say\n```json\n{"a": 1}\n```\nor\n```\n[2]\n```\nor {"b": [3]}, {"a": 1}.'
    assert list(find_json_values(text)) == [{"a": 1}, [2], {"type": "object"}, {"b": [3]}]
    assert list(find_json_values(' {"a": [{"b": 1}]} ')) == [{"a": [{"b": 1}]}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"{}[]\\:,`\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"{}', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1) | st.dictionaries(st.text(max_size=3), JSON, min_size=1), st.data())
def test_incomplete_json_is_never_found(value, data):
    text = json.dumps(value)
    assert find_json(f"Here: {text} - done") == value
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(NoJsonError):
        find_json(text[:cut])


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1, max_size=3),
    st.text("ab \n.", max_size=10),
)
def test_fenced_json_is_found_in_any_prose(value, prose):
    assert find_json(f"{prose}\n```json\n{json.dumps(value)}\n```\n{prose}") == value


@given(st.text('`~{}[]":1a\n ', max_size=40))
def test_any_text_gives_code_and_json_or_own_error(text):
    assert isinstance(find_code(text).text, str)
    with only_our_errors(NoJsonError):
        find_json(text)


@pytest.mark.parametrize("piece", ["`", "~", "``` ", "` ", "```\n", "{", '{"a"', "[1,", '"', "\\", "[[", " \n"])
def test_long_response_is_read_in_linear_time(piece):
    text = piece * (500_000 // len(piece))  # a quadratic reader would take hours
    assert all(block.language == "" for block in find_blocks(text))
    assert list(find_json_values(text)) == []
