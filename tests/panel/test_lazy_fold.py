"""Folds: built when they are first opened, drawn while they are open; and how few messages an opening panel sends."""

from __future__ import annotations

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.panel.model.changes import DRAFT, PROMPT
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.view.lazy_fold import LazyFold
from azml_magics.session import Session

from .sections import titles
from .widgets import Traffic, open_panel, set_state, within

URL = "http://127.0.0.1:9/v1/chat/completions"


class PromptLabel:
    """A section that shows the prompt."""

    parts = frozenset({PROMPT})

    def __init__(self, model):
        self._model = model
        self.widget = w.Label()
        self.drawn = 0

    def draw(self):
        self.drawn += 1
        self.widget.value = self._model.prompt.text


@pytest.fixture
def model():
    with Traffic().recording():
        yield PanelModel(Session())


def fold_over(model):
    built = []

    def build():
        built.append(PromptLabel(model))
        return built[-1]

    fold = LazyFold(model, lambda: f"Prompt: {model.prompt.text}", build, PromptLabel.parts)
    model.subscribe(lambda changed: fold.draw() if fold.parts & changed else None)
    return fold, built


def test_fold_is_built_once_when_first_opened(model):
    fold, built = fold_over(model)
    model.set_prompt("tea")
    assert (fold.widget.titles, built) == (("Prompt: tea",), [])
    set_state(fold.widget, selected_index=0)
    assert (len(built), built[0].widget.value) == (1, "tea")
    assert built[0].widget in within(fold.widget)
    set_state(fold.widget, selected_index=None)
    set_state(fold.widget, selected_index=0)
    assert len(built) == 1


def test_closed_fold_is_not_drawn_until_it_opens(model):
    fold, built = fold_over(model)
    set_state(fold.widget, selected_index=0)
    set_state(fold.widget, selected_index=None)
    drawn = built[0].drawn
    model.set_prompt("milk")
    assert (fold.widget.titles, built[0].drawn) == (("Prompt: milk",), drawn)
    set_state(fold.widget, selected_index=0)
    assert built[0].widget.value == "milk"


def test_open_returns_the_section(model):
    fold, built = fold_over(model)
    assert fold.open() is built[0]
    assert fold.is_open
    assert fold.open() is built[0]


def test_fold_ignores_what_it_does_not_show(model):
    fold, built = fold_over(model)
    section = fold.open()
    drawn = section.drawn
    with model.changing(DRAFT):
        pass
    assert (section.drawn, len(built)) == (drawn, 1)


def session_of(count):
    session = Session()
    for number in range(count):
        session.save(f"config-{number}", LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None))
    return session


@pytest.mark.parametrize("configs", [0, 1, 5])
def test_opening_panel_sends_less_than_a_full_queue(configs):
    with open_panel(session_of(configs), folded=True) as panel:
        assert len(panel.traffic.open_comms()) < 200
        assert len(panel.traffic.messages) < 300  # ZeroMQ drops messages from about 500 on


def test_opening_a_fold_shows_what_it_holds():
    with open_panel(session_of(1), folded=True) as panel:
        assert [each for each in within(panel.panel.widget) if getattr(each, "description", "") == "URL"] == []
        (endpoint,) = [
            each for each in within(panel.panel.widget) if getattr(each, "titles", ())[:1] == ("Endpoint: 127.0.0.1:9",)
        ]
        set_state(endpoint, selected_index=0)
        assert panel.find("URL").value == URL
        assert "Network" in titles(panel)
