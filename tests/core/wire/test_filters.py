"""Verdicts of Azure's content filters."""

from __future__ import annotations

from hypothesis import given

from azml_magics.core.response import Verdict
from azml_magics.core.wire.filters import parse_prompt_verdicts, parse_verdicts

from .json_strategies import JSON


def test_verdicts_have_category_severity_and_detail():
    results = {
        "hate": {"filtered": True, "severity": "high"},
        "jailbreak": {"filtered": False, "detected": True},
        "protected_material_code": {
            "filtered": False,
            "detected": True,
            "citation": {"URL": "https://e.org/x", "license": "MIT"},
        },
        "custom_blocklists": {"filtered": True, "details": [{"id": "names", "filtered": True}]},
        "error": {"code": "x", "message": "the filter did not run"},
    }
    assert parse_verdicts(results, "completion") == (
        Verdict("hate", "high", filtered=True),
        Verdict("jailbreak", detail="detected"),
        Verdict("protected_material_code", detail="detected, https://e.org/x, MIT"),
        Verdict("custom_blocklists", filtered=True, detail='[{"id": "names", "filtered": true}]'),
    )


def test_prompt_verdicts_are_read_under_both_names():
    entries = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}]
    expected = (Verdict("hate", "safe", source="prompt"),)
    assert parse_prompt_verdicts({"prompt_filter_results": entries}) == expected
    assert parse_prompt_verdicts({"prompt_annotations": entries}) == expected


@given(JSON)
def test_anything_else_gives_no_verdicts_or_verdicts(value):
    for found in (parse_verdicts(value, "prompt"), parse_prompt_verdicts({"prompt_filter_results": value})):
        assert all(isinstance(verdict, Verdict) for verdict in found)
