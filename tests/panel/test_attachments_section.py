"""The Attachments fold: picked, typed, moved, removed and saved, over the messages of a frontend."""

from __future__ import annotations

import json

import ipywidgets as w
import pytest

from azml_magics.panel.view.attachments_section import MAX_UPLOAD, attachments_title

from .sections import panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .test_attachments import PNG
from .widgets import click, set_state, submit, visible_within, within


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The notebook's folder, with a picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(PNG)
    return tmp_path


def with_class(panel, name):
    return [each for each in within(panel.panel.widget) if name in each._dom_classes]


def labels(panel):
    return [each.value for each in visible_within(panel.panel.widget) if "azml-attachment" in each._dom_classes]


def pick(panel, *files):
    """Choose files in the browser's picker: a frontend sends all of them as one value."""
    (upload,) = with_class(panel, "azml-upload")
    value = [
        {"name": name, "type": "", "size": len(data), "last_modified": 0, "content": memoryview(data)}
        for name, data in files
    ]
    set_state(upload, value=value)
    return upload


def type_file(panel, text):
    set_state(panel.find("File"), value=text)
    panel.click("Attach")


def test_picked_files_are_listed_and_leave_the_control(panel):
    upload = pick(panel, ("b.png", PNG), ("a.pdf", b"%PDF-1.7"))
    assert labels(panel) == ["b.png · PNG · 70 B", "a.pdf · PDF · 8 B"]
    assert upload.value == ()
    assert attachments_title(panel.model) == "Attachments: 2"
    assert "-i b.png -i a.pdf" in panel.find("As a cell").value


def test_contents_of_files_are_in_no_widget(panel):
    pick(panel, ("large.pdf", b"%PDF-1.7" + b"secret-content" * 5000))
    state = json.dumps(w.Widget.get_manager_state(), default=str)
    assert "secret-content" not in state
    assert len(state) < 400_000


def test_typed_file_is_listed_with_its_picture(panel):
    type_file(panel, "cat.png")
    assert labels(panel) == ["cat.png · PNG · 70 B"]
    assert panel.find("File").value == ""
    (preview,) = with_class(panel, "azml-preview")
    assert preview.value.startswith('<img alt="" src="data:image/png;base64,')


def test_enter_attaches(panel):
    field = panel.find("File")
    set_state(field, value="cat.png")
    submit(field)
    assert labels(panel) == ["cat.png · PNG · 70 B"]


def test_wrong_file_stays_typed_with_its_message(panel):
    type_file(panel, "none.png")
    assert panel.find("File").value == "none.png"
    assert "The file none.png cannot be read: No such file or directory. Check the path." in panel.lines()


def test_attachments_are_moved_and_removed(panel):
    pick(panel, ("a.png", PNG), ("b.png", PNG), ("c.png", PNG))
    rows = with_class(panel, "azml-attachment-row")
    up = [each for each in within(rows[2]) if getattr(each, "icon", "") == "arrow-up"]
    click(up[0])
    assert [label[:1] for label in labels(panel)] == ["a", "c", "b"]
    before = panel.traffic.open_comms()
    click(panel.find("Remove", w.Button, at=with_class(panel, "azml-attachment-row")[0]))
    assert [label[:1] for label in labels(panel)] == ["c", "b"]
    assert len(panel.traffic.open_comms()) < len(before)


def test_uploads_are_saved_on_request(panel, folder):
    pick(panel, ("b.png", PNG))
    assert "Save uploads before you run the cell: only the panel has b.png." in panel.lines()
    panel.click("Save uploads")
    assert f"Saved b.png in {folder}." in panel.lines()
    assert (folder / "b.png").read_bytes() == PNG
    assert "Save uploads" not in [getattr(each, "description", "") for each in visible_within(panel.panel.widget)]


def test_file_that_the_browser_did_not_send_is_said(panel):
    (refused,) = with_class(panel, "azml-refused")
    for _ in range(2):  # the same file again
        set_state(refused, value=json.dumps(["photo.png", 20_100_000]))
        assert [
            line for line in panel.lines() if line.startswith("photo.png has 20.1 MB, and the browser can send 8.0")
        ]
        assert refused.value == ""
    (limit,) = with_class(panel, "azml-limit")
    assert limit.value == str(MAX_UPLOAD)


def test_hostile_file_name_stays_text(panel):
    name = "<img src=x onerror=alert(1)>.png"
    pick(panel, (name, PNG))
    assert labels(panel) == [f"{name} · PNG · 70 B"]
    assert all("onerror" not in each.value for each in with_class(panel, "azml-preview"))
