"""The text in records and lists."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ModelError, ResponseFormatError
from azml_magics.core.wire.records import find_text, find_text_key, parse_record


@pytest.mark.parametrize("value", ["t", ["t"], [["t"]], {"a": "t"}, [{"a": "t"}], {"b": {"a": "t"}}, {"a": ["t", "u"]}])
def test_first_text_is_found(value):
    assert find_text(value, ("a", "b")) == "t"


def test_order_of_keys_decides():
    assert find_text({"a": "t", "b": "u"}, ("b", "a")) == "u"


@pytest.mark.parametrize("value", [None, 7, [], {}, [7], {"c": "t"}, {"a": None}, [[[[[[[[[["t"]]]]]]]]]]])
def test_other_values_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match="no text"):
        find_text(value, ("a", "b"))


@pytest.mark.parametrize(
    ("record", "key"), [({"c": "t"}, "c"), ({"c": 1}, None), ({"c": "t", "d": "u"}, None), ({"error": "t"}, None)]
)
def test_any_column_takes_the_only_text(record, key):
    assert find_text_key(record, (), any_column=True) == key
    assert find_text_key(record, (), any_column=False) is None


def test_empty_text_is_a_model_error():
    with pytest.raises(ModelError, match="empty text"):
        parse_record({"a": ""}, ("a",))


def test_raw_is_kept():
    assert parse_record([{"a": "t"}], ("a",)).raw == [{"a": "t"}]
