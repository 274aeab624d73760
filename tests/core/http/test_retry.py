"""The retry flow of one call, without a socket: what is retried, after how long, and what is not."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    AzmlError,
    BadRequestError,
    ContentFilterError,
    KeyNotFoundError,
    ModelError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from azml_magics.core.http.exchange import HTTPResponse, Request, SendFailure
from azml_magics.core.http.retry import RefreshKeys, SendRequest, Wait, retry_flow
from azml_magics.core.http.waiting import observe_waiting

REQUEST = Request("https://n.example.com/score", {"Authorization": "Bearer old"}, b"{}", timeout=60)
OK = HTTPResponse(200, {}, b'["t"]')


def response(status: int, body: bytes = b"", **headers: str) -> HTTPResponse:
    return HTTPResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def play(*outcomes, max_retries=2, request=REQUEST, jitter=lambda: 1.0, **options):
    """What the flow did with the outcomes: ("send" or seconds waited)*, and its response or error."""
    flow = retry_flow(request, max_retries=max_retries, jitter=jitter, **options)
    left, did, given = list(outcomes), [], None
    try:
        while True:
            step = flow.send(given)
            if isinstance(step, Wait):
                did.append(step.seconds)
                given = None
            elif isinstance(step, RefreshKeys):
                step.request, given = step.refresh(step.request), None
            else:
                assert isinstance(step, SendRequest)
                did.append("send")
                sent.append(step)
                given = left.pop(0)
    except StopIteration as done:
        assert not left
        return did, done.value
    except AzmlError as error:
        assert not left
        return did, error


sent: list[SendRequest] = []


@pytest.fixture(autouse=True)
def _forget_sent():
    sent.clear()


def test_a_200_is_returned():
    assert play(OK) == (["send"], OK)


TEMPORARY = [
    ("429", response(429), RateLimitError),
    ("500", response(500), ServiceUnavailableError),
    ("502", response(502), ServiceUnavailableError),
    ("503", response(503), ServiceUnavailableError),
    ("520", response(520), ServiceUnavailableError),
    ("529", response(529), ServiceUnavailableError),
    ("424 around 429", response(424, ms_azureml_model_error_statuscode="429"), RateLimitError),
    ("424 around 503", response(424, ms_azureml_model_error_statuscode="503"), ServiceUnavailableError),
    ("424 around 500", response(424, ms_azureml_model_error_statuscode="500"), ModelError),
    ("424 around 502", response(424, ms_azureml_model_error_statuscode="502"), ModelError),
    ("424, no instance", response(424, b"no healthy upstream"), ServiceUnavailableError),
    ("424, pending", response(424, ms_azureml_model_error_reason="too_many_pending_request"), RateLimitError),
    ("424, not ready", response(424, ms_azureml_model_error_reason="model_not_ready"), ServiceUnavailableError),
    ("424, too few", response(424, ms_azureml_model_error_reason="too_few_model_instance"), ServiceUnavailableError),
    ("no connection", SendFailure("connect-error", OSError("refused")), APIConnectionError),
    ("no connection in time", SendFailure("connect-timeout", TimeoutError()), APIConnectionError),
]


@pytest.mark.parametrize(("case", "outcome", "kind"), TEMPORARY, ids=[case[0] for case in TEMPORARY])
class TestTemporaryFailures:
    def test_is_retried(self, case, outcome, kind):
        assert play(outcome, outcome, OK) == (["send", 0.5, "send", 1.0, "send"], OK)

    def test_is_raised_after_the_last_retry(self, case, outcome, kind):
        did, error = play(outcome, outcome, outcome)
        assert did == ["send", 0.5, "send", 1.0, "send"]
        assert type(error) is kind

    def test_is_raised_at_once_without_retries(self, case, outcome, kind):
        did, error = play(outcome, max_retries=0)
        assert (did, type(error)) == (["send"], kind)


PERMANENT = [
    ("400", response(400), BadRequestError),
    ("400, filter", response(400, b'{"error": {"code": "content_filter"}}'), ContentFilterError),
    ("401 with a key", response(401), AuthenticationError),
    ("403", response(403), PermissionDeniedError),
    ("404", response(404), AzmlError),
    ("408", response(408), APITimeoutError),
    ("413", response(413), BadRequestError),
    ("422", response(422), BadRequestError),
    ("504", response(504), APITimeoutError),
    ("302", response(302), AzmlError),
    *((str(status), response(status), AzmlError) for status in (501, 505, 506, 511, 519, 530, 599, 600, 999, 199, 204)),
    ("500, filter", response(500, b'{"error": {"code": "content_filter"}}'), ContentFilterError),
    ("424 around 501", response(424, ms_azureml_model_error_statuscode="501"), ModelError),
    ("424 around nothing", response(424), ModelError),
    ("424 around 400", response(424, ms_azureml_model_error_statuscode="400"), BadRequestError),
    ("424 around 408", response(424, ms_azureml_model_error_statuscode="408"), APITimeoutError),
    ("424 around 504", response(424, ms_azureml_model_error_statuscode="504"), APITimeoutError),
    ("no byte in time", SendFailure("timeout", TimeoutError()), APITimeoutError),
    ("no byte in time, kept connection", SendFailure("timeout", TimeoutError(), True), APITimeoutError),
    ("closed without a response, new connection", SendFailure("closed", OSError()), APIConnectionError),
    ("closed within the response", SendFailure("incomplete", OSError()), APIConnectionError),
    ("closed within the response, kept connection", SendFailure("incomplete", OSError(), True), APIConnectionError),
    ("an untrusted certificate", SendFailure("untrusted", OSError("self-signed")), APIConnectionError),
    ("unsendable", SendFailure("invalid", ValueError("bad")), APIConnectionError),
]


@pytest.mark.parametrize(("case", "outcome", "kind"), PERMANENT, ids=[case[0] for case in PERMANENT])
def test_permanent_failures_are_raised_at_once(case, outcome, kind):
    did, error = play(outcome, max_retries=5)
    assert did == ["send"]
    assert isinstance(error, kind)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("headers", "body", "slept"),
    [
        ({"retry_after": "7"}, b"", 7.0),
        ({"retry_after": "0"}, b"", 0.0),
        ({"retry_after_ms": "250"}, b"", 0.25),
        ({}, b'{"statusCode": 429, "message": "Rate limit is exceeded. Try again in 6 seconds."}', 6.0),
        ({"retry_after": "60"}, b"", 60.0),
    ],
)
def test_retry_after_is_followed_up_to_a_minute(headers, body, slept):
    assert play(response(429, body, **headers), OK) == (["send", slept, "send"], OK)


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("seconds", ["61", "3600", "9" * 400])
def test_longer_retry_after_is_raised_at_once_and_says_when(seconds, retries):
    did, error = play(response(429, retry_after=seconds), max_retries=retries)
    assert did == ["send"]
    assert isinstance(error, RateLimitError)
    shown = {"61": "1 min 1 s", "3600": "1 h 0 min"}.get(seconds, "24 h 0 min")
    assert re.search(
        rf"\. It accepts requests again in {shown}, at ([-0-9]+ )?\d\d:\d\d \(request id .{{36}}\)\. ", str(error)
    )


def ids():
    return [step.request.headers["x-ms-client-request-id"] for step in sent]


def test_each_attempt_has_its_own_id():
    stale = SendFailure("closed", OSError(), reused=True)
    play(response(429), stale, response(401), OK, refresh=lambda request: request)
    assert len(ids()) == 4
    assert len(set(ids())) == 4


def test_id_of_the_config_stays():
    play(response(429), OK, request=replace(REQUEST, headers={"X-MS-Client-Request-ID": "mine"}))
    assert [dict(step.request.headers) for step in sent] == [{"X-MS-Client-Request-ID": "mine"}] * 2


@pytest.mark.parametrize("outcome", [response(400), SendFailure("timeout", TimeoutError())])
def test_error_has_our_id_if_the_server_gave_none(outcome):
    _, error = play(outcome)
    assert error.request_id == ids()[-1]
    assert f"request id {ids()[-1]}" in str(error)


@pytest.mark.parametrize(
    ("outcome", "url"),
    [
        (response(400, x_request_id="theirs"), REQUEST.url),
        (SendFailure("connect-error", OSError("refused")), REQUEST.url),
        (response(400), "http://localhost:8000/score"),
    ],
)
def test_our_id_is_not_shown_where_it_tells_nothing(outcome, url):
    _, error = play(outcome, max_retries=0, request=replace(REQUEST, url=url))
    assert ids()[-1] not in str(error)


def test_attempts_are_counted():
    stale = SendFailure("closed", OSError(), reused=True)
    assert play(OK)[1].attempts == 1
    assert play(response(429), response(503), OK)[1].attempts == 3
    assert play(stale, response(429), OK)[1].attempts == 3
    assert play(response(401), OK, refresh=lambda request: request)[1].attempts == 2


def test_waits_are_reported_until_the_call_ends():
    shown = []
    with observe_waiting(lambda waiting: shown.append(str(waiting))):
        play(response(429, retry_after="12"), SendFailure("connect-error", OSError("refused")), OK)
        play(response(503), response(503), max_retries=1)
        play(OK)
    play(response(429), OK)
    assert shown == [
        "429: waiting 12 s, try 2 of 3",
        "no connection: waiting 1 s, try 3 of 3",
        "None",
        "None",
    ]


def test_delay_doubles_up_to_thirty_seconds():
    did, _ = play(*[response(503)] * 9, max_retries=8)
    assert [step for step in did if step != "send"] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize(("dice", "slept"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_delay_has_jitter(dice, slept):
    did, _ = play(response(503), OK, jitter=lambda: dice)
    assert did[1] == slept


# ---- stale connections


def test_replacing_a_stale_connection_counts_as_no_retry():
    assert play(SendFailure("closed", OSError(), reused=True), OK, max_retries=0) == (["send", "send"], OK)
    assert [step.new_connection for step in sent] == [False, True]


def test_stale_connection_is_replaced_only_once():
    did, error = play(
        SendFailure("closed", OSError(), True), SendFailure("closed", OSError("gone"), True), max_retries=3
    )
    assert did == ["send", "send"]
    assert isinstance(error, APIConnectionError)


def test_retries_continue_after_a_replacement():
    assert play(SendFailure("closed", OSError(), True), response(503), OK, max_retries=1) == (
        ["send", "send", 0.5, "send"],
        OK,
    )


# ---- tokens


def test_401_refreshes_the_token_once():
    fresh = {"Authorization": "Bearer new"}
    did, got = play(response(401), OK, max_retries=0, refresh=lambda request: replace(request, headers=fresh))
    assert (did, got) == (["send", "send"], OK)
    assert [step.request.headers["Authorization"] for step in sent] == ["Bearer old", "Bearer new"]
    assert sent[1].request.body == REQUEST.body


def test_second_401_is_raised():
    calls = []
    did, error = play(response(401), response(401), max_retries=3, refresh=lambda request: calls.append(1) or request)
    assert did == ["send", "send"]
    assert isinstance(error, AuthenticationError)
    assert len(calls) == 1


@pytest.mark.parametrize("status", [403, 400, 500])
def test_only_a_401_refreshes_the_token(status):
    _, error = play(response(status), max_retries=0, refresh=lambda request: pytest.fail("refreshed"))
    assert error.status == status


def test_failed_refresh_is_raised():
    def refresh(request):
        raise KeyNotFoundError("No Entra ID token")

    did, error = play(response(401), refresh=refresh)
    assert did == ["send"]
    assert isinstance(error, KeyNotFoundError)


# ---- stream_options

ADDED, PLAIN = b'{"temperature": 1, "stream_options": 1}', b'{"temperature": 1}'
WITH_FALLBACK = Request("https://n.example.com/v1/x", {}, ADDED, 60, stream=True, fallback=PLAIN)
REJECTED = b"""{"detail": "Extra parameters ['stream_options'] are not allowed"}"""


@pytest.mark.parametrize("status", [400, 422])
def test_rejected_stream_options_are_left_out(status):
    assert play(response(status, REJECTED), OK, request=WITH_FALLBACK, max_retries=0) == (["send", "send"], OK)
    assert [step.request.body for step in sent] == [ADDED, PLAIN]


def test_rejected_stream_options_behind_a_424():
    refused = response(424, REJECTED, ms_azureml_model_error_statuscode="400")
    assert play(refused, OK, request=WITH_FALLBACK, max_retries=0) == (["send", "send"], OK)


def test_fallback_body_is_tried_once():
    did, error = play(response(400, REJECTED), response(400, REJECTED), request=WITH_FALLBACK)
    assert did == ["send", "send"]
    assert isinstance(error, BadRequestError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": {"message": "Extra inputs are not permitted"}}'),
        (422, b'{"detail": "no"}'),
        (400, b""),
        (400, b'{"error": {"message": "Unknown parameter", "param": "stream_options.include_usage"}}'),
        (400, b'{"error": {"message": "no", "code": "unsupported_parameter", "param": "stream_options"}}'),
    ],
)
def test_addition_is_left_out_though_the_server_does_not_name_it(status, body):
    assert play(response(status, body), OK, request=WITH_FALLBACK, max_retries=0) == (["send", "send"], OK)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"detail": "This model\'s maximum context length is 4096 tokens"}'),
        (400, b'{"error": {"code": "content_filter", "message": "filtered"}}'),
        (400, b'{"error": {"message": "no", "param": "temperature"}}'),
        (400, b'{"detail": "temperature is not supported"}'),
        (422, b'{"detail": [{"loc": ["body", "temperature"], "msg": "too hot"}]}'),
        (404, b'{"error": {"code": "DeploymentNotFound"}}'),
        (401, b"stream_options"),
        (413, b""),
    ],
)
def test_refusal_with_another_reason_does_not_try_the_fallback_body(status, body):
    did, error = play(response(status, body), request=WITH_FALLBACK)
    assert (did, error.status) == (["send"], status)


STREAM = Request("https://n.example.com/v1/x", {}, b'{"stream": true, "input": "x"}', 60, stream=True)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "Unsupported value", "param": "stream", "code": "unsupported_value"}}',
        b'{"error": {"message": "This model does not support streaming."}}',
        b'{"error": {"message": "Streaming is not supported with this model."}}',
    ],
)
def test_model_that_does_not_stream_is_asked_for_the_whole_response(body):
    assert play(response(400, body), OK, request=STREAM, max_retries=0) == (["send", "send"], OK)
    assert sent[1].request.body == b'{"input": "x"}'


def test_refusal_of_the_whole_response_is_final():
    refused = response(400, b'{"error": {"message": "no", "param": "stream"}}')
    did, error = play(refused, refused, request=STREAM)
    assert (did, error.status) == (["send", "send"], 400)


# ---- which answers are final


@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_any_successful_status_is_an_answer(status):
    answer = response(status, b"{}")
    assert play(answer) == (["send"], answer)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {"x-ms-run-function-failed": "true"}),
        (424, {"x-ms-run-function-failed": "True", "ms-azureml-model-error-statuscode": "500"}),
    ],
)
def test_failed_scoring_script_is_asked_once(status, headers):
    did, error = play(response(status, b"boom", **headers))
    assert did == ["send"]
    assert (type(error), error.error_code) == (ModelError, "scoring-failed")


def test_scoring_timeout_is_asked_once():
    slow = response(500, b'{"message": "Scoring timeout after 300 ms"}', **{"x-ms-run-function-failed": "True"})
    did, error = play(slow)
    assert (did, type(error)) == (["send"], APITimeoutError)


def test_overloaded_model_is_asked_again():
    overloaded = response(529, b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}')
    did, answer = play(overloaded, OK)
    assert did[::2] == ["send", "send"]
    assert answer == OK
