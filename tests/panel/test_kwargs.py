"""Kwargs in controls: text to value and back, and what cannot be sent."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azml_magics.core import wire
from azml_magics.core.wire import Kwarg
from azml_magics.panel.model import kwargs
from azml_magics.panel.model.kwargs import KwargValueError

EVERY = sorted({kwarg for name in wire.names() for kwarg in wire.get(name).known_kwargs}, key=repr)
TEMPERATURE = Kwarg("temperature", "number", "", 0, 2)
SEED = Kwarg("seed", "integer", "", 0)
STOP = Kwarg("stop", "strings", "")
SAMPLE = Kwarg("do_sample", "boolean", "")
CHOICE = Kwarg("tool_choice", "string", "")

VALUES = {
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(),
    "boolean": st.booleans(),
    "string": st.text().filter(str.strip),
    "strings": st.lists(st.text(min_size=1), min_size=1),
}


def outcome(read, *given):
    """(the value, "") or (None, the error)."""
    try:
        return read(*given), ""
    except KwargValueError as error:
        return None, str(error)


def test_every_kwarg_type_is_supported():
    assert {kwarg.type for kwarg in EVERY} <= {*VALUES, "object"}
    without_control = {kwarg.name for kwarg in EVERY if not kwargs.has_control(kwarg)}
    assert without_control == {"cache_control", "response_format", "tools", "thinking"}


# ---- round trips


@given(st.data(), st.sampled_from([kwarg for kwarg in EVERY if kwargs.has_control(kwarg)]))
def test_control_value_parses_back_to_the_value(data, kwarg):
    value = data.draw(VALUES[kwarg.type])
    typed = kwargs.control_value(kwarg, value)
    assert typed is not None
    back = kwargs.parse_control(kwarg, typed)
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("value", [10**23, 2**53 + 1, -(10**30)])
def test_large_integer_keeps_every_digit(value):
    assert kwargs.parse_control(TEMPERATURE, str(value)) == value


@given(st.sampled_from([kwarg for kwarg in EVERY if kwargs.has_control(kwarg)]), st.text() | st.lists(st.text()))
@example(TEMPERATURE, "9" * 5000)
@example(SEED, "9" * 5000)
@example(TEMPERATURE, "²")
def test_any_typed_text_is_a_json_value_or_refused(kwarg, typed):
    value, refused = outcome(kwargs.parse_control, kwarg, typed if isinstance(typed, str) else tuple(typed))
    assert len(refused.splitlines()) <= 1
    assert refused or json.loads(json.dumps(value, allow_nan=False)) == value


@given(st.sampled_from([kwarg for kwarg in EVERY if kwargs.has_control(kwarg)]), st.text(" \t", max_size=4))
def test_empty_text_is_not_a_value(kwarg, blank):
    if kwarg.type == "strings":
        assert kwargs.parse_control(kwarg, ()) is None
        assert kwargs.parse_control(kwarg, "") is None
    else:
        assert kwargs.parse_control(kwarg, blank) is None


@pytest.mark.parametrize(
    ("kwarg", "typed", "value"),
    [
        (TEMPERATURE, "0.7", 0.7),
        (TEMPERATURE, " 1 ", 1),
        (TEMPERATURE, "-2", -2),
        (TEMPERATURE, "1e-3", 0.001),
        (SEED, "42", 42),
        (SAMPLE, "True", True),
        (SAMPLE, " false ", False),
        (CHOICE, "auto", "auto"),
        (CHOICE, " auto", " auto"),
        (STOP, ("###", "\\n\\n"), ["###", "\n\n"]),
        (STOP, "a,b", ["a", "b"]),
        (STOP, ("a,b", " "), ["a,b", " "]),
        (STOP, ("C:\\\\dir",), ["C:\\dir"]),
        (STOP, ("\\d", "end\\"), ["\\d", "end\\"]),
    ],
)
def test_typed_text_gives_the_intended_value(kwarg, typed, value):
    read = kwargs.parse_control(kwarg, typed)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("kwarg", "typed", "said"),
    [
        (TEMPERATURE, "warm", "'warm' is not a number"),
        (TEMPERATURE, "0,5", "'0,5' is not a number"),
        (TEMPERATURE, "nan", "'nan' cannot be sent"),
        (TEMPERATURE, "-inf", "'-inf' cannot be sent"),
        (TEMPERATURE, "1e999", "'1e999' cannot be sent"),
        (SEED, "1.5", "'1.5' is not a whole number"),
        (SEED, "many", "'many' is not a whole number"),
        (SAMPLE, "yes", "'yes' is neither true nor false"),
    ],
)
def test_wrong_value_is_refused_with_reason(kwarg, typed, said):
    with pytest.raises(KwargValueError) as caught:
        kwargs.parse_control(kwarg, typed)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("kwarg", "value"),
    [
        (TEMPERATURE, None),
        (TEMPERATURE, "hot"),
        (TEMPERATURE, True),
        (SEED, 1.0),
        (SEED, False),
        (SAMPLE, 1),
        (SAMPLE, "true"),
        (CHOICE, {"type": "function"}),
        (CHOICE, ""),
        (STOP, "###"),
        (STOP, []),
        (STOP, ["a", ""]),
        (STOP, ["a", 1]),
    ],
)
def test_value_of_another_type_has_no_control_value(kwarg, value):
    assert kwargs.control_value(kwarg, value) is None


@given(st.text())
def test_stop_sequence_escapes_to_one_line_and_back(tag):
    escaped = kwargs.escape_tag(tag)
    assert not {"\n", "\r", "\t"} & set(escaped)
    assert kwargs.unescape_tag(escaped) == tag


# ---- ranges


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        (0, ""),
        (2, ""),
        (-0.1, "below the documented minimum of 0; it is sent"),
        (2.5, "above the documented maximum of 2; it is sent"),
        ("hot", ""),
        (True, ""),
    ],
)
def test_value_outside_range_gets_a_note(value, said):
    assert kwargs.range_note(TEMPERATURE, value) == said


def test_kwarg_without_range_gets_no_note():
    assert kwargs.range_note(CHOICE, "auto") == ""
    assert kwargs.range_note(SEED, 10**12) == ""
    assert kwargs.range_note(SEED, -1) == "below the documented minimum of 0; it is sent"


# ---- JSON


@pytest.mark.parametrize("text", ["", "  \n "])
def test_empty_json_is_no_kwargs(text):
    assert kwargs.parse_other_kwargs(text, ["seed"]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": }', "not JSON at column 7: Expecting value"),
        ('{"a": 1,\n "b" 2}', "not JSON at line 2, column 6: Expecting ':' delimiter"),
        ("seed=1", "not JSON at column 1: Expecting value"),
        ("[1]", 'must be an object, such as {"seed": 1}'),
        ("null", 'must be an object, such as {"seed": 1}'),
        ('{"a": NaN}', "NaN cannot be sent"),
        ('{"a": {"b": [-Infinity]}}', "-Infinity cannot be sent"),
        ('{"temperature": 1}', "temperature has a field of its own above"),
        ('{"seed": 1, "x": 2, "temperature": 1}', "temperature, seed has a field of its own above"),
    ],
)
def test_wrong_json_is_refused_with_its_position(text, said):
    with pytest.raises(KwargValueError) as caught:
        kwargs.parse_other_kwargs(text, ["temperature", "seed"])
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' + '{"a":' * 50_000 + "1" + "}" * 50_001,
    ],
    ids=["digits", "lists", "objects"],
)
def test_unreadable_json_is_refused_in_one_line(text):
    with pytest.raises(KwargValueError) as caught:
        kwargs.parse_other_kwargs(text, [])
    assert "\n" not in str(caught.value)
    assert "sys." not in str(caught.value)


@given(st.text())
@example('{"a": 1e999}')
@example(f'{{"a": {"9" * sys.get_int_max_str_digits()}9}}' if hasattr(sys, "get_int_max_str_digits") else "{}")
def test_any_json_text_is_an_object_or_refused(text):
    value, refused = outcome(kwargs.parse_other_kwargs, text, ["seed"])
    assert isinstance(value, dict) or len(refused.splitlines()) == 1
