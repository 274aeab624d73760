"""The ASGI application: keys, sizes, recorded requests, and arbitrary bodies."""

from __future__ import annotations

import json
import re
import threading

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azml_magics.emulator.about import ROUTES
from azml_magics.pytest_plugin import KEY

CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
ROUTE = "/v1/chat/completions"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"api-key": "wrong"},
    ],
)
def test_request_without_key_gets_401(endpoint, headers):
    response = httpx.post(f"{endpoint.url}{ROUTE}", json=CHAT, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "401"
    assert "x-request-id" in response.headers


def test_key_in_either_header_is_accepted(endpoint):
    for headers in (
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"api-key": KEY},
    ):
        assert httpx.post(f"{endpoint.url}{ROUTE}", json=CHAT, headers=headers).status_code == 200


def test_health_and_description_need_no_key(endpoint):
    assert httpx.get(endpoint.url).text == "Healthy"
    page = httpx.get(f"{endpoint.url}/emulator").text
    assert "It is not a language model" in page
    assert "slow-stream" in page
    table = httpx.get(f"{endpoint.url}/emulator", headers={"accept": "application/json"}).json()
    assert {"name": "cut", "group": "response", "options": ["after"]}.items() <= next(
        f for f in table["faults"] if f["name"] == "cut"
    ).items()


def test_body_over_limit_gets_413(client):
    response = client.post(ROUTE, content=b"x" * 1_600_000, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert client.post(ROUTE, json=CHAT).status_code == 200


def test_unknown_routes_and_methods(client):
    assert client.post("/nope", json={}).status_code == 424
    assert client.get("/score").status_code == 405
    assert client.get("/score").headers["allow"] == "POST"
    assert client.post("/info").status_code == 405


def test_requests_are_recorded_newest_last(client, endpoint):
    client.post(ROUTE, json=CHAT)
    client.post("/score?x=1", json={"inputs": ["é"]}, headers={"X-Mine": "yes"})
    client.get("/emulator")
    assert [r.path for r in endpoint.requests] == [ROUTE, "/score"]
    last = endpoint.requests[-1]
    assert (last.method, last.query, last.headers["x-mine"]) == ("POST", "x=1", "yes")
    assert last.json() == {"inputs": ["é"]}
    assert KEY not in repr(endpoint.requests) + repr(endpoint)
    endpoint.requests.clear()
    assert endpoint.requests == []


def test_in_flight_peak_counts_concurrent_requests(endpoint):
    endpoint.in_flight_peak = 0
    headers = {"authorization": f"Bearer {KEY}", "x-emulator-latency": "0.3"}
    threads = [
        threading.Thread(target=httpx.post, args=(f"{endpoint.url}{ROUTE}",), kwargs={"json": CHAT, "headers": headers})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= endpoint.in_flight_peak <= 4


def test_invalid_controls_are_ignored(client):
    for value in ("nan", "-1", "soon", "1e99", ""):
        assert (
            client.post(ROUTE, json=CHAT, headers={"x-emulator-latency": value, "x-emulator-rate": value}).status_code
            == 200
        )


PATHS = [path for _, path, _ in ROUTES] + [
    "/score?emulator-deployment=fms",
    "/score?emulator-deployment=hf",
    "/api/v1/endpoint/x",
    "/%00",
    "/openai/deployments/%2F/completions?api-version=1",
]
KEYS = """
    messages role content prompt inputs input_data input_string parameters params columns data index question chat_history
    stream tools function name type tool_choice response_format json_schema schema properties max_tokens temperature stop n
    seed model x
"""
KEYS = re.findall(r"\w+", KEYS)
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=16,
)
BODIES = st.binary(max_size=60) | JSONISH.map(lambda value: json.dumps(value).encode())


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]), body=BODIES)
def test_any_body_gets_a_well_formed_response(client, path, method, body):
    response = client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert 200 <= response.status_code < 600
    assert response.status_code != 500
    assert "Traceback" not in response.text
    if response.headers["content-type"] == "application/json":
        response.json()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["system", "user", "assistant", "tool"]),
                "content": st.text(max_size=80) | JSONISH,
            }
        ),
        max_size=4,
    ),
    extra=st.dictionaries(
        st.sampled_from(
            ["tools", "tool_choice", "response_format", "stop", "n", "stream", "max_tokens", "logprobs", "min_tokens"]
        ),
        JSONISH,
        max_size=3,
    ),
)
def test_any_conversation_gets_a_well_formed_response(client, messages, extra):
    content = json.dumps({"messages": messages, **extra}).encode()
    response = client.post(ROUTE, content=content, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400, 422)
    assert "Traceback" not in response.text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fault=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
    | st.sampled_from(["cut;after=-1", "429;retry_after=x", "424;status=9", "big;size=nan", "redirect;location=a b"])
)
def test_any_fault_gets_a_well_formed_response(client, fault):
    try:
        response = client.post(ROUTE, json=CHAT, headers={"x-emulator-fault": fault.strip()})
    except httpx.RemoteProtocolError:
        assert fault.strip().startswith(("cut", "drop"))
        return
    assert 200 <= response.status_code < 600
    assert "Traceback" not in response.text


def test_every_public_name_can_be_imported():
    from azml_magics import emulator

    assert all(getattr(emulator, name).__name__ == name for name in emulator.__all__)
