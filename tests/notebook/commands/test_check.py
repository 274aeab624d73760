"""%azureml test: each step, good and bad, and what to do where it is bad."""

from __future__ import annotations

import pytest

from azml_magics.emulator import Fault

from ..conftest import KEY

STEPS = ("config", "key", "reach", "authenticate", "answer", "stream")


@pytest.fixture
def states(asking):
    """step -> (state, in words), as `%azureml test` shows them."""

    def check(line="%azureml test"):
        table = asking.ok(line).result
        assert tuple(row[1] for row in table.rows) == STEPS
        return {step: (state, words) for state, step, words in table.rows}

    return check


def only_bad(states):
    """The one failed step with its words; those before it are ok, those after it open."""
    [bad] = [step for step in STEPS if states[step][0] == "FAILED"]
    at = STEPS.index(bad)
    assert all(states[step][0] in {"ok", "-"} for step in STEPS[:at])
    assert all(states[step] == ("-", "") for step in STEPS[at + 1 :])
    return bad, states[bad][1]


def test_working_config_passes_every_step(asking, states, endpoint):
    found = states()
    assert [state for state, _ in found.values()] == ["ok"] * 6
    assert found["config"][1] == f"POST {endpoint.url}/v1/chat/completions (openai-chat)"
    assert found["key"][1] == "env:TEST_KEY"
    assert found["reach"][1] == "deployment blue"
    assert asking.ok("%azureml test").text.endswith("\nIt works.")


def test_check_requests_few_tokens_outside_history(asking, states, endpoint):
    endpoint.requests.clear()
    states()
    assert [request.json().get("stream", False) for request in endpoint.requests] == [False, True]
    assert {request.json()["max_tokens"] for request in endpoint.requests} == {1}
    assert asking.ok("%azureml history").text == "No prompt has been sent yet."


@pytest.mark.parametrize(("formatter", "deployment"), [("gpt2", "gpt2-2023-06"), ("dolly", "dolly"), ("hf", "hf")])
def test_check_works_with_every_formatter(asking, states, endpoint, formatter, deployment):
    asking.ok(
        f"%azureml save other --url {endpoint.url}/score -f {formatter} --deployment {deployment} --key env:TEST_KEY"
    )
    assert [state for state, _ in states("%azureml test other").values()] == ["ok"] * 5 + ["-"]
    assert asking.ok("%azureml test other").text.endswith("\nIt works.")


def test_incomplete_config_fails_first_step(asking, states):
    asking.ok("%azureml save half --url https://x.y/score")
    step, words = only_bad(states("%azureml test half"))
    assert step == "config"
    assert "No formatter" in words
    assert "-f" in words


def test_missing_key_fails_key_step(asking, states):
    asking.ok("%azureml save keyless --from main --key env:NOT_THERE")
    step, words = only_bad(states("%azureml test keyless"))
    assert step == "key"
    assert "the environment variable NOT_THERE is not set" in words


def test_key_that_no_header_can_carry(asking, states, monkeypatch):
    monkeypatch.setenv("ODD_KEY", "schlüssel\n2")
    asking.ok("%azureml save odd --from main --key env:ODD_KEY")
    step, words = only_bad(states("%azureml test odd"))
    assert step == "key"
    assert "characters that HTTP headers do not allow" in words
    assert "schl" not in words


def test_unreachable_endpoint_fails_reach_step(asking, states):
    asking.ok("%azureml save away --url http://127.0.0.1:9/v1/chat/completions --key env:TEST_KEY")
    step, words = only_bad(states("%azureml test away"))
    assert step == "reach"
    assert "127.0.0.1:9" in words


def test_wrong_key_fails_authentication_step(asking, states, monkeypatch):
    monkeypatch.setenv("WRONG_KEY", "sk-wr0ng")
    asking.ok("%azureml save wrong --from main --key env:WRONG_KEY")
    found = states("%azureml test wrong")
    step, words = only_bad(found)
    assert step == "authenticate"
    assert found["reach"] == ("ok", "it responded with 401")
    assert "did not accept the key" in words
    assert "wr0ng" not in str(found)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "no deployment with traffic"),
        ("424", "The scoring script failed on this input"),
        ("429", "Too many requests"),
        ("503", "overloaded or starting"),
        ("html-200", "an HTML page"),
        ("empty", "an empty body"),
        ("other-format", "has no text"),
        ("content-filter", "content filter"),
    ],
)
def test_endpoint_without_response_fails_last_step(states, endpoint, fault, said):
    endpoint.script([Fault(fault)])
    found = states()
    step, words = only_bad(found)
    assert step == "answer"
    assert said in words
    assert found["authenticate"][0] == "ok"


def test_check_does_not_retry(states, endpoint):
    endpoint.script([Fault("429", retry_after=30)] * 3)
    endpoint.requests.clear()
    states()
    assert len(endpoint.requests) == 1


def test_silent_endpoint_times_out(asking, states, endpoint):
    asking.ok("%azureml save slow --from main --timeout 0.2")
    endpoint.script([Fault("slow", seconds=30)])
    found = states("%azureml test slow")
    assert found["reach"] == ("ok", "connected")
    assert found["authenticate"] == ("-", "")
    assert found["answer"][0] == "FAILED"


def test_failed_check_has_no_success_note(asking, endpoint):
    endpoint.script([Fault("424")])
    assert "It works" not in asking.ok("%azureml test").text


def test_unknown_config_is_refused(asking):
    assert "Did you mean 'main'?" in asking.refused("%azureml test mian")


def test_key_is_never_shown(asking, endpoint):
    for fault in (None, Fault("401"), Fault("424")):
        endpoint.script([fault])
        assert KEY not in str(asking.ok("%azureml test").data)


@pytest.mark.parametrize(
    ("model", "formatter"),
    [("gpt-5-mini", "openai-chat"), ("gpt-5-mini", "openai-responses"), ("gpt-5-codex", "openai-responses")],
)
def test_reasoning_models_of_foundry_pass(asking, states, endpoint, model, formatter):
    asking.ok(f"%azureml save other --url {endpoint.url}/openai/v1 -f {formatter} --model {model} --key env:TEST_KEY")
    assert [state for state, _ in states("%azureml test other").values()] == ["ok"] * 6


def test_claude_passes(asking, states, endpoint):
    asking.ok(f"%azureml save other --url {endpoint.url}/anthropic/v1 --model claude-sonnet-4-6 --key env:TEST_KEY")
    assert [state for state, _ in states("%azureml test other").values()] == ["ok"] * 6


def test_model_on_the_wrong_route_names_the_formatter(asking, states, endpoint):
    asking.ok(
        f"%azureml save other --url {endpoint.url}/openai/v1 -f openai-chat --model gpt-5-codex --key env:TEST_KEY"
    )
    step, words = only_bad(states("%azureml test other"))
    assert step == "answer"
    assert words.endswith("Use -f openai-responses.")


def test_embeddings_model_passes(asking, states, endpoint):
    asking.ok(
        f"%azureml save other --url {endpoint.url}/openai/v1/embeddings --model text-embedding-3-small "
        "--key env:TEST_KEY"
    )
    assert states("%azureml test other")["answer"] == ("ok", "a vector")
