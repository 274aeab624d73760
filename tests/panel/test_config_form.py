"""The form of Save as, Delete, Import and Export."""

from __future__ import annotations

import json

import pytest

from azml_magics.panel.model.drafts import NEW

from .sections import URL, panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import click, fire, is_visible, set_state, within


def form_of(panel):
    """The form: its box, its text field, its checkbox and its first button."""
    (box,) = [each for each in within(panel.panel.widget) if "azml-config-form" in each._dom_classes]
    confirm, _cancel = box.children[-1].children
    return box, box.children[1], box.children[2], confirm


def test_save_as_asks_for_a_name(panel, session):
    box, field, checkbox, confirm = form_of(panel)
    assert not is_visible(box)
    panel.type("Deployment", "blue")
    panel.click("Save as")
    assert is_visible(box)
    assert (field.description, confirm.description, is_visible(checkbox)) == ("Save as", "Save", False)
    set_state(field, value="copy")
    click(confirm)
    assert session.get("copy").deployment_name == "blue"
    assert session.get("main").deployment_name == ""
    assert panel.find("Config").value == "copy"
    assert not is_visible(box)


def test_only_enter_submits_the_form(panel, session):
    panel.click("Save as")
    _, field, _, _ = form_of(panel)
    set_state(field, value="copy")
    fire(field, "focus")
    assert session.names() == ["main", "other"]


@pytest.mark.parametrize(
    ("name", "said"), [("other", "A config named other already exists"), ("no good name", "name"), ("", None)]
)
def test_invalid_name_leaves_the_form_open(panel, session, name, said):
    box, field, _, confirm = form_of(panel)
    panel.click("Save as")
    set_state(field, value=name)
    click(confirm)
    assert is_visible(box)
    assert session.names() == ["main", "other"]
    assert said is None or any(said in line for line in panel.lines())


def test_cancel_does_nothing(panel, session):
    box, field, _, _ = form_of(panel)
    panel.click("Save as")
    set_state(field, value="copy")
    panel.click("Cancel")
    assert (is_visible(box), session.names()) == (False, ["main", "other"])


def test_delete_asks_for_confirmation(panel, session):
    panel.click("Delete")
    box, field, _, confirm = form_of(panel)
    assert "Delete main from this session? A file it was imported from is kept." in panel.lines()
    assert (is_visible(field), confirm.button_style) == (False, "danger")
    click(confirm)
    assert session.names() == ["other"]
    assert panel.find("Config").value == "other"
    assert "Deleted main. other is active now." in panel.lines()
    assert not is_visible(box)


def test_last_config_can_be_deleted(panel, session):
    for _ in range(2):
        panel.click("Delete")
        click(form_of(panel)[3])
    assert session.names() == []
    assert panel.find("Config").value == NEW


def test_choosing_another_config_closes_the_form(panel, session):
    panel.click("Delete")
    box, _, _, confirm = form_of(panel)
    set_state(panel.find("Config"), index=1)
    assert not is_visible(box)
    click(confirm)  # a click that arrives late
    assert session.names() == ["main", "other"]


def test_late_click_after_cancel_does_nothing(panel, session):
    panel.click("Delete")
    _, _, _, confirm = form_of(panel)
    panel.click("Cancel")
    click(confirm)
    assert session.names() == ["main", "other"]


def test_export_and_import(panel, session, tmp_path):
    panel.click("Export")
    _, field, checkbox, confirm = form_of(panel)
    assert (field.value, is_visible(checkbox)) == ("main.json", True)
    set_state(field, value=str(tmp_path / "saved.json"))
    click(confirm)
    assert json.loads((tmp_path / "saved.json").read_text())["endpoint_url"] == URL
    assert any(line.startswith("Exported to ") for line in panel.lines())
    session.delete("main")
    panel.click("Import")
    set_state(form_of(panel)[1], value=str(tmp_path / "saved.json"))
    click(form_of(panel)[3])
    assert session.get(panel.find("Config").value).endpoint_url == URL


def test_missing_file_is_reported(panel):
    panel.click("Import")
    box, field, _, confirm = form_of(panel)
    set_state(field, value="nowhere.json")
    click(confirm)
    assert is_visible(box)
    assert any("nowhere.json" in line for line in panel.lines())
