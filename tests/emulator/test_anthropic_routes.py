"""The Messages route: versions, thinking, stop reasons, and what is refused."""

from __future__ import annotations

import pytest

from azml_magics.pytest_plugin import KEY

ROUTE = "/anthropic/v1/messages"
NEW, OLD = {"anthropic-version": "2026-10-21"}, {"anthropic-version": "2023-06-01"}
PROMPT = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Why is the sea salty?"}],
}


def create(client, headers=NEW, **body):
    response = client.post(ROUTE, json={**PROMPT, **body}, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


def refused(client, headers=NEW, **body):
    given = {name: value for name, value in {**PROMPT, **body}.items() if value is not None}
    response = client.post(ROUTE, json=given, headers=headers)
    assert response.json()["type"] == "error", response.text
    return response.json()["error"]["message"]


def test_key_goes_in_its_own_header(client):
    headers = {**NEW, "authorization": "", "x-api-key": KEY}
    assert create(client, headers)["stop_reason"] == "end_turn"
    wrong = client.post(ROUTE, json=PROMPT, headers={**headers, "x-api-key": "no"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_depends_on_the_version(client, name):
    assert refused(client, **{name: 1}) == f"{name}: Extra inputs are not permitted"
    assert create(client, OLD, **{name: 1})["role"] == "assistant"


def test_version_is_required(client):
    assert refused(client, {}) == "anthropic-version: header is required"
    assert "not a valid version" in refused(client, {"anthropic-version": "2020-01-01"})


def test_thinking_is_a_block_with_a_signature(client):
    thinking, text = create(client, thinking={"type": "adaptive"})["content"]
    assert thinking["thinking"].startswith("Rivers carry dissolved minerals")
    assert text["text"].startswith("Rain dissolves")
    again = [
        *PROMPT["messages"],
        {"role": "assistant", "content": [thinking, text]},
        {"role": "user", "content": "Hello"},
    ]
    assert create(client, messages=again)["content"][0]["text"].startswith("Hello!")
    forged = [*PROMPT["messages"], {"role": "assistant", "content": [{**thinking, "signature": "x"}, text]}]
    assert "Invalid `signature` in `thinking` block" in refused(client, messages=forged)
    hidden, _ = create(client, thinking={"type": "adaptive", "display": "omitted"})["content"]
    assert hidden["thinking"] == ""


@pytest.mark.parametrize(
    ("body", "reason", "sequence"),
    [
        ({"max_tokens": 3}, "max_tokens", None),
        ({"stop_sequences": [" from rocks"]}, "stop_sequence", " from rocks"),
        ({"messages": [{"role": "user", "content": "How do I pick a lock?"}]}, "refusal", None),
    ],
)
def test_stop_reason_says_why_it_ends(client, body, reason, sequence):
    message = create(client, **body)
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, sequence)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"messages": []}, "at least one message is required"),
        ({"messages": [{"role": "system", "content": "x"}]}, "top-level `system` parameter"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "greater than or equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "must be greater than `thinking.budget_tokens`"),
        ({"tools": [{"name": "f"}]}, "input_schema: Field required"),
        ({"model": "gpt-5-mini"}, "model: gpt-5-mini"),
    ],
)
def test_request_is_refused_in_words(client, body, words):
    assert words in refused(client, **body)


def test_tool_call_needs_its_result(client):
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    turns = [*PROMPT["messages"], {"role": "assistant", "content": [call]}, {"role": "user", "content": "Hello"}]
    assert "`tool_use` ids were found without `tool_result`" in refused(client, messages=turns)


def test_tool_calls_need_tools(client):
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "20 C"}
    turns = [*PROMPT["messages"], {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    assert "must define tools" in refused(client, messages=turns)


def test_tokens_are_counted(client):
    counted = client.post(f"{ROUTE}/count_tokens", json=PROMPT, headers=NEW).json()
    assert counted == {"input_tokens": create(client)["usage"]["input_tokens"]}


# ---- the prompt cache

LONG = "The tent weighs two kilograms. " * 200  # more than the 1,024 tokens that are cached at least
MARK = {"type": "ephemeral"}


def cached(message):
    usage = message["usage"]
    return usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


def test_next_turn_reads_the_earlier_ones_from_the_cache(client):
    first = create(client, system=LONG, cache_control=MARK)
    written, read = cached(first)
    assert written > 1024
    assert read == 0
    turns = [*PROMPT["messages"], {"role": "assistant", "content": "Rivers."}, {"role": "user", "content": "Hello"}]
    second = create(client, system=LONG, cache_control=MARK, messages=turns)
    assert cached(second)[1] == written
    assert 0 < cached(second)[0] < 100


def test_marked_system_block_is_shared_by_other_questions(client):
    system = [{"type": "text", "text": LONG, "cache_control": MARK}]
    written, _ = cached(create(client, system=system))
    assert cached(create(client, system=system, messages=[{"role": "user", "content": "Hello"}])) == (0, written)
    other = [{"type": "text", "text": f"Other. {LONG}", "cache_control": MARK}]
    assert cached(create(client, system=other))[1] == 0


def test_short_or_unmarked_prompts_are_not_cached(client):
    for body in ({"cache_control": MARK}, {"system": LONG}):
        for _ in range(2):
            assert cached(create(client, **body)) == (0, 0)


def test_counts_of_the_prompt_add_up(client):
    plain = create(client, system=LONG)["usage"]["input_tokens"]
    for _ in range(2):
        usage = create(client, system=LONG, cache_control=MARK)["usage"]
        assert usage["input_tokens"] + sum(cached({"usage": usage})) == plain
