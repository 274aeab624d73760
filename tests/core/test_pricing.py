"""What a response costs: prices of the user, token counts of the endpoint, and nothing guessed."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import LLMConfig, Usage
from azml_magics.core.errors import ConfigError
from azml_magics.core.pricing import Price, add_costs, cost_of, format_cost, read_price, round_cost


@pytest.mark.parametrize(
    "given",
    [
        "0.15,0.60,0.075",
        " 0.15 , 0.6 , 0.075 ",
        (0.15, 0.6, 0.075),
        [0.15, 0.6, 0.075],
        {"input": 0.15, "output": 0.6, "cached_input": 0.075},
        Price(0.15, 0.6, 0.075),
    ],
)
def test_price_takes_the_forms_people_write(given):
    price = LLMConfig(price=given).price
    assert price == Price(0.15, 0.6, 0.075)
    assert str(price) == "0.15,0.6,0.075"
    assert price.describe() == "0.15 input, 0.6 output, 0.075 cached input per million tokens"


@pytest.mark.parametrize("given", [None, "", "none", " None "])
def test_no_price_is_none(given):
    assert LLMConfig(price=given).price is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("0.15", "price takes two or three numbers per million tokens, not ['0.15']"),
        ("1,2,3,4", "price takes two or three numbers"),
        (3, "price takes two or three numbers per million tokens, not 3"),
        ({"input": 1}, "price takes two or three numbers"),
        ({"input": 1, "output": 2, "cache": 3}, "price takes two or three numbers"),
        ("a,b", "price: input must be a number of at least 0, not 'a'"),
        ("1,-2", "price: output must be a number of at least 0, not '-2'"),
        ("1,2,nan", "price: cached_input must be a number of at least 0, not 'nan'"),
        ("1,inf", "price: output must be a number"),
        ((True, 1), "price: input must be a number of at least 0, not True"),
    ],
)
def test_wrong_price_is_one_line_with_an_example(given, problem):
    with pytest.raises(ConfigError) as caught:
        LLMConfig(price=given)
    assert problem in str(caught.value)
    assert "0.15,0.60,0.075" in str(caught.value)


def test_cached_tokens_are_counted_apart():
    usage = Usage(1_000_000, 500_000, 1_500_000, {"prompt_tokens_details": {"cached_tokens": 400_000}})
    assert cost_of(usage, "1,4,0.5") == pytest.approx(0.6 + 0.2 + 2.0)
    assert cost_of(usage, "1,4") == pytest.approx(1.0 + 2.0)


def test_unknown_counts_and_prices_give_no_cost():
    assert cost_of(None, "1,2") is None
    assert cost_of(Usage(1, 1, 2), None) is None
    assert cost_of(Usage(None, 7), "1,2") is None
    assert cost_of(Usage(7, None), "1,2") is None


def test_embedding_costs_its_input():
    assert cost_of(Usage(8, None, 8), "1,2") == pytest.approx(8e-6)


def test_sum_leaves_unknown_costs_out():
    assert add_costs([0.1, None, 0.2]) == pytest.approx(0.3)
    assert add_costs([None, None]) is None
    assert add_costs([]) is None


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (None, ""),
        (0, "0"),
        (0.0000123, "0.000012"),
        (0.012, "0.012"),
        (0.5, "0.50"),
        (12.345, "12.35"),
        (1234.5, "1,234.50"),
    ],
)
def test_costs_are_short(cost, text):
    assert format_cost(cost) == text


AMOUNTS = st.floats(0, 1e6)
COUNTS = st.integers(0, 10**10)


@given(st.builds(Price, AMOUNTS, AMOUNTS, st.none() | AMOUNTS), COUNTS, COUNTS, COUNTS)
def test_any_price_round_trips_and_costs_are_never_negative(price, prompt, completion, from_cache):
    assert read_price(str(price)) == price
    assert read_price(price.to_dict()) == price
    assert pickle.loads(pickle.dumps(LLMConfig(price=price))).price == price
    details = {"prompt_tokens_details": {"cached_tokens": from_cache}}
    assert cost_of(Usage(prompt, completion, prompt + completion, details), price) >= 0


def test_cost_is_rounded_to_what_is_shown():
    assert round_cost(0.0010365000000000005) == 0.0010
    assert round_cost(1234.5678) == 1234.57
    assert round_cost(0) == 0
