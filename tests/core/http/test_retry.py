"""The policy of one call, played without a socket: what is sent again, after how long, and what is not."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    AzmlError,
    BadRequestError,
    ContentFilterError,
    KeyNotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from azml_magics.core.http.retry import Answer, Broken, Request, Send, Sleep, attempts

REQUEST = Request("https://n.example.com/score", {"Authorization": "Bearer old"}, b"{}", timeout=60)
OK = Answer(200, {}, b'["t"]')


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def play(*outcomes, max_retries=2, request=REQUEST, jitter=lambda: 1.0, **options):
    """What the plan did with those outcomes: ("send" | seconds slept)*, and the answer or the error at the end."""
    plan = attempts(request, max_retries=max_retries, jitter=jitter, **options)
    left, did, given = list(outcomes), [], None
    try:
        while True:
            step = plan.send(given)
            if isinstance(step, Sleep):
                did.append(step.seconds)
                given = None
            else:
                assert isinstance(step, Send)
                did.append("send")
                sent.append(step)
                given = left.pop(0)
    except StopIteration as done:
        assert not left
        return did, done.value
    except AzmlError as error:
        assert not left
        return did, error


sent: list[Send] = []


@pytest.fixture(autouse=True)
def _nothing_sent_yet():
    sent.clear()


def test_an_answer_is_returned():
    assert play(OK) == (["send"], OK)


PASSING = [
    ("429", answer(429), RateLimitError),
    ("500", answer(500), ServiceUnavailableError),
    ("502", answer(502), ServiceUnavailableError),
    ("503", answer(503), ServiceUnavailableError),
    ("424 around 429", answer(424, ms_azureml_model_error_statuscode="429"), RateLimitError),
    ("424 around 503", answer(424, ms_azureml_model_error_statuscode="503"), ServiceUnavailableError),
    ("424, no instance", answer(424, b"no healthy upstream"), ServiceUnavailableError),
    ("424, pending", answer(424, ms_azureml_model_error_reason="too_many_pending_request"), RateLimitError),
    ("424, not ready", answer(424, ms_azureml_model_error_reason="model_not_ready"), ServiceUnavailableError),
    ("424, too few", answer(424, ms_azureml_model_error_reason="too_few_model_instance"), ServiceUnavailableError),
    ("no connection", Broken("refused", OSError("refused")), APIConnectionError),
    ("no connection in time", Broken("connect-timeout", TimeoutError()), APIConnectionError),
]


@pytest.mark.parametrize(("what", "outcome", "kind"), PASSING, ids=[case[0] for case in PASSING])
class TestWhatPasses:
    def test_is_asked_again(self, what, outcome, kind):
        assert play(outcome, outcome, OK) == (["send", 0.5, "send", 1.0, "send"], OK)

    def test_is_raised_in_the_end(self, what, outcome, kind):
        did, error = play(outcome, outcome, outcome)
        assert did == ["send", 0.5, "send", 1.0, "send"]
        assert type(error) is kind

    def test_is_raised_at_once_where_nobody_wants_retries(self, what, outcome, kind):
        did, error = play(outcome, max_retries=0)
        assert (did, type(error)) == (["send"], kind)


LASTING = [
    ("400", answer(400), BadRequestError),
    ("400, filter", answer(400, b'{"error": {"code": "content_filter"}}'), ContentFilterError),
    ("401 with a key", answer(401), AuthenticationError),
    ("403", answer(403), PermissionDeniedError),
    ("404", answer(404), AzmlError),
    ("408", answer(408), APITimeoutError),
    ("413", answer(413), BadRequestError),
    ("422", answer(422), BadRequestError),
    ("504", answer(504), APITimeoutError),
    ("302", answer(302), AzmlError),
    ("424 around 500", answer(424, ms_azureml_model_error_statuscode="500"), AzmlError),
    ("424 around 400", answer(424, ms_azureml_model_error_statuscode="400"), BadRequestError),
    ("424 around 408", answer(424, ms_azureml_model_error_statuscode="408"), APITimeoutError),
    ("424 around 504", answer(424, ms_azureml_model_error_statuscode="504"), APITimeoutError),
    ("no byte in time", Broken("timeout", TimeoutError()), APITimeoutError),
    ("no byte in time on a connection that had served", Broken("timeout", TimeoutError(), True), APITimeoutError),
    ("hung up without a word on a fresh connection", Broken("closed", OSError()), APIConnectionError),
    ("hung up within the answer", Broken("broken", OSError()), APIConnectionError),
    ("hung up within the answer, kept connection", Broken("broken", OSError(), True), APIConnectionError),
    ("a certificate that nobody trusts", Broken("untrusted", OSError("self-signed")), APIConnectionError),
    ("unsendable", Broken("unsendable", ValueError("bad")), APIConnectionError),
]


@pytest.mark.parametrize(("what", "outcome", "kind"), LASTING, ids=[case[0] for case in LASTING])
def test_what_lasts_is_raised_at_once(what, outcome, kind):
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
        ({"retry_after": "3600"}, b"", 30.0),
    ],
)
def test_the_service_says_how_long_to_wait_and_thirty_seconds_is_the_most(headers, body, slept):
    assert play(answer(429, body, **headers), OK) == (["send", slept, "send"], OK)


def test_the_wait_doubles_up_to_thirty_seconds():
    did, _ = play(*[answer(503)] * 9, max_retries=8)
    assert [step for step in did if step != "send"] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize(("dice", "slept"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_the_wait_is_shaken_so_that_clients_do_not_come_back_together(dice, slept):
    did, _ = play(answer(503), OK, jitter=lambda: dice)
    assert did[1] == slept


# ---- a kept connection that the server had closed


def test_a_kept_connection_that_was_closed_is_replaced_once_and_counts_as_no_retry():
    assert play(Broken("closed", OSError(), reused=True), OK, max_retries=0) == (["send", "send"], OK)
    assert [step.fresh for step in sent] == [False, True]


def test_it_is_replaced_by_a_fresh_one_only_once():
    did, error = play(Broken("closed", OSError(), True), Broken("closed", OSError("gone"), True), max_retries=3)
    assert did == ["send", "send"]
    assert isinstance(error, APIConnectionError)


def test_retries_go_on_after_a_replacement():
    assert play(Broken("closed", OSError(), True), answer(503), OK, max_retries=1) == (
        ["send", "send", 0.5, "send"],
        OK,
    )


# ---- tokens


def test_a_fresh_token_is_tried_once_after_a_401():
    fresh = {"Authorization": "Bearer new"}
    did, got = play(answer(401), OK, max_retries=0, refreshed=lambda: fresh)
    assert (did, got) == (["send", "send"], OK)
    assert [step.request.headers["Authorization"] for step in sent] == ["Bearer old", "Bearer new"]
    assert sent[1].request.body == REQUEST.body


def test_a_second_401_is_raised():
    calls = []
    did, error = play(answer(401), answer(401), max_retries=3, refreshed=lambda: calls.append(1) or {})
    assert did == ["send", "send"]
    assert isinstance(error, AuthenticationError)
    assert len(calls) == 1


@pytest.mark.parametrize("status", [403, 400, 500])
def test_only_a_401_refreshes(status):
    _, error = play(answer(status), max_retries=0, refreshed=lambda: pytest.fail("refreshed"))
    assert error.status == status


def test_a_refresh_that_fails_is_what_is_raised():
    def refreshed():
        raise KeyNotFoundError("No Entra ID token")

    did, error = play(answer(401), refreshed=refreshed)
    assert did == ["send"]
    assert isinstance(error, KeyNotFoundError)


# ---- stream_options

PLAINER = Request("https://n.example.com/v1/x", {}, b'{"stream_options": 1}', 60, stream=True, fallback=b"{}")
REFUSED = b"""{"detail": "Extra parameters ['stream_options'] are not allowed"}"""


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_does_not_know_stream_options_gets_the_body_without(status):
    assert play(answer(status, REFUSED), OK, request=PLAINER, max_retries=0) == (["send", "send"], OK)
    assert [step.request.body for step in sent] == [b'{"stream_options": 1}', b"{}"]


def test_also_behind_the_front_door():
    refused = answer(424, REFUSED, ms_azureml_model_error_statuscode="400")
    assert play(refused, OK, request=PLAINER, max_retries=0) == (["send", "send"], OK)


def test_the_plainer_body_is_tried_once():
    did, error = play(answer(400, REFUSED), answer(400, REFUSED), request=PLAINER)
    assert did == ["send", "send"]
    assert isinstance(error, BadRequestError)


def test_another_refusal_does_not_try_it():
    did, error = play(answer(400, b'{"detail": "too long"}'), request=PLAINER)
    assert (did, error.status) == (["send"], 400)


# ---- what a person reads when there is no reply


@pytest.mark.parametrize(
    ("outcome", "said", "remedy"),
    [
        (
            Broken("refused", OSError("Connection refused")),
            "Cannot connect to n.example.com: Connection refused",
            "URL",
        ),
        (Broken("connect-timeout", OSError()), "n.example.com did not take the connection within 10 s", "VPN"),
        (Broken("timeout", OSError()), "No byte from n.example.com for 60 s", "It was not asked again"),
        (Broken("closed", OSError("peer closed")), "broke before the answer was whole: peer closed", "Try again"),
        (Broken("broken", OSError()), "broke before the answer was whole: OSError", "Try again"),
        (
            Broken("untrusted", OSError("self-signed")),
            "n.example.com has a certificate that is not trusted",
            "SSL_CERT_FILE",
        ),
        (Broken("unsendable", ValueError("bad")), "could not be sent: ValueError: bad", "URL"),
    ],
    ids=lambda value: value.how if isinstance(value, Broken) else None,
)
def test_no_reply_says_what_happened_and_keeps_the_cause(outcome, said, remedy):
    _, error = play(outcome, max_retries=0)
    assert said in str(error)
    assert remedy in error.remedy
    assert error.__cause__ is outcome.error


def test_no_part_of_a_request_or_an_answer_shows_in_its_repr():
    request = Request("https://n/score", {"Authorization": "Bearer k3y"}, b"k3y prompt", 1, fallback=b"k3y")
    shown = repr([request, Send(request), Answer(401, {"x": "k3y"}, b"k3y")])
    assert "k3y" not in shown
