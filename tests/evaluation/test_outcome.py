"""Outcomes: a row's response with a setting, as data."""

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError
from azml_magics.core.response import Response, Usage
from azml_magics.evaluation.outcome import RIGHT, Outcome, Score
from azml_magics.evaluation.settings import Setting

CONFIG = LLMConfig(name="small", endpoint_url="https://a.openai.azure.com/openai/v1")
SETTING = Setting(0, CONFIG, {"config": "small"})


def outcome(**fields):
    return Outcome(SETTING, CONFIG, row_index=4, row={"letter": "Hi", "text": "own"}, **fields)


def test_unsent_outcome_is_neither_right_nor_wrong():
    assert (outcome().was_sent, outcome().is_right, outcome().latency) == (False, None, None)


def test_scores_tell_whether_it_is_right():
    assert outcome(scores={RIGHT: Score(RIGHT, True)}).is_right is True
    assert outcome(scores={RIGHT: Score(RIGHT, None, error="failed")}).is_right is None


def test_failed_outcome_has_no_latency():
    failed = outcome(response=Response("Hal", latency=1.0), error=RateLimitError("too many"))
    assert failed.latency is None


def test_dict_has_row_setting_response_and_scores():
    response = Response("GLAD", usage=Usage(3, 1, 4), latency=0.5, finish_reason="stop")
    data = outcome(response=response, scores={RIGHT: Score(RIGHT, True)}).to_dict()
    assert data == {
        "row_index": 4,
        "letter": "Hi",
        "row_text": "own",
        "config": "small",
        "repeat": 1,
        "text": "GLAD",
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "latency": 0.5,
        "error": None,
        "right": True,
    }


def test_label_names_row_and_setting():
    assert outcome().label == "row 4: small"
    assert outcome(row_label="a7").label == "row a7: small"
