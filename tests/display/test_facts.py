"""The quiet line about a response."""

from __future__ import annotations

import pytest

from azml_magics.core.response import Response, Usage, Verdict
from azml_magics.display.facts import filter_note, finish_note, format_usage, notable_facts, response_facts
from azml_magics.display.mime import RESPONSE_MIME, response_bundle

DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 3200},
    "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 4},
}


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (None, ""),
        (Usage(3), ""),
        (Usage(3, 1, 4), "1 token"),
        (Usage(3, 2000, 2003), "2,000 tokens"),
        (Usage(4000, 200, 4200, DETAILS), "200 tokens (192 reasoning, 4 audio), 3,200 cached"),
    ],
)
def test_usage_in_words(usage, text):
    assert format_usage(usage) == text


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        *((reason, "") for reason in (None, "", "stop", "STOP", "end_turn", "tool_calls", "eos_token", "completed")),
        *((reason, "cut off at the token limit") for reason in ("length", "max_tokens", "max_output_tokens")),
        ("pause_turn", "finish reason pause_turn"),
    ],
)
def test_finish_reason_is_named_if_it_is_unusual(reason, note):
    assert finish_note(reason) == note


def test_filters_are_named_above_safe():
    verdicts = (
        Verdict("hate", "safe"),
        Verdict("violence", "low"),
        Verdict("jailbreak", "", source="prompt", detail="detected", filtered=True),
        Verdict("protected_material_text"),
        Verdict("protected_material_code", detail="detected"),
    )
    assert filter_note(verdicts) == "violence low, jailbreak filtered in the prompt, protected material code"


def test_facts_are_in_one_order():
    response = Response(
        "x",
        model="gpt-5-2026",
        usage=Usage(1, 2, 3),
        finish_reason="length",
        latency=1.26,
        attempts=2,
        headers={"x-ms-region": "East US 2"},
        filters=(Verdict("violence", "low"),),
    )
    assert " · ".join(response_facts(response, times=True)) == (
        "gpt-5-2026 · East US 2 · 2 tokens · cut off at the token limit · violence low · 2 requests · 1.3 s"
    )
    assert notable_facts(response) == ["gpt-5-2026", "2 tokens", "cut off at the token limit", "violence low"]
    usual = Response("x", model="m", usage=Usage(1, 2, 3), finish_reason="stop")
    assert notable_facts(usual) == []
    assert response_facts(usual, always_finish=True) == ["m", "2 tokens", "stop"]


def test_what_differs_from_call_to_call_is_in_the_metadata():
    response = Response("x", headers={"x-ms-region": "East US 2"}, attempts=2, latency=1.0)
    data, metadata = response_bundle(response)
    assert (metadata["azml"]["region"], metadata["azml"]["attempts"]) == ("East US 2", 2)
    assert "East US 2" not in str(data)


def test_notices_are_shown_below_the_answer():
    data, _ = response_bundle(Response("", notices=("All 64 tokens were thoughts: raise max_completion_tokens.",)))
    assert "All 64 tokens were thoughts: raise max&#95;completion&#95;tokens." in data["text/markdown"]
    assert data[RESPONSE_MIME]["notices"] == ["All 64 tokens were thoughts: raise max_completion_tokens."]


def test_cost_stands_in_the_facts_only_with_a_price():
    response = Response("Tea.", usage=Usage(1_000_000, 500_000, 1_500_000))
    assert response_facts(response) == ["500,000 tokens"]
    assert response_facts(response, price="1,2") == ["500,000 tokens", "cost 2.00"]
    assert response_facts(Response("Tea."), price="1,2") == []
