"""What a prompt will take, said before it is sent: tokens, and costs only where there is a price."""

from __future__ import annotations

import pytest

from azml_magics.panel.model.estimates import describe_run, estimate_prompt


def test_prompt_is_estimated_with_its_system_message(ready):
    before = estimate_prompt(ready, ready.filled_config()).tokens.tokens
    ready.set("system", "s" * 400)
    assert estimate_prompt(ready, ready.filled_config()).tokens.tokens == before + 104
    assert describe_run(ready) == f"Prompt: about {before + 104} tokens (estimated: bytes / 4)"


@pytest.mark.parametrize("prompt", ["", "{nowhere}"])
def test_prompt_that_cannot_be_sent_has_no_estimate(ready, prompt):
    ready.set_prompt(prompt)
    assert describe_run(ready) == ""


def test_variables_are_estimated_as_their_values(ready, variables):
    ready.set_prompt("{report}")
    variables["report"] = "r" * 4000
    assert describe_run(ready).startswith("Prompt: about 1,007 tokens")


def test_tools_and_schema_are_part_of_the_prompt(ready):
    before = estimate_prompt(ready, ready.filled_config()).tokens.tokens
    ready.set_option("tools", '[{"type": "function", "function": {"name": "weather", "description": "of today"}}]')
    assert estimate_prompt(ready, ready.filled_config()).tokens.tokens > before + 10


def test_cost_is_said_with_a_price_only(ready, session, chat):
    assert "cost" not in describe_run(ready)
    session.save("priced", chat.merged(price="1000000,2000000"))
    ready.choose("priced")
    tokens = estimate_prompt(ready, ready.filled_config()).tokens.tokens
    assert describe_run(ready).endswith(f"(estimated: bytes / 4), costs {tokens}.00")
    ready.set_kwarg("max_tokens", "10")
    assert describe_run(ready).endswith(f", with the longest response {tokens + 20}.00")


def test_deployment_in_the_url_names_the_model(ready, session, chat, monkeypatch):
    asked = []
    monkeypatch.setattr("azml_magics.core.tokens._vocabulary_for", lambda model, _wait: asked.append(model))
    url = "https://x.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions"
    session.save("azure", chat.merged(endpoint_url=url, key=None))
    ready.choose("azure")
    describe_run(ready)
    assert asked[-1] == "gpt-4o-mini"
    ready.set("model", "gpt-5")
    describe_run(ready)
    assert asked[-1] == "gpt-5"
