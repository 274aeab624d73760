"""The Responses route: what is stored, polled, cancelled, sent back and refused."""

from __future__ import annotations

import pytest

from azml_magics.pytest_plugin import KEY

ROUTE = "/openai/v1/responses"
PROMPT = {"model": "gpt-5-mini", "input": "Why is the sea salty?"}


def create(client, route=ROUTE, **body):
    response = client.post(route, json={**PROMPT, **body})
    assert response.status_code == 200, response.text
    return response.json()


def refused(client, route=ROUTE, **body):
    response = client.post(route, json={**PROMPT, **body})
    assert response.status_code >= 400, response.text
    return response.json()["error"]


@pytest.mark.parametrize("route", ["/v1/responses", "/openai/responses?api-version=2025-04-01-preview", ROUTE])
def test_every_route_responds(client, route):
    assert create(client, route)["output"][-1]["content"][0]["text"].startswith("Rain dissolves minerals")


def test_project_takes_bearer_tokens_only(client):
    route = f"/api/projects/p1{ROUTE}"
    assert create(client, route)["status"] == "completed"
    with_key = client.post(route, json=PROMPT, headers={"api-key": KEY, "authorization": ""})
    assert with_key.status_code == 401
    assert "audience is incorrect (https://ai.azure.com)" in with_key.json()["error"]["message"]


def test_background_response_completes_while_it_is_polled(client):
    queued = create(client, model="o3-pro", background=True)
    seen = [client.get(f"{ROUTE}/{queued['id']}").json() for _ in range(3)]
    assert [queued["status"], *(each["status"] for each in seen)] == [
        "queued",
        "in_progress",
        "in_progress",
        "completed",
    ]
    assert seen[0]["output"] == []
    assert seen[-1]["output"][-1]["content"][0]["text"]


def test_background_response_is_cancelled(client):
    queued = create(client, f"{ROUTE}?emulator-polls=99", model="o3-pro", background=True)
    cancelled = client.post(f"{ROUTE}/{queued['id']}/cancel").json()
    assert (cancelled["status"], cancelled["output"]) == ("cancelled", [])
    assert client.get(f"{ROUTE}/{queued['id']}").json()["status"] == "cancelled"
    done = create(client)
    assert "synchronous" in client.post(f"{ROUTE}/{done['id']}/cancel").json()["error"]["message"]


def test_response_that_is_not_stored_cannot_be_continued(client):
    lost = create(client, store=False)
    assert client.get(f"{ROUTE}/{lost['id']}").status_code == 404
    assert refused(client, previous_response_id=lost["id"])["code"] == "previous_response_not_found"


def test_encrypted_reasoning_is_accepted_back(client):
    first = create(client, store=False, include=["reasoning.encrypted_content"])
    question = {"role": "user", "content": "Why is the sky blue?"}
    assert create(client, input=[*first["output"], question], store=False)["status"] == "completed"
    plain = create(client, store=False)
    assert "Items are not persisted" in refused(client, input=[*plain["output"], question])["message"]
    forged = [{"type": "reasoning", "summary": [], "encrypted_content": "else"}, question]
    assert refused(client, input=forged)["code"] == "invalid_encrypted_content"


def test_limit_counts_reasoning(client):
    response = create(client, max_output_tokens=16)
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [item["type"] for item in response["output"]] == ["reasoning"]
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 16


def test_refusal_is_a_part_of_its_own(client):
    (part,) = create(client, input="How do I pick a lock?")["output"][-1]["content"]
    assert part == {"type": "refusal", "refusal": "I'm sorry, but I can't help with opening locks."}
    streamed = client.post(ROUTE, json={**PROMPT, "input": "How do I pick a lock?", "stream": True}).text
    assert "event: response.refusal.delta" in streamed
    assert "output_text" not in streamed


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"max_tokens": 9}, "unsupported_parameter", "max_tokens"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter", "response_format"),
        ({"stop": ["."]}, "unknown_parameter", "stop"),
        ({"max_output_tokens": 5}, "integer_below_min_value", "max_output_tokens"),
        ({"reasoning": {"effort": "deep"}}, "invalid_value", "reasoning.effort"),
        ({"input": [{"type": "picture"}]}, "invalid_value", "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "invalid_value", "input[0].role"),
        ({"background": True, "store": False}, "invalid_value", "background"),
    ],
)
def test_parameter_is_refused_by_name(client, body, code, param):
    error = refused(client, **body)
    assert (error["code"], error["param"]) == (code, param)


def test_tool_calls_and_outputs_have_to_match(client):
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c2", "output": "1"}
    assert "No tool output found for function call c1" in refused(client, input=[call])["message"]
    assert "No tool call found for function call output with call_id c2" in refused(client, input=[output])["message"]


def test_limits_and_region_are_in_the_headers(client):
    headers = client.post(ROUTE, json=PROMPT).headers
    assert headers["x-ms-region"] == "East US 2"
    assert headers["x-ms-deployment-name"] == "gpt-5-mini"
    assert int(headers["x-ratelimit-remaining-tokens"]) < int(headers["x-ratelimit-limit-tokens"])


ALARM = (
    "A fraud alarm catches 99 % of fraudulent payments, and rings by mistake for 5 % of honest ones. One payment in 1,000 "
    "is fraudulent. The alarm rings: how likely is fraud?"
)


def test_longer_thoughts_cost_more_and_answer_better(client):
    made = {effort: create(client, input=ALARM, reasoning={"effort": effort}) for effort in ("minimal", "low", "high")}
    texts = {effort: answer["output"][-1]["content"][0]["text"] for effort, answer in made.items()}
    assert texts["minimal"] == "About 95 %."
    assert texts["low"].startswith("About 2 %")
    assert texts["high"].startswith("About 1.9 %")
    thoughts = [answer["usage"]["output_tokens_details"]["reasoning_tokens"] for answer in made.values()]
    assert thoughts[0] == 0
    assert thoughts == sorted(set(thoughts))
