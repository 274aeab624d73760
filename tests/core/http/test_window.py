"""One endpoint's window and pace, played on a clock of the test's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ModelError, RateLimitError, ServiceUnavailableError
from azml_magics.core.http.retry import Answer, Broken
from azml_magics.core.http.window import FIRST_WINDOW, Heard, Pace, Rate, heard, is_pushback

ANSWERED, PUSHED_BACK = Heard("answered"), Heard("pushed-back")


@pytest.fixture
def rate():
    return Rate(jitter=lambda: 1.0)


def admitted(rate, now, most=1000, **limits):
    """How many get in at `now`."""
    count = 0
    while count < most and rate.admit(now, **limits) == 0.0:
        count += 1
    return count


# ---- the window


def test_it_begins_with_sixteen_and_opens_a_place_every_two_milliseconds(rate):
    assert admitted(rate, 0.0) == FIRST_WINDOW
    assert rate.admit(0.0) == pytest.approx(0.002)
    assert rate.admit(0.0, ahead=3) == pytest.approx(0.008), "the fourth in the queue has three before it"
    assert admitted(rate, 0.0021) == 1
    assert admitted(rate, 0.0501) in (23, 24)


def test_every_answer_opens_two_places_while_all_goes_well(rate):
    admitted(rate, 0.0)
    for _ in range(16):
        rate.left(0.001, 0.0, ANSWERED)
    assert rate.window > 17, "the first answer, with the window full, has opened it"
    before = admitted(rate, 0.001)
    assert before == int(rate.window)


def test_a_window_that_nobody_fills_does_not_grow(rate):
    for step in range(100):
        assert rate.admit(step) == 0.0
        rate.left(step, step, ANSWERED)
    assert rate.window == FIRST_WINDOW


def test_a_refusal_halves_it_once_for_all_that_were_sent_before(rate):
    admitted(rate, 0.0)
    for _ in range(10):
        rate.left(1.0, 0.0, PUSHED_BACK)
    assert rate.window == 8
    assert rate.admit(1.0) == pytest.approx(0.25), "nobody goes for a quarter of a second"
    assert admitted(rate, 1.25) == 2, "six are still in flight"


def test_after_a_refusal_it_opens_by_one_a_round(rate):
    admitted(rate, 0.0)
    rate.left(0.1, 0.0, PUSHED_BACK)
    for _ in range(15):
        rate.left(0.2, 0.0, ANSWERED)
    window = rate.window
    for _ in range(3):
        now = 10.0
        inside = admitted(rate, now)
        for _ in range(inside):
            rate.left(now, now, ANSWERED)
    assert window + 0.3 < rate.window < window + 3
    assert rate.admit(11.0) == 0.0
    admitted(rate, 11.0)
    assert rate.admit(11.0) == math.inf, "time alone opens nothing any more"


def test_after_a_minute_without_a_refusal_it_opens_as_at_first(rate):
    admitted(rate, 0.0)
    rate.left(0.1, 0.0, PUSHED_BACK)
    for _ in range(15):
        rate.left(0.2, 0.0, ANSWERED)
    inside = admitted(rate, 59.0)
    assert rate.admit(59.0) == math.inf
    assert 0 < rate.admit(61.0) < 1
    assert admitted(rate, 61.1) > inside


def test_refusals_without_an_answer_between_them_wait_longer_each_time_up_to_eight_seconds(rate):
    waits, now = [], 0.0
    for _ in range(8):
        assert rate.admit(now) == 0.0
        rate.left(now, now, PUSHED_BACK)
        wait = rate.admit(now)
        waits.append(wait)
        now += wait
    assert waits == pytest.approx([0.25, 0.5, 1, 2, 4, 8, 8, 8])
    assert rate.window == 1
    assert rate.refused_since == 0.0
    assert rate.admit(now) == 0.0
    rate.left(now, now, ANSWERED)
    assert rate.refused_since is None


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_retry_after_is_kept_to(rate, seconds):
    rate.admit(0.0)
    rate.left(1.0, 0.0, Heard("pushed-back", retry_after=seconds))
    assert rate.admit(1.0) == pytest.approx(seconds)
    assert rate.admit(1.0 + seconds) == 0.0


def test_a_connection_that_broke_counts_as_a_refusal_and_a_rejected_request_does_not(rate):
    admitted(rate, 0.0)
    rate.left(0.1, 0.0, Heard("failed"))
    assert (rate.window, rate.refused_since) == (16, None)
    rate.left(0.1, 0.0, Heard("broken"))
    assert (rate.window, rate.refused_since) == (7.5, 0.1)


@given(
    st.lists(st.tuples(st.sampled_from(["answered", "pushed-back", "broken", "failed"]), st.floats(0, 2)), max_size=60)
)
def test_whatever_happens_somebody_may_go_again_and_the_count_is_right(steps):
    rate, now, inside = Rate(), 0.0, []
    for kind, seconds in steps:
        now += seconds
        if rate.admit(now) == 0.0:
            inside.append(now)
        if inside:
            rate.left(now, inside.pop(0), Heard(kind))
        assert rate.in_flight == len(inside)
        assert rate.window >= 1
    for began in inside:
        rate.left(now, began, ANSWERED)
    assert rate.admit(now + 8.0) == 0.0


# ---- what the replies count


def left(requests=None, tokens=None, **limits):
    return Heard("answered", requests_left=requests, tokens_left=tokens, **limits)


def test_where_no_requests_are_left_they_go_at_the_pace_of_the_minutes_limit(rate):
    rate.admit(0.0)
    rate.left(0.0, 0.0, left(0, requests_limit=120))
    assert rate.admit(0.0) == pytest.approx(0.5)
    assert rate.admit(0.5) == 0.0
    assert rate.admit(0.5) == pytest.approx(0.5)


def test_while_enough_is_left_nobody_waits_and_a_new_count_ends_the_waiting(rate):
    rate.admit(0.0)
    rate.left(0.0, 0.0, left(50, requests_limit=60))
    assert rate.admit(0.0) == 0.0
    rate.left(0.0, 0.0, left(0, requests_limit=60))
    assert rate.admit(0.0) == pytest.approx(1.0)
    assert rate.admit(1.0) == 0.0
    rate.left(1.0, 0.0, left(60, requests_limit=60))
    assert rate.admit(1.0) == 0.0
    assert rate.admit(1.0) == 0.0


def test_where_too_few_tokens_are_left_for_one_more_answer_they_are_waited_for(rate):
    rate.spent(0.0, 200)
    rate.admit(0.0)
    rate.left(0.0, 0.0, left(tokens=150, tokens_limit=6000))
    assert rate.admit(0.0) == pytest.approx(2.0), "200 tokens come back in two seconds"
    assert rate.is_counted


# ---- the person's own limits


def test_so_many_requests_a_minute(rate):
    assert admitted(rate, 0.0, rpm=30) == 1
    assert rate.admit(0.0, rpm=30) == pytest.approx(2.0)
    assert rate.admit(2.0, rpm=30) == 0.0


def test_of_many_a_minute_a_seconds_worth_goes_at_once(rate):
    assert admitted(rate, 0.0, rpm=600) in (10, 11)
    assert admitted(rate, 0.5, rpm=600) in (4, 5)


@given(st.floats(1, 5000), st.integers(2, 40))
def test_no_more_than_so_many_go_in_a_minute(rpm, seconds):
    rate, gone, now = Rate(), 0, 0.0
    while now < seconds:
        wait = rate.admit(now, rpm=rpm)
        if wait == 0.0:
            gone += 1
            rate.left(now, now, ANSWERED)
        now += wait
    assert gone <= seconds * rpm / 60 + rpm / 60 + 2


def test_so_many_tokens_a_minute(rate):
    assert rate.admit(0.0, tpm=600) == 0.0
    rate.spent(0.0, 100, tpm=600)
    assert rate.admit(0.0, tpm=600) == pytest.approx(9.0), "100 tokens are ten seconds' worth, and one may be borrowed"
    assert rate.admit(9.0, tpm=600) == 0.0


def test_a_pace_forgives_what_was_not_used():
    pace = Pace()
    pace.spend(0.0, 60)
    assert pace.wait(100.0, 60) == 0.0
    pace.spend(100.0, 60)
    assert pace.wait(100.0, 60) == 1.0


# ---- what a reply teaches


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "wait"),
    [
        (200, {}, b"{}", "answered", None),
        (429, {"retry-after": "3"}, b"", "pushed-back", 3.0),
        (429, {"retry-after-ms": "250", "retry-after": "3"}, b"", "pushed-back", 0.25),
        (429, {}, b'{"message": "Rate limit is exceeded. Try again in 26 seconds."}', "pushed-back", 26.0),
        (503, {"retry-after": "7"}, b"no healthy upstream", "pushed-back", 7.0),
        (424, {"ms-azureml-model-error-reason": "too_many_pending_request"}, b"", "pushed-back", None),
        (424, {"ms-azureml-model-error-reason": "model_not_ready"}, b"no healthy upstream", "pushed-back", None),
        (424, {"ms-azureml-model-error-statuscode": "429", "retry-after": "2"}, b"", "pushed-back", 2.0),
        (424, {"ms-azureml-model-error-statuscode": "500", "retry-after": "2"}, b"", "failed", None),
        (400, {}, b"", "failed", None),
        (500, {}, b"", "failed", None),
        (401, {}, b"", "failed", None),
    ],
)
def test_statuses_and_headers(status, headers, body, kind, wait):
    said = heard(Answer(status, headers, body))
    assert (said.kind, said.retry_after) == (kind, wait)


@pytest.mark.parametrize(
    ("how", "reused", "kind"),
    [
        ("refused", False, "broken"),
        ("timeout", False, "broken"),
        ("broken", True, "broken"),
        ("closed", False, "broken"),
        ("closed", True, "failed"),
        ("untrusted", False, "failed"),
        ("unsendable", False, "failed"),
    ],
)
def test_connections(how, reused, kind):
    assert heard(Broken(how, OSError(), reused)).kind == kind
    assert heard(None).kind == "failed"


def test_the_count_of_what_is_left_and_what_is_no_count():
    headers = {
        "x-ratelimit-remaining-requests": "999",
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-tokens": "-1",
        "x-ratelimit-limit-tokens": "many",
    }
    assert heard(Answer(200, headers, b"")) == Heard("answered", None, 999, 1000, None, None)


def test_what_is_a_pushback():
    assert is_pushback(RateLimitError("x", status=429))
    assert is_pushback(ServiceUnavailableError("x", status=424))
    assert not is_pushback(ServiceUnavailableError("x", status=500))
    assert not is_pushback(ModelError("x", status=424))
