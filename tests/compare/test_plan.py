"""The requests of a comparison: how many, in words, and which."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.plan import Plan, count_requests
from azml_magics.core.config import LLMConfig

CONFIG = LLMConfig(name="main", model_kwargs={"top_p": 0.5})


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(), "1 request"),
        (Plan(repeats=3), "3 requests"),
        (Plan(2), "2 requests"),
        (Plan(sweeps={"seed": [1, 2]}), "2 requests"),
        (Plan(3, {"temperature": [0, 1]}, 2), "3 configs x 2 values of temperature x 2 times = 12 requests"),
        (Plan(1, {"a": [0], "b": [1, 2]}), "1 value of a x 2 values of b = 2 requests"),
        (Plan(repeats=10**6), "1,000,000 requests"),
    ],
)
def test_plan_says_how_many_requests_it_has(plan, words):
    assert str(plan) == words


def test_every_combination_is_one_request():
    expanded = Plan(2, {"temperature": [0, 1]}, 2).expand([("main", CONFIG), ("other", LLMConfig())])
    assert [labels for labels, _ in expanded[:3]] == [
        {"config": "main", "temperature": 0, "repeat": 1},
        {"config": "main", "temperature": 0, "repeat": 2},
        {"config": "main", "temperature": 1, "repeat": 1},
    ]
    assert expanded[2][1].model_kwargs == {"top_p": 0.5, "temperature": 1}
    assert CONFIG.model_kwargs == {"top_p": 0.5}


def test_single_config_is_not_a_label():
    assert [labels for labels, _ in Plan(1, {"seed": [1]}).expand([("main", CONFIG)])] == [{"seed": 1}]
    assert [labels for labels, _ in Plan(1).expand([("main", CONFIG)])] == [{"repeat": 1}]


@given(
    st.integers(1, 3),
    st.dictionaries(st.sampled_from(["seed", "top_k", "n"]), st.lists(st.integers(), min_size=1, max_size=3)),
    st.integers(1, 3),
)
def test_size_is_the_number_of_requests(configs, sweeps, repeats):
    plan = Plan(configs, sweeps, repeats)
    expanded = plan.expand([(f"config{n}", CONFIG) for n in range(configs)])
    assert plan.size == len(expanded) == configs * math.prod(map(len, sweeps.values())) * repeats
    assert str(plan).endswith(count_requests(len(expanded)))
