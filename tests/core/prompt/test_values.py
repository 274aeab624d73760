"""Option values that users type as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.prompt.values import parse_value

from ..judge import only_our_errors


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ('["\\n"]', ["\n"]),
        ('{"a": 1}', {"a": 1}),
        ('"quoted"', "quoted"),
        ("plain words", "plain words"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("{broken", "{broken"),
        ("[" * 100_000, "[" * 100_000),
        ("", ""),
        ("True", True),
        ("None", None),
        (".5", 0.5),
        ("'quoted'", "quoted"),
        ("(1, 2)", [1, 2]),
        ("{'a': (1, None)}", {"a": [1, None]}),
        ("1_000", 1000),
        ("{1, 2}", "{1, 2}"),
        ("b'x'", "b'x'"),
        ("1+2j", "1+2j"),
        ("...", "..."),
        ("007", "007"),
        (r"'\d'", r"\d"),
        ("Truth", "Truth"),
    ],
)
def test_json_and_literals_are_parsed_and_other_text_kept(text, value):
    assert parse_value(text) == value


@given(st.text(max_size=20))
def test_any_text_gives_a_value(text):
    with only_our_errors():
        parse_value(text)
