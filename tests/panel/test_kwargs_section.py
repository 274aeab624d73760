"""The Model kwargs section: the JSON for the other kwargs, and the heading."""

from __future__ import annotations

import ipywidgets as w
import pytest

from .sections import panel_over, titles, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import within


def headings(panel):
    labels = [each.value for each in within(panel.panel.widget) if "azml-heading" in each._dom_classes]
    return [*labels, *titles(panel)]


def in_sight(panel):
    """The kwargs that are not in the fold."""
    folded = {id(each) for fold in within(panel.panel.widget) if isinstance(fold, w.Accordion) for each in within(fold)}
    rows = [each for each in within(panel.panel.widget) if "azml-row" in each._dom_classes and id(each) not in folded]
    return [next(each.description for each in within(row) if getattr(each, "description", "")) for row in rows]


def test_few_kwargs_are_in_sight_with_those_that_are_sent(panel, session):
    assert in_sight(panel) == ["temperature", "top_p", "max_tokens"]
    session.save("limited", session.get("main").merged(model_kwargs={"max_completion_tokens": 9, "seed": 1}))
    panel.type("Config", "limited")
    assert in_sight(panel) == ["temperature", "top_p", "seed", "max_completion_tokens"]
    panel.model.reset_kwarg("seed")
    assert "seed" in in_sight(panel)
    panel.type("Config", "other")
    assert in_sight(panel) == ["max_new_tokens", "temperature", "top_p"]


def test_other_kwargs_are_json(panel):
    panel.type("Others, JSON", '{"logprobs": true, "n": 2}')
    assert panel.model.draft.config.model_kwargs == {"logprobs": True, "n": 2}
    assert {"Other model kwargs: 2 sent", "Model kwargs: 2 sent"} <= set(headings(panel))
    panel.model.set_other_kwargs("")
    assert panel.find("Others, JSON").value == ""
    assert {"Other model kwargs", "Model kwargs: none sent"} <= set(headings(panel))


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
