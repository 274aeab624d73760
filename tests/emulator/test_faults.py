"""Every fault of the table, as a client receives it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from azml_magics.emulator import Fault
from azml_magics.emulator.faults import FAULT_KINDS

CHAT = {"messages": [{"role": "user", "content": "What is Azure?"}]}
STREAM = {**CHAT, "stream": True}
ROUTE = "/v1/chat/completions"

STATUS = {
    "400": 400, "401": 401, "403": 403, "404": 404, "405": 405, "408": 408, "409": 409, "413": 413, "415": 415,
    "422": 422, "424": 424, "429": 429, "431": 431, "500": 500, "502": 502, "503": 503, "504": 504,
    "model-not-ready": 424, "too-few-model-instance": 424, "too-many-pending-request": 424, "no-route": 424,
    "529": 529, "script-failed": 500, "content-filter": 400, "extra-parameters": 400, "html-error": 500, "html-200": 200, "empty": 200,
    "empty-object": 200, "null-output": 200, "none-output": 200, "error-string": 200, "nan": 200,
    "other-format": 200, "big": 200, "redirect": 307,
}  # fmt: skip


def collect(response, into):
    """Return the bytes of a stream that may end in an error."""
    for piece in response.iter_raw():
        into += piece


def meet(client, fault, body=CHAT):
    return client.post(ROUTE, json=body, headers={"x-emulator-fault": fault})


@pytest.mark.parametrize(
    "name", [kind.name for kind in FAULT_KINDS if kind.group == "status" and kind.name != "dropped"]
)
def test_status_fault_has_its_status(client, name):
    assert meet(client, name).status_code == STATUS[name]


def test_fault_bodies_match_the_services(client):
    assert "Access denied due to invalid subscription key" in meet(client, "401").json()["error"]["message"]
    assert meet(client, "401;style=apim").json()["statusCode"] == 401
    assert meet(client, "404").text == "Specified traffic group could not be found"
    assert meet(client, "503").text == "no healthy upstream"
    assert meet(client, "422").json()["code"] == "parameter_not_supported"
    assert meet(client, "empty").content == b""
    assert meet(client, "empty-object").json() == {}
    assert meet(client, "null-output").json()["output"] is None
    assert meet(client, "none-output").content == b'{"output":"None"}'
    assert json.loads(meet(client, "error-string").json())["error"] == "Error in processing request"
    assert meet(client, "nan").content == b"[NaN]"
    assert meet(client, "html-error").headers["content-type"] == "text/html"
    assert len(meet(client, "big").content) > 2_000_000
    assert meet(client, "redirect").headers["location"].startswith("http://elsewhere.invalid")


def test_content_filter_has_three_shapes(client):
    assert meet(client, "content-filter").json()["error"]["code"] == "content_filter"
    aoai = meet(client, "content-filter;style=aoai").json()["error"]
    assert aoai["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert meet(client, "content-filter;style=flat").json()["code"] == "content_filter"
    assert meet(client, "content-filter-reply").json()["choices"][0] == {
        "index": 0, "message": {"role": "assistant"}, "finish_reason": "content_filter", "logprobs": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "inner", "reason", "text"),
    [
        (
            "424",
            "500",
            "model_error",
            '{"message": "An unexpected error occurred in scoring script. Check the logs for more info."}',
        ),
        (
            "424;status=429;reason=too_few_model_instance;message=busy",
            "429",
            "too_few_model_instance",
            '{"message": "busy"}',
        ),
        ("model_not_ready", "503", "model_not_ready", "no healthy upstream"),
        ("too_many_pending_request", "429", "too_many_pending_request", ""),
        ("no-route", "404", "model_error", '{"detail":"Not Found"}'),
    ],
)
def test_424_has_inner_status_and_reason(client, fault, inner, reason, text):
    response = meet(client, fault)
    assert response.headers["ms-azureml-model-error-statuscode"] == inner
    assert response.headers["ms-azureml-model-error-reason"] == reason
    assert response.text == text


def test_every_option_of_every_fault_is_accepted():
    for kind in FAULT_KINDS:
        given = dict.fromkeys(kind.options, "1")
        assert dict(Fault(kind.name, **given).options) == given
        assert dict(Fault.parse(";".join([kind.name, *(f"{name}=1" for name in kind.options)])).options) == given


def test_429_has_retry_after(client):
    response = meet(client, "429;retry_after=2;retry_after_ms=1500")
    assert (response.headers["retry-after"], response.headers["retry-after-ms"]) == ("2", "1500")
    assert response.json()["message"] == "Rate limit is exceeded. Try again in 2 seconds."
    assert "retry-after" not in meet(client, "429").headers


def test_script_applies_in_order_and_ends(client, endpoint):
    endpoint.script([Fault("429", retry_after=0.1), None, Fault("503")])
    assert [client.post(ROUTE, json=CHAT).status_code for _ in range(4)] == [429, 200, 503, 200]


def test_script_by_post_and_fault_in_url_apply(client, endpoint):
    sent = client.post("/emulator/script", json=["502", None, {"name": "424", "status": 408}])
    assert sent.json() == {"scripted": 3}
    assert [client.post(ROUTE, json=CHAT).status_code for _ in range(4)] == [502, 200, 424, 200]
    assert (
        client.post(f"{ROUTE}?api-version=1&emulator-fault=429;retry_after=3", json=CHAT).headers["retry-after"] == "3"
    )
    assert httpx.post(f"{endpoint.url}/emulator/script", json=["500"]).status_code == 401
    for bad in ({}, ["nope"], [3.5], [{"name": "cut", "often": 1}]):
        assert client.post("/emulator/script", json=bad).status_code == 400


def test_health_and_description_do_not_consume_script(client, endpoint):
    endpoint.script([Fault("500")])
    assert client.get("/").text == "Healthy"
    assert client.get("/emulator").status_code == 200
    assert client.post(ROUTE, json=CHAT).status_code == 500


def test_unknown_fault_suggests_closest_match(client):
    with pytest.raises(ValueError, match="unknown fault 'stalld'; did you mean 'stalled'"):
        Fault("stalld")
    with pytest.raises(ValueError, match="fault 'cut' has no option 'often'; it takes after"):
        Fault("cut", often=3)
    response = meet(client, "cutt")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "EmulatorUnknownFault")
    assert repr(Fault("429", retry_after=0.1)) == "Fault('429', retry_after=0.1)"


def test_dropped_closes_before_first_byte(client):
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        meet(client, "dropped")


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_cut_closes_in_the_middle(client, body):
    got = bytearray()
    with (
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"),
        client.stream("POST", ROUTE, json=body, headers={"x-emulator-fault": "cut;after=3"}) as response,
    ):
        collect(response, got)
    assert response.status_code == 200
    assert got
    assert got.count(b"\n\n") == (3 if "stream" in body else 0)


def test_stalled_sends_nothing_more_until_client_leaves(client, endpoint):
    got = bytearray()
    headers = {"x-emulator-fault": "stalled;after=2"}
    with (
        pytest.raises(httpx.ReadTimeout),
        client.stream("POST", ROUTE, json=STREAM, headers=headers, timeout=httpx.Timeout(5, read=0.3)) as response,
    ):
        collect(response, got)
    assert got.count(b"\n\n") == 2
    assert client.post(ROUTE, json=CHAT).status_code == 200


def test_slow_delays_first_byte(client):
    with pytest.raises(httpx.ReadTimeout):
        client.post(ROUTE, json=CHAT, headers={"x-emulator-fault": "slow;seconds=30"}, timeout=0.2)
    assert meet(client, "slow;seconds=0").status_code == 200
    assert meet(client, "slow-stream;seconds=0.001", STREAM).text.endswith("data: [DONE]\n\n")


def test_stream_faults_change_the_end(client, events):
    assert "[DONE]" not in meet(client, "no-done", STREAM).text
    assert len(events(meet(client, "short;after=4", STREAM))) == 4
    error = meet(client, "error-event;after=2", STREAM).text
    assert error.count("\n\n") == 4
    assert "event: error\ndata: {" in error
    assert error.endswith("data: [DONE]\n\n")
    assert "error" in events(meet(client, "error-data;after=2", STREAM))[-1]


def test_framing_faults_keep_the_text(client, events):
    def text(found):
        return "".join(e["choices"][0]["delta"].get("content", "") for e in found if e != "[DONE]" and e["choices"])

    plain = client.post(ROUTE, json=STREAM)
    for fault in ("done-no-space", "crlf", "buffered", "split;size=5"):
        response = meet(client, fault, STREAM)
        assert text(events(response)) == text(events(plain))
    assert b"data:[DONE]\n\n" in meet(client, "done-no-space", STREAM).content
    assert b": ping\r\n\r\n" in meet(client, "crlf", STREAM).content


def test_no_usage_removes_usage(client, events):
    body = {**STREAM, "stream_options": {"include_usage": True}}
    assert not any("usage" in e for e in events(meet(client, "no-usage", body)) if e != "[DONE]")
    found = events(client.post("/chat/completions", json=STREAM, headers={"x-emulator-fault": "no-usage"}))
    assert found[-2]["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in found[-2]


def test_content_faults_break_the_body(client):
    with pytest.raises(json.JSONDecodeError):
        meet(client, "truncated").json()
    lines = [line[6:] for line in meet(client, "bad-json;after=1", STREAM).text.split("\n\n") if line]
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[1])
    json.loads(lines[2])
    for body in (CHAT, STREAM):
        with pytest.raises(UnicodeDecodeError):
            meet(client, "invalid-utf8", body).content.decode()
    assert json.loads(meet(client, "double-encoded").json())["object"] == "chat.completion"


def test_content_filter_applies_to_streams_and_score(client, events):
    (only, done) = events(meet(client, "content-filter-reply", STREAM))
    assert (only["choices"][0]["finish_reason"], done) == ("content_filter", "[DONE]")
    body = {"input_data": {"input_string": [{"role": "user", "content": "x"}], "parameters": {}}}
    score = client.post("/score?emulator-fault=content-filter-reply", json=body)
    assert score.json()["output"] == ""
    assert client.post("/score?emulator-fault=content-filter-reply", json={"inputs": ["x"]}).json() == {}


def test_every_response_fault_is_tested():
    files = Path(__file__), Path(__file__).with_name("test_stream_dialects.py")
    tried = "".join(path.read_text(encoding="utf-8") for path in files)
    missing = [kind.name for kind in FAULT_KINDS if kind.group == "response" and f'"{kind.name}' not in tried]
    assert missing == []
