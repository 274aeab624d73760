"""Whether a response has an answer in it."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ModelError
from azml_magics.core.response import Response, Usage
from azml_magics.core.wire.completeness import check_not_empty, is_empty, note_empty_answer


def usage(total: int, reasoning: int = 0) -> Usage:
    return Usage(1, total, 1 + total, {"completion_tokens_details": {"reasoning_tokens": reasoning}})


@pytest.mark.parametrize(
    ("response", "empty"),
    [
        (Response("t"), False),
        (Response("", tool_calls=({"id": "c"},)), False),
        (Response("", reasoning="hm"), False),
        (Response("", items=({"type": "reasoning"},)), False),
        (Response("", parsed=[0.1]), False),
        (Response("", finish_reason="length"), False),
        (Response("", finish_reason="max_output_tokens", usage=usage(64, 64)), False),
        (Response("", finish_reason="length", usage=usage(0)), True),
        (Response("", finish_reason="stop", usage=usage(3)), True),
        (Response(""), True),
    ],
)
def test_response_is_empty_unless_something_is_in_it(response, empty):
    assert is_empty(response) is empty
    if empty:
        with pytest.raises(ModelError):
            check_not_empty(response)
    else:
        check_not_empty(response)


def test_one_choice_with_a_text_is_enough():
    check_not_empty(Response("", choices=(Response(""), Response("t"))))


@pytest.mark.parametrize(
    ("response", "kwargs", "notice"),
    [
        (
            Response("", finish_reason="length", usage=usage(64, 64)),
            {},
            "The answer is empty: all 64 tokens went into reasoning. Raise max_tokens.",
        ),
        (
            Response("", finish_reason="length", usage=usage(64, 60)),
            {"max_completion_tokens": 64},
            "The answer is empty: 60 of 64 tokens went into reasoning. Raise max_completion_tokens.",
        ),
        (
            Response("", reasoning="hm", finish_reason="max_tokens"),
            {},
            "The answer is empty: all tokens went into reasoning. Raise max_tokens.",
        ),
        (
            Response("", finish_reason="length", usage=usage(9)),
            {},
            "The answer is empty: all 9 tokens were used up before any text came. Raise max_tokens.",
        ),
    ],
)
def test_empty_answer_says_where_the_tokens_went(response, kwargs, notice):
    assert note_empty_answer(response, kwargs, "max_tokens").notices == (notice,)


@pytest.mark.parametrize("response", [Response("t", finish_reason="length"), Response("", finish_reason="stop"),
                                      Response("", finish_reason="length", tool_calls=({"id": "c"},))])  # fmt: skip
def test_other_answers_have_no_notice(response):
    assert note_empty_answer(response, {}, "max_tokens") is response
