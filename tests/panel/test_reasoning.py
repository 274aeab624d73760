"""The models' thoughts in the panel: above the answer, folded, open or hidden as the notebook's setting says."""

from __future__ import annotations

import pytest

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ModelError
from azml_magics.core.response import Response
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.model.reasoning import with_reasoning
from azml_magics.panel.view.reasoning import thoughts_html

THINKING = Response("", reasoning="First, <b>rivers</b>.")
DONE = Response("Rivers run.", reasoning="First, <b>rivers</b>.")


@pytest.mark.parametrize("mode", ["folded", "open", "hidden"])
def test_setting_reaches_every_response_of_a_run(mode):
    failed = Row({}, LLMConfig(), None, ModelError("It failed"))
    batch = with_reasoning(Batch([Row({}, LLMConfig(), DONE), failed], is_complete=False), mode)
    assert [row.response and row.response.show_reasoning for row in batch] == [mode, None]
    assert (batch.show_reasoning, batch.is_complete) == (mode, False)


def test_thoughts_are_open_until_the_answer_begins():
    assert thoughts_html(THINKING, is_running=True).startswith("<details open")
    assert not thoughts_html(DONE, is_running=True).startswith("<details open")
    assert thoughts_html(DONE).startswith("<details ")


def test_open_thoughts_stay_open_and_hidden_ones_are_left_out():
    opened, hidden = (
        with_reasoning(Batch([Row({}, LLMConfig(), DONE)]), mode)[0].response for mode in ("open", "hidden")
    )
    assert thoughts_html(opened).startswith("<details open")
    assert thoughts_html(hidden) == thoughts_html(hidden, is_running=True) == ""
    assert thoughts_html(None) == thoughts_html(Response("No thoughts.")) == ""


def test_thoughts_are_shown_as_text():
    assert "&lt;b&gt;rivers&lt;/b&gt;" in thoughts_html(DONE)
    assert "&lt;b&gt;rivers&lt;/b&gt;" in thoughts_html(THINKING, is_running=True)


def test_panel_follows_the_notebooks_setting(session, chat):
    session.save("main", chat)
    mode = "open"
    model = PanelModel(session, show_reasoning=lambda: mode)
    model.set_prompt("Hello")
    model.runs.run()
    assert model.worker.wait(60)
    assert model.result.row.response.show_reasoning == session.last.response.show_reasoning == "open"
    model.close()
