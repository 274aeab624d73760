"""The config bar: the list of configs and the actions without a form."""

from __future__ import annotations

import ipywidgets as w

from azml_magics.core.config import LLMConfig
from azml_magics.panel.model.drafts import NEW

from .sections import URL, options_of, panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import open_panel, set_state, submit


def test_list_has_the_sessions_configs(panel):
    choice = panel.find("Config")
    assert (options_of(choice), choice.value) == (["main", "other"], "main")


def test_chosen_config_is_active_and_shown(panel, session):
    set_state(panel.find("Config"), index=1)
    assert session.active == "other"
    assert panel.find("URL").value == "http://127.0.0.1:9/score"
    assert panel.find("Key").value == "env:OTHER_KEY"
    assert panel.find("Formatter").value == "gpt2"


def test_list_follows_the_session(panel, session):
    session.use("other")
    assert panel.find("Config").value == "other"
    session.save("third", LLMConfig(endpoint_url=URL))
    session.rename("main", "first")
    assert options_of(panel.find("Config")) == ["first", "other", "third"]
    session.delete("other")
    assert options_of(panel.find("Config")) == ["first", "third", NEW]
    assert panel.find("Config").value == NEW  # deleted in the notebook: no config is active


def test_mark_shows_unsaved_changes(panel):
    assert "● unsaved changes" not in panel.lines()
    panel.type("URL", URL.replace("9", "10"))
    assert "● unsaved changes" in panel.lines()
    assert not panel.find("Save", w.Button).disabled
    panel.type("URL", URL)
    assert "● unsaved changes" not in panel.lines()
    assert panel.find("Save", w.Button).disabled


def test_save_saves_under_the_name(panel, session):
    panel.type("Deployment", "blue")
    panel.click("Save")
    assert session.get("main").deployment_name == "blue"
    assert "Saved main for this session." in panel.lines()
    panel.open_menu()
    assert panel.find("Revert", w.Button).disabled


def test_revert_discards_the_changes(panel, session):
    panel.type("Deployment", "blue")
    panel.click("Revert")
    assert panel.find("Deployment").value == ""
    assert "Unsaved changes discarded." in panel.lines()


def test_unsaved_changes_are_kept_per_config(panel):
    panel.type("Deployment", "blue")
    set_state(panel.find("Config"), index=1)
    assert panel.find("Deployment").value == ""
    set_state(panel.find("Config"), index=0)
    assert panel.find("Deployment").value == "blue"


def test_empty_session_shows_a_new_config():
    with open_panel() as panel:
        assert panel.find("Config").options == (("(new config)", ""),)
        panel.open_menu()
        assert panel.find("Delete", w.Button).disabled
        panel.type("URL", URL)
        assert panel.find("Formatter").value == ""
        panel.click("Save")  # it has no name yet, so the form opens
        panel.type("Save as", "mine")
        submit(panel.find("Save as", w.Text))
        assert panel.find("Config").value == "mine"
        assert panel.model.session.get("mine").endpoint_url == URL


def test_new_starts_an_unnamed_config(panel, session):
    panel.click("New")
    assert (panel.find("Config").value, panel.find("URL").value) == (NEW, "")
    assert session.active == "main"
    assert "New config: type its URL, then save it under a name." in panel.lines()
