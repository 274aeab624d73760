"""The Usage and JSON tabs: everything that is known about a response, with its unit, and nothing else."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.response import Response, Usage
from azml_magics.panel.model import response_details

WHOLE = Response(
    "Rivers run.",
    usage=Usage(9, 30, 39),
    finish_reason="stop",
    latency=2.0,
    time_to_first_token=0.5,
    request_id="1c7f",
    deployment="blue",
    model="phi-4",
)


def test_usage_figures_have_units():
    assert response_details.usage_figures(WHOLE) == [
        ("latency", "2.00 s"),
        ("time to first token", "0.50 s"),
        ("prompt tokens", "9"),
        ("completion tokens", "30"),
        ("total tokens", "39"),
        ("tokens per second", "20.0"),
        ("characters", "11"),
        ("finish reason", "stop"),
        ("model", "phi-4"),
        ("deployment", "blue"),
        ("request id", "1c7f"),
    ]


def test_unknown_figures_are_left_out():
    assert response_details.usage_figures(Response("Hi")) == [("characters", "2")]


def test_unstreamed_response_has_no_time_to_first_token():
    assert "time to first token" not in dict(
        response_details.usage_figures(Response("Hi", latency=1.0, time_to_first_token=1.0))
    )


def test_count_of_zero_is_shown():
    assert ("completion tokens", "0") in response_details.usage_figures(Response("", usage=Usage(5, 0, 5), latency=1.0))


@pytest.mark.parametrize(
    ("response", "rate"),
    [
        (Response("x", usage=Usage(1, 10, 11), latency=1.0), "10.0"),
        (Response("x", usage=Usage(1, 10, 11), latency=1.0, time_to_first_token=1.0), "10.0"),
        (Response("x", usage=Usage(1, 10, 11), latency=1.5, time_to_first_token=0.5), "10.0"),
        (Response("x", latency=1.0), ""),
        (Response("x", usage=Usage(1, None, 1), latency=1.0), ""),
        (Response("x", usage=Usage(1, 10, 11)), ""),
    ],
)
def test_tokens_per_second_count_from_the_first_token(response, rate):
    assert response_details.tokens_per_second(response) == rate


def test_raw_json_is_the_reply_as_received():
    raw = {"output": "Flüsse", "x": [1, None]}
    text = response_details.raw_json(Response("Flüsse", raw=raw))
    assert json.loads(text) == raw
    assert "Flüsse" in text


def test_raw_json_of_a_stream_is_assembled():
    assert json.loads(response_details.raw_json(WHOLE)) == {
        "text": "Rivers run.",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 9, "completion_tokens": 30, "total_tokens": 39},
        "model": "phi-4",
    }


def test_cost_is_a_figure_if_there_is_a_price():
    response = Response("Tea.", usage=Usage(1_000_000, 500_000, 1_500_000))
    assert ("cost", "2.00") in response_details.usage_figures(response, "1,2")
    assert "cost" not in dict(response_details.usage_figures(response))
