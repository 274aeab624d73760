"""Controls: the user's input reaches the model, drawing does not, and nothing is sent twice."""

from __future__ import annotations

import threading

import ipywidgets as w
import pytest

from azml_magics.panel.model.changes import PanelNote
from azml_magics.panel.view import controls
from azml_magics.panel.view.controls import StatusLine

from . import widgets
from .widgets import Traffic, is_visible, set_state

URL = "http://127.0.0.1:9/v1/chat/completions"


@pytest.fixture
def traffic():
    with Traffic().recording() as traffic:
        yield traffic


# ---- input


def test_control_reports_input_and_not_drawing(traffic):
    heard = []
    control = controls.text_field("URL", heard.append)
    set_state(control, value="typed")
    with controls.drawing():
        control.value = "drawn"
        with controls.drawing():
            control.value = "drawn within"
        control.value = "still drawing"
    control.value = "no drawing any more"
    assert heard == ["typed", "no drawing any more"]


def test_controls_report_input_after_failed_drawing(traffic):
    heard = []
    control = controls.text_area("Prompt", heard.append)
    with pytest.raises(ZeroDivisionError), controls.drawing():
        _ = 1 / 0
    set_state(control, value="typed")
    assert heard == ["typed"]


def test_input_is_reported_while_another_thread_draws(traffic):
    heard = []
    control = controls.text_field("URL", heard.append)
    drawing, may_end = threading.Event(), threading.Event()

    def draw():
        with controls.drawing():
            drawing.set()
            may_end.wait(widgets.TIMEOUT)

    thread = threading.Thread(target=draw)
    thread.start()
    assert drawing.wait(widgets.TIMEOUT)
    set_state(control, value="typed")
    may_end.set()
    thread.join()
    assert heard == ["typed"]


def test_field_reports_on_leaving_area_on_every_letter(traffic):
    assert controls.text_field("URL", print).continuous_update is False
    assert controls.text_area("Prompt", print).continuous_update is True


def test_on_change_observes_another_trait(traffic):
    heard = []
    fold = controls.on_change(w.Accordion([w.Label()], selected_index=None), heard.append, "selected_index")
    set_state(fold, selected_index=0)
    assert heard == [0]


# ---- traffic


def test_equal_values_send_nothing(traffic):
    control = w.Text(value="a", placeholder="b")
    traffic.clear()
    controls.set_traits(control, value="a", placeholder="b")
    controls.set_visible(control, True)
    assert traffic.messages == []
    controls.set_traits(control, value="c", placeholder="b")
    assert [each.data["state"] for each in traffic.messages] == [{"value": "c"}]


def test_hidden_control_takes_no_room(traffic):
    control = w.Text()
    controls.set_visible(control, "")
    assert not is_visible(control)
    controls.set_visible(control, "text")
    assert is_visible(control)


# ---- the status line


def test_empty_status_line_takes_no_room(traffic):
    line = StatusLine()
    assert not is_visible(line.widget)
    line.show("Saved main.", "good")
    assert (is_visible(line.widget), line.widget.value) == (True, "Saved main.")
    line.show("")
    assert not is_visible(line.widget)


def test_status_line_has_one_mood_at_a_time(traffic):
    line = StatusLine("azml-mark")
    for mood in ("good", "bad", "plain", "bad"):
        line.show(f"this is {mood}", mood)
        moods = {"azml-good", "azml-bad", "azml-plain"} & set(line.widget._dom_classes)
        assert moods == {f"azml-{mood}"}
    assert "azml-mark" in line.widget._dom_classes


def test_showing_the_same_text_sends_nothing(traffic):
    line = StatusLine()
    line.show("No.", "bad")
    traffic.clear()
    line.show("No.", "bad")
    assert traffic.messages == []


def test_status_line_shows_a_note(traffic):
    line = StatusLine()
    line.show_note(PanelNote("Saved.", "good"))
    assert "azml-good" in line.widget._dom_classes
    line.show_note(None)
    assert not is_visible(line.widget)


def test_status_line_is_always_plain_text(traffic):
    line = StatusLine()
    line.show("<img src=x onerror=alert(1)> $x$", "bad")
    assert line.widget._view_name == "LabelView"  # sets textContent
    assert line.widget.value == "<img src=x onerror=alert(1)> $x$"
