"""The message in the body of an error response, and the content filter's code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.http import error_body
from azml_magics.core.wire.error_parts import parse_error_verdicts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "detail",
                    "details",
                    "errors",
                    "code",
                    "status",
                    "loc",
                    "msg",
                    "input",
                    "innererror",
                    "type",
                    "object",
                    "param",
                    "content_filters",
                    "content_filter_result",
                    "filtered",
                ]
            ),
            inside,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("plain words ", "plain words"),
        ("<html><title>Bad  Gateway</title></html>", "an HTML page, 'Bad Gateway'"),
        ("<HTML><TITLE lang='en'>Bad</TITLE>", "an HTML page, 'Bad'"),
        ("<html><title></title><h1>Bad</h1> gateway</html>", "an HTML page, 'Bad gateway'"),
        ("<html><title>cut off", "an HTML page, 'cut off'"),
        ("<p>1 < 2</p>", "an HTML page, '1 2'"),
        ("<p>a <b", "an HTML page, 'a b'"),
        ('{"error": {"message": "no"}}', "no"),
        (json.dumps({"message": json.dumps({"error": {"message": "inner"}})}), "inner"),
        ('{"detail": [{"loc": ["body", "n"], "msg": "too large"}]}', "body.n: too large"),
        ('{"error": {"code": "BadModel"}}', "BadModel"),
        ("{}", ""),
        ("", ""),
    ],
)
def test_message_is_found_in_known_bodies(body, message):
    assert error_body.message_of(error_body.parse(body)) == message


@pytest.mark.parametrize(
    ("value", "is_filtered"),
    [
        ({"code": "content_filter"}, True),
        ({"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}, True),
        ({"message": '{"error": {"code": "content_filter"}}'}, True),
        ({"message": "content_filter"}, False),
        ({"error": {"code": "other"}}, False),
        (None, False),
    ],
)
def test_content_filter_code_is_found_at_any_place(value, is_filtered):
    assert error_body.is_filter_error(value) is is_filtered


@pytest.mark.parametrize(
    ("body", "filters"),
    [
        (
            {
                "error": {
                    "code": "content_filter",
                    "param": "prompt",
                    "innererror": {
                        "code": "ResponsibleAIPolicyViolation",
                        "content_filter_result": {
                            "violence": {"filtered": True, "severity": "high"},
                            "jailbreak": {"filtered": False, "detected": True},
                        },
                    },
                }
            },
            [("violence", "high", True, "prompt", ""), ("jailbreak", "", False, "prompt", "detected")],
        ),
        (
            {
                "error": {
                    "code": "content_filter",
                    "content_filters": [
                        {
                            "source_type": "completion",
                            "content_filter_results": {
                                "protected_material_code": {
                                    "filtered": True,
                                    "detected": True,
                                    "citation": {"URL": "https://github.com/a/b", "license": "MIT"},
                                }
                            },
                        }
                    ],
                }
            },
            [("protected_material_code", "", True, "completion", "detected, https://github.com/a/b, MIT")],
        ),
        ({"error": {"code": "content_filter"}}, []),
        ({"error": {"code": "content_filter", "content_filters": ["x", {"content_filter_results": 7}]}}, []),
        ([], []),
        (None, []),
    ],
)
def test_verdicts_are_read_by_category(body, filters):
    found = [
        (verdict.category, verdict.severity, verdict.filtered, verdict.source, verdict.detail)
        for verdict in parse_error_verdicts(body)
    ]
    assert found == filters


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"error": {"param": "temperature"}}, "temperature"),
        ({"detail": {"loc": ["body", "response_format"], "input": "x"}}, "response_format"),
        ({"detail": [{"loc": ["body", "n"], "msg": "no"}, {"loc": ["body", "m"]}]}, "n"),
        ({"error": {"details": [{"loc": ["body", "max_tokens"]}]}}, "max_tokens"),
        ({"detail": "Extra parameters ['n'] are not allowed"}, "n"),
        ({"error": {"param": None}}, ""),
        ({"detail": "no"}, ""),
        (None, ""),
    ],
)
def test_refused_parameter_is_found_at_any_place(value, name):
    assert error_body.param_of(value) == name


@given(JSON)
def test_any_body_has_codes_a_parameter_and_verdicts(value):
    assert all(isinstance(code, str) for code in error_body.codes_of(value))
    assert isinstance(error_body.param_of(value), str)
    assert isinstance(parse_error_verdicts(value), tuple)


@given(JSON)
def test_message_of_returns_text_for_any_body(value):
    assert isinstance(error_body.message_of(value), str)


@pytest.mark.parametrize("piece", ["<title", "<", "<title>a", "</title", "<title>x</titl ", "<!-- ", "<a`"])
def test_long_html_is_read_in_linear_time(piece):
    page = "<html>" + piece * (1_000_000 // len(piece))  # a quadratic reader would take hours
    assert error_body.message_of(error_body.parse(page)).startswith("an HTML page")
