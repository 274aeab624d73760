"""promptfoo's basic example and ours: one table, one endpoint, the same verdicts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import azml_magics
from azml_magics import LLMConfig
from azml_magics.pytest_plugin import KEY, KEY_VARIABLE
from tests.real_server.environment import CHECKOUT

from . import promptfoo

pytestmark = pytest.mark.real_component
LETTERS = [
    ("Great service, thank you!", "glad"),
    ("It came late and broken.", "cross"),
    ("I want a refund, poor work.", "cross"),
    ("I love it, the best one.", "cross"),  # not what the model says
    ("It broke. Thank you!", "Cross."),
    ("A letter about the weather.", "glad"),
]
# promptfoo's assertion, ours, and a pattern around the expectation
MATCHES = [("equals", "exact", "{}"), ("icontains", "contains", "{}"), ("regex", "regex", "^{}$")]


@pytest.fixture(scope="module")
def program():
    root = os.environ.get("AZML_REAL_COMPONENTS_VENVS") or CHECKOUT / ".venv-real-components"
    try:
        return promptfoo.install(Path(root).absolute() / "promptfoo")
    except promptfoo.Unavailable as error:
        pytest.skip(f"promptfoo cannot be installed: {error}")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("match", MATCHES, ids=[theirs for theirs, _, _ in MATCHES])
def test_promptfoo_and_evaluate_give_the_same_verdicts(program, azml_endpoint, tmp_path, match):
    theirs, ours, pattern = match
    url = f"{azml_endpoint.url}/v1/chat/completions"
    rows = [{"letter": letter, "label": pattern.format(label)} for letter, label in LETTERS]
    results = promptfoo.evaluate(
        program,
        tmp_path,
        {
            "prompts": ["Glad or cross? {{letter}}"],
            "providers": [
                {
                    "id": url,
                    "config": {
                        "method": "POST",
                        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
                        "body": {"messages": [{"role": "user", "content": "{{prompt}}"}]},
                        "transformResponse": "json.choices[0].message.content",
                    },
                }
            ],
            "tests": [
                {"vars": {"letter": row["letter"]}, "assert": [{"type": theirs, "value": row["label"]}]} for row in rows
            ],
        },
    )
    evaluation = azml_magics.evaluate(
        LLMConfig(endpoint_url=url, key=f"env:{KEY_VARIABLE}"),
        "Glad or cross? {letter}",
        rows,
        expect="label",
        match=ours,
    )
    order = [row["letter"] for row in rows]
    verdicts = {result["vars"]["letter"]: result["success"] for result in results}
    texts = {result["vars"]["letter"]: result["response"]["output"] for result in results}
    assert [outcome.is_right for outcome in evaluation] == [verdicts[letter] for letter in order]
    assert [outcome.text for outcome in evaluation] == [texts[letter] for letter in order]
    assert 0 < sum(verdicts.values()) < len(rows)
    assert len(azml_endpoint.requests) == 2 * len(rows)
