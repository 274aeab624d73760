"""Two browser tabs that edit one prompt: the text typed last counts, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.panel.model.shared_prompt import _is_insertion

from .sections import panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import set_state

SAID = "Another browser tab has replaced text of this prompt."


def type_in(panel, tab, text):
    set_state(panel.find("Prompt"), session=tab, value=text)


def test_one_tab_may_replace_what_it_likes(panel):
    for text in ("Name a river", "Name a lake", "", "Anew"):
        type_in(panel, "first", text)
    assert SAID not in panel.lines()


def test_text_that_another_tab_adds_is_no_loss(panel):
    type_in(panel, "first", "Name a river")
    type_in(panel, "second", "Name a long river.")
    type_in(panel, "first", "Name a long river. Thanks")
    assert SAID not in panel.lines()


def test_text_that_another_tab_replaces_can_be_brought_back(panel):
    type_in(panel, "first", "Name a river")
    type_in(panel, "second", "Name a lake")
    assert panel.find("Prompt").value == "Name a lake"
    assert SAID in panel.lines()
    panel.click("Bring it back")
    assert panel.find("Prompt").value == "Name a river"
    panel.click("Bring it back")
    assert panel.find("Prompt").value == "Name a lake"
    panel.click("Keep this one")
    assert SAID not in panel.lines()
    assert panel.find("Prompt").value == "Name a lake"


def test_frontend_without_a_session_is_no_other_tab(panel):
    type_in(panel, "", "Name a river")
    type_in(panel, "first", "Name a lake")
    type_in(panel, "", "Name a sea")
    assert SAID not in panel.lines()


@given(st.text(), st.text(), st.integers(0, 50))
def test_insertion_is_recognised(before, added, at):
    assert _is_insertion(before, before[:at] + added + before[at:])


@pytest.mark.parametrize(("before", "after"), [("ab", "a"), ("ab", ""), ("abc", "axc"), ("aa", "a")])
def test_deletion_and_replacement_are_no_insertion(before, after):
    assert not _is_insertion(before, after)
