"""The Model kwargs section: the JSON for the other kwargs, and the heading."""

from __future__ import annotations

import pytest

from .sections import panel_over, titles, two_configs  # noqa: F401 - fixtures are found by their names


def test_other_kwargs_are_json(panel):
    panel.type("Others, JSON", '{"logprobs": true, "n": 2}')
    assert panel.model.draft.config.model_kwargs == {"logprobs": True, "n": 2}
    assert "Model kwargs: 2 sent" in titles(panel)
    panel.model.set_other_kwargs("")
    assert panel.find("Others, JSON").value == ""
    assert "Model kwargs: none sent" in titles(panel)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON at column 2"),
        ("[1]", "must be an object"),
        ('{"temperature": 1}', "temperature has a field of its own above"),
        ('{"a": NaN}', "NaN cannot be sent"),
        ("{" * 5000, "not JSON"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_wrong_json_stays_with_its_error(panel, text, said):
    panel.type("Others, JSON", '{"n": 2}')
    panel.type("Others, JSON", text)
    assert panel.find("Others, JSON").value == text
    assert any(said in line for line in panel.lines())
    assert panel.model.draft.config.model_kwargs == {"n": 2}
    panel.type("Others, JSON", "")
    assert panel.model.draft.config.model_kwargs == {}
    assert not any(said in line for line in panel.lines())
