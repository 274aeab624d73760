"""One endpoint's concurrency window and limits, on a simulated clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ModelError, RateLimitError, ServiceUnavailableError
from azml_magics.core.http.exchange import HTTPResponse, SendFailure
from azml_magics.core.http.feedback import Feedback, feedback_from, is_overload
from azml_magics.core.http.quota import Quota
from azml_magics.core.http.window import FIRST_WINDOW, PerMinuteLimit, Window

SUCCESS, OVERLOADED = Feedback("success"), Feedback("overloaded")


@pytest.fixture
def window():
    return Window(jitter=lambda: 1.0)


def admit_all(window, now, most=1000, **limits):
    """How many requests are admitted at `now`."""
    count = 0
    while count < most and window.admit(now, **limits) == 0.0:
        count += 1
    return count


# ---- the window


def test_window_starts_at_sixteen_and_grows_every_two_milliseconds(window):
    assert admit_all(window, 0.0) == FIRST_WINDOW
    assert window.admit(0.0) == pytest.approx(0.002)
    assert window.admit(0.0, ahead=3) == pytest.approx(0.008), "the fourth in the queue has three before it"
    assert admit_all(window, 0.0021) == 1
    assert admit_all(window, 0.0501) in (23, 24)


def test_each_success_adds_two_places_at_first(window):
    admit_all(window, 0.0)
    for _ in range(16):
        window.release(0.001, 0.0, SUCCESS)
    assert window.size > 17, "the first answer, with the window full, has opened it"
    before = admit_all(window, 0.001)
    assert before == int(window.size)


def test_window_that_is_not_full_does_not_grow(window):
    for step in range(100):
        assert window.admit(step) == 0.0
        window.release(step, step, SUCCESS)
    assert window.size == FIRST_WINDOW


def test_overload_halves_window_once_for_requests_sent_before(window):
    admit_all(window, 0.0)
    for _ in range(10):
        window.release(1.0, 0.0, OVERLOADED)
    assert window.size == 8
    assert window.admit(1.0) == pytest.approx(0.25), "no request starts for a quarter of a second"
    assert admit_all(window, 1.25) == 2, "six are still in flight"


def test_window_grows_by_one_a_round_after_overload(window):
    admit_all(window, 0.0)
    window.release(0.1, 0.0, OVERLOADED)
    for _ in range(15):
        window.release(0.2, 0.0, SUCCESS)
    size = window.size
    for _ in range(3):
        now = 10.0
        inside = admit_all(window, now)
        for _ in range(inside):
            window.release(now, now, SUCCESS)
    assert size + 0.3 < window.size < size + 3
    assert window.admit(11.0) == 0.0
    admit_all(window, 11.0)
    assert window.admit(11.0) == math.inf, "time alone opens no place"


def test_window_grows_fast_again_after_a_minute(window):
    admit_all(window, 0.0)
    window.release(0.1, 0.0, OVERLOADED)
    for _ in range(15):
        window.release(0.2, 0.0, SUCCESS)
    inside = admit_all(window, 59.0)
    assert window.admit(59.0) == math.inf
    assert 0 < window.admit(61.0) < 1
    assert admit_all(window, 61.1) > inside


def test_pauses_double_up_to_eight_seconds_until_a_success(window):
    waits, now = [], 0.0
    for _ in range(8):
        assert window.admit(now) == 0.0
        window.release(now, now, OVERLOADED)
        wait = window.admit(now)
        waits.append(wait)
        now += wait
    assert waits == pytest.approx([0.25, 0.5, 1, 2, 4, 8, 8, 8])
    assert window.size == 1
    assert window.overloaded_since == 0.0
    assert window.admit(now) == 0.0
    window.release(now, now, SUCCESS)
    assert window.overloaded_since is None


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_window_waits_for_retry_after(window, seconds):
    window.admit(0.0)
    window.release(1.0, 0.0, Feedback("overloaded", retry_after=seconds))
    assert window.admit(1.0) == pytest.approx(seconds)
    assert window.admit(1.0 + seconds) == 0.0


def test_broken_connection_counts_as_overload_and_a_400_does_not(window):
    admit_all(window, 0.0)
    window.release(0.1, 0.0, Feedback("neutral"))
    assert (window.size, window.overloaded_since) == (16, None)
    window.release(0.1, 0.0, Feedback("no-response"))
    assert (window.size, window.overloaded_since) == (7.5, 0.1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["success", "overloaded", "no-response", "neutral"]), st.floats(0, 2)), max_size=60
    )
)
def test_a_request_is_always_admitted_in_the_end(steps):
    window, now, inside = Window(), 0.0, []
    for kind, seconds in steps:
        now += seconds
        if window.admit(now) == 0.0:
            inside.append(now)
        if inside:
            window.release(now, inside.pop(0), Feedback(kind))
        assert window.in_flight == len(inside)
        assert window.size >= 1
    for began in inside:
        window.release(now, began, SUCCESS)
    assert window.admit(now + 8.0) == 0.0


# ---- quotas that responses report


def quota(requests=None, tokens=None):
    """A success that reports quotas, each as (remaining, limit) or (remaining, limit, reset)."""
    return Feedback("success", None, *(parts and Quota(*parts) for parts in (requests, tokens)))


def test_requests_are_spaced_when_the_request_quota_is_used_up(window):
    window.admit(0.0)
    window.release(0.0, 0.0, quota((0, 120)))
    assert window.admit(0.0) == pytest.approx(0.5)
    assert window.admit(0.5) == 0.0
    assert window.admit(0.5) == pytest.approx(0.5)


def test_spacing_ends_when_the_quota_is_back(window):
    window.admit(0.0)
    window.release(0.0, 0.0, quota((50, 60)))
    assert window.admit(0.0) == 0.0
    window.release(0.0, 0.0, quota((0, 60)))
    assert window.admit(0.0) == pytest.approx(1.0)
    assert window.admit(1.0) == 0.0
    window.release(1.0, 0.0, quota((60, 60)))
    assert window.admit(1.0) == 0.0
    assert window.admit(1.0) == 0.0


def test_requests_are_spaced_when_the_token_quota_is_low(window):
    window.record_usage(0.0, 200)
    window.admit(0.0)
    window.release(0.0, 0.0, quota(tokens=(150, 6000)))
    assert window.admit(0.0) == pytest.approx(2.0), "200 tokens come back in two seconds"
    assert window.reports_tokens


@pytest.mark.parametrize(
    ("parts", "seconds"),
    [((0, 100, 10.0), 0.1), ((0, None, 7.0), 7.0), ((0, None, 700.0), 60.0), ((0, None), 1.0), ((0, 100, 0.0), 0.6)],
)
def test_used_up_quota_comes_back_within_its_reset(window, parts, seconds):
    window.admit(0.0)
    window.release(0.0, 0.0, quota(parts))
    assert window.admit(0.0) == pytest.approx(seconds)


def test_window_never_exceeds_its_largest_size():
    window = Window(max_size=3)
    window.raise_to(40)
    assert admit_all(window, 0.0) == 3
    assert window.admit(50.0) == math.inf
    for _ in range(3):
        window.release(0.0, 0.0, SUCCESS)
    assert admit_all(window, 100.0) == 3


def test_request_does_not_wait_for_a_pause_beyond_its_patience(window):
    window.admit(0.0)
    window.release(0.0, 0.0, Feedback("overloaded", retry_after=300.0))
    assert window.admit(0.0, patience=900.0) == pytest.approx(300.0)
    assert window.admit(0.0, patience=60.0) == 0.0


# ---- limits set by the user


def test_rpm_spaces_requests(window):
    assert admit_all(window, 0.0, rpm=30) == 1
    assert window.admit(0.0, rpm=30) == pytest.approx(2.0)
    assert window.admit(2.0, rpm=30) == 0.0


def test_rpm_allows_one_seconds_worth_at_once(window):
    assert admit_all(window, 0.0, rpm=600) in (10, 11)
    assert admit_all(window, 0.5, rpm=600) in (4, 5)


@given(st.floats(1, 5000), st.integers(2, 40))
def test_rpm_is_never_exceeded(rpm, seconds):
    window, gone, now = Window(), 0, 0.0
    while now < seconds:
        wait = window.admit(now, rpm=rpm)
        if wait == 0.0:
            gone += 1
            window.release(now, now, SUCCESS)
        now += wait
    assert gone <= seconds * rpm / 60 + rpm / 60 + 2


def test_tpm_spaces_requests_by_tokens_used(window):
    assert window.admit(0.0, tpm=600) == 0.0
    window.record_usage(0.0, 100, tpm=600)
    assert window.admit(0.0, tpm=600) == pytest.approx(9.0), (
        "100 tokens are ten seconds' worth, and one may be borrowed"
    )
    assert window.admit(9.0, tpm=600) == 0.0


def test_unused_limit_does_not_accumulate():
    limit = PerMinuteLimit()
    limit.consume(0.0, 60)
    assert limit.delay(100.0, 60) == 0.0
    limit.consume(100.0, 60)
    assert limit.delay(100.0, 60) == 1.0


# ---- feedback


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "wait"),
    [
        (200, {}, b"{}", "success", None),
        (201, {}, b"{}", "success", None),
        (429, {"retry-after": "3"}, b"", "overloaded", 3.0),
        (429, {"retry-after-ms": "250", "retry-after": "3"}, b"", "overloaded", 0.25),
        (429, {}, b'{"message": "Window limit is exceeded. Try again in 26 seconds."}', "overloaded", 26.0),
        (503, {"retry-after": "7"}, b"no healthy upstream", "overloaded", 7.0),
        (424, {"ms-azureml-model-error-reason": "too_many_pending_request"}, b"", "overloaded", None),
        (424, {"ms-azureml-model-error-reason": "model_not_ready"}, b"no healthy upstream", "overloaded", None),
        (424, {"ms-azureml-model-error-statuscode": "429", "retry-after": "2"}, b"", "overloaded", 2.0),
        (424, {"ms-azureml-model-error-statuscode": "500", "retry-after": "2"}, b"", "neutral", None),
        (400, {}, b"", "neutral", None),
        (500, {}, b"", "neutral", None),
        (401, {}, b"", "neutral", None),
    ],
)
def test_feedback_from_status_and_headers(status, headers, body, kind, wait):
    feedback = feedback_from(HTTPResponse(status, headers, body))
    assert (feedback.kind, feedback.retry_after) == (kind, wait)


@pytest.mark.parametrize(
    ("reason", "reused", "kind"),
    [
        ("connect-error", False, "no-response"),
        ("timeout", False, "no-response"),
        ("incomplete", True, "no-response"),
        ("closed", False, "no-response"),
        ("closed", True, "neutral"),
        ("untrusted", False, "neutral"),
        ("invalid", False, "neutral"),
    ],
)
def test_feedback_from_failed_connections(reason, reused, kind):
    assert feedback_from(SendFailure(reason, OSError(), reused)).kind == kind
    assert feedback_from(None).kind == "neutral"


def test_feedback_reads_quotas_and_ignores_malformed_ones():
    headers = {
        "x-ratelimit-remaining-requests": "999",
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-tokens": "-1",
        "x-ratelimit-limit-tokens": "many",
    }
    assert feedback_from(HTTPResponse(200, headers, b"")) == Feedback("success", None, Quota(999, 1000))


def test_is_overload():
    assert is_overload(RateLimitError("x", status=429))
    assert is_overload(ServiceUnavailableError("x", status=424))
    assert not is_overload(ServiceUnavailableError("x", status=500))
    assert not is_overload(ModelError("x", status=424))
