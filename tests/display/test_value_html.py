"""JSON data as nested tables: readable, escaped, and on one line."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.prompt.schema import parsed_data
from azml_magics.display.value_html import json_fold, tool_calls_to_html, value_to_html

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


class _Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.names = [], set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.names.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def elements(html):
    parser = _Elements()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.names


@given(JSON)
def test_any_value_is_balanced_html_on_one_line(value):
    html = value_to_html(value) + json_fold(value)
    assert "\n" not in html
    assert elements(html) <= {
        *("div", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "span", "code", "details", "summary", "pre")
    }


def test_object_has_a_row_for_each_field():
    html = value_to_html({"product": "tea", "stars": 4, "seller": {"name": "Ada"}})
    assert html.count('scope="row"') == 4
    assert "<code>4</code>" in html


def test_list_of_objects_is_one_table():
    html = value_to_html([{"a": 1}, {"a": 2, "b": None}])
    assert html.count("<table ") == 1
    assert html.count('scope="col"') == 2
    assert "<code>null</code>" in html


def test_texts_are_escaped():
    html = value_to_html({"<script>": "<img onerror=x>"})
    assert "<script>" not in html
    assert "<img" not in html


def test_deep_value_ends_in_json():
    value = 1
    for _ in range(30):
        value = {"a": value}
    assert value_to_html(value).count("<table ") == 8


def test_tool_calls_show_their_arguments():
    calls = [
        {"id": "call_1", "function": {"name": "weather", "arguments": json.dumps({"city": "Rome", "days": 2})}},
        {"function": {"name": "stop", "arguments": ""}},
        {"function": {"name": "broken", "arguments": '{"city": '}},
        {"function": None},
    ]
    html = tool_calls_to_html(calls)
    elements(html)
    assert "<strong>weather</strong>" in html
    assert "Rome" in html
    assert "no arguments" in html
    assert "{&quot;city&quot;: " in html
    assert "<strong>?</strong>" in html


def test_object_of_a_model_becomes_data():
    class Odd:
        def model_dump(self, **_how):
            raise ValueError

        def __iter__(self):
            return iter([("a", 1)])

    assert parsed_data(Odd()) == {"a": 1}
    assert parsed_data([1]) == [1]
