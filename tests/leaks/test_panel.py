"""A key that is typed into the panel is in nothing that the panel keeps, and in no widget's state."""

from __future__ import annotations

import json

import pytest

from azml_magics import LLMConfig
from azml_magics.panel.model.draft import OTHER_KWARGS, Draft
from azml_magics.panel.model.field_texts import FIELDS

from .conftest import KEY, SECOND, leaks_in


def kept_by(draft):
    return f"{draft.texts} {draft.errors} {draft.config!r} {draft.other_kwargs_json} {vars(draft)}"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("key", KEY),
        ("endpoint_url", f"https://h.example/score?code={KEY}"),
        ("endpoint_url", f"h.example/score?api-version=1&sig={KEY}"),
        ("endpoint_url", f"https://ann:{SECOND}@h.example/score"),
    ],
)
def test_field_keeps_no_key_and_says_what_is_wrong(field, text):
    assert field in FIELDS
    draft = Draft(LLMConfig())
    draft.set(field, text)
    assert leaks_in(kept_by(draft)) == []
    assert field in draft.errors


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"api_key": KEY, "seed": 1}),
        json.dumps({"tools": [{"authorization": KEY}]}),
        f'{{"token": "{KEY}"',
        f"{{'password': '{KEY}'}}",
    ],
)
def test_json_of_kwargs_keeps_no_key(text):
    draft = Draft(LLMConfig(endpoint_url="https://h.example/v1/chat/completions"))
    draft.set_other_kwargs(text)
    assert leaks_in(kept_by(draft)) == []
    assert OTHER_KWARGS in draft.errors
    draft.set_other_kwargs(draft.other_kwargs_json)  # what the control shows now is refused as well
    assert OTHER_KWARGS in draft.errors


def test_reference_in_the_url_is_kept():
    draft = Draft(LLMConfig())
    draft.set("endpoint_url", "https://h.example/v1/chat/completions?code=env:NAME")
    assert draft.errors == {}
    assert draft.config.endpoint_url.endswith("?code=env:NAME")
