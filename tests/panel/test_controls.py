"""Controls and the model: what a person changes reaches it, what it changes is drawn, and nothing is sent twice."""

from __future__ import annotations

import threading

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.wire import Kwarg
from azml_magics.panel.model.changes import PanelNote
from azml_magics.panel.view import controls
from azml_magics.panel.view.controls import StatusLine
from azml_magics.panel.view.kwarg_rows import KwargRow
from azml_magics.session import Session

from . import widgets
from .widgets import Traffic, clicks, is_shown, opened, sets, within

URL = "http://127.0.0.1:9/v1/chat/completions"


@pytest.fixture
def traffic():
    with Traffic().recording() as traffic:
        yield traffic


@pytest.fixture
def panel():
    session = Session()
    session.save("main", LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None))
    with opened(session) as panel:
        yield panel


# ---- who has changed it


def test_a_control_calls_when_a_person_changes_it_and_not_when_it_is_drawn(traffic):
    heard = []
    control = controls.text_field("URL", heard.append)
    sets(control, value="typed")
    with controls.drawing():
        control.value = "drawn"
        with controls.drawing():
            control.value = "drawn within"
        control.value = "still drawing"
    control.value = "no drawing any more"
    assert heard == ["typed", "no drawing any more"]


def test_a_drawing_that_fails_does_not_leave_the_controls_deaf(traffic):
    heard = []
    control = controls.text_area("Prompt", heard.append)
    with pytest.raises(ZeroDivisionError), controls.drawing():
        _ = 1 / 0
    sets(control, value="typed")
    assert heard == ["typed"]


def test_a_person_is_heard_while_another_thread_draws(traffic):
    heard = []
    control = controls.text_field("URL", heard.append)
    drawing, may_end = threading.Event(), threading.Event()

    def draw():
        with controls.drawing():
            drawing.set()
            may_end.wait(widgets.PATIENCE)

    thread = threading.Thread(target=draw)
    thread.start()
    assert drawing.wait(widgets.PATIENCE)
    sets(control, value="typed")
    may_end.set()
    thread.join()
    assert heard == ["typed"]


def test_a_line_calls_when_it_is_left_and_an_area_with_every_letter(traffic):
    assert controls.text_field("URL", print).continuous_update is False
    assert controls.text_area("Prompt", print).continuous_update is True


def test_another_trait_can_be_heard(traffic):
    heard = []
    fold = controls.on_change(w.Accordion([w.Label()], selected_index=None), heard.append, "selected_index")
    sets(fold, selected_index=0)
    assert heard == [0]


# ---- what is sent


def test_equal_values_send_nothing(traffic):
    control = w.Text(value="a", placeholder="b")
    traffic.clear()
    controls.set_traits(control, value="a", placeholder="b")
    controls.set_visible(control, True)
    assert traffic.messages == []
    controls.set_traits(control, value="c", placeholder="b")
    assert [each.data["state"] for each in traffic.messages] == [{"value": "c"}]


def test_what_is_hidden_leaves_no_room(traffic):
    control = w.Text()
    controls.set_visible(control, "")
    assert control.layout.display == "none"
    controls.set_visible(control, "text")
    assert control.layout.display is None


def test_closing_closes_all_that_is_in_it(traffic):
    box = w.VBox([w.HBox([w.Text(), w.Button()]), w.Output(), w.Tab([w.FloatSlider()])])
    controls.close_tree(box)
    controls.close_tree(box)
    assert traffic.still_open() == set()


# ---- a line


def test_a_line_takes_no_room_while_it_is_empty(traffic):
    line = StatusLine()
    assert not is_shown(line.widget)
    line.show("Saved main.", "good")
    assert (is_shown(line.widget), line.widget.value) == (True, "Saved main.")
    line.show("")
    assert not is_shown(line.widget)


def test_a_line_has_one_mood_at_a_time(traffic):
    line = StatusLine("azml-mark")
    for mood in ("good", "bad", "plain", "bad"):
        line.show(f"this is {mood}", mood)
        moods = {"azml-good", "azml-bad", "azml-plain"} & set(line.widget._dom_classes)
        assert moods == {f"azml-{mood}"}
    assert "azml-mark" in line.widget._dom_classes


def test_saying_the_same_again_sends_nothing(traffic):
    line = StatusLine()
    line.show("No.", "bad")
    traffic.clear()
    line.show("No.", "bad")
    assert traffic.messages == []


def test_a_note_of_the_models_is_a_line_and_none_is_none(traffic):
    line = StatusLine()
    line.show_note(PanelNote("Saved.", "good"))
    assert "azml-good" in line.widget._dom_classes
    line.show_note(None)
    assert not is_shown(line.widget)


def test_a_line_is_text_whatever_is_in_it(traffic):
    line = StatusLine()
    line.show("<img src=x onerror=alert(1)> $x$", "bad")
    assert line.widget._view_name == "LabelView"  # sets textContent
    assert line.widget.value == "<img src=x onerror=alert(1)> $x$"


# ---- a kwarg


def row_of(panel, name):
    """The box of that kwarg's row, and its line."""
    for each in within(panel.panel.widget):
        if isinstance(each, w.VBox) and any("azml-row" in child._dom_classes for child in each.children[:1]):
            row, line = each.children
            if name in [getattr(child, "description", "") for child in within(row)]:
                return row, line
    raise AssertionError(f"there is no row {name}")


def control_of(row, kind):
    (found,) = [each for each in within(row) if type(each) is kind]
    return found


def sent(panel):
    return dict(panel.model.draft.config.model_kwargs)


def test_each_kwarg_of_the_formatter_has_the_control_of_its_type(panel):
    kinds = {}
    for kwarg in panel.model.draft.controls:
        row, _ = row_of(panel, kwarg.name)
        kinds[kwarg.name] = {type(each).__name__ for each in within(row)} - {"HBox", "Button"}
    assert kinds["temperature"] == kinds["presence_penalty"] == {"FloatSlider", "Text"}
    assert kinds["max_tokens"] == kinds["seed"] == {"Text"}
    assert kinds["stop"] == {"Text", "TagsInput"}
    assert "tools" not in kinds  # written as JSON


def test_a_slider_sends_its_value_and_the_field_says_it(panel):
    row, _ = row_of(panel, "temperature")
    slider, field = control_of(row, w.FloatSlider), control_of(row, w.Text)
    assert field.value == ""
    assert "azml-default" in slider._dom_classes
    sets(slider, value=0.3)
    assert sent(panel) == {"temperature": 0.3}
    assert field.value == "0.3"
    assert "azml-default" not in slider._dom_classes


def test_a_typed_number_moves_the_slider(panel):
    row, line = row_of(panel, "temperature")
    sets(control_of(row, w.Text), value="0.85")
    assert sent(panel) == {"temperature": 0.85}
    assert control_of(row, w.FloatSlider).value == 0.85
    assert not is_shown(line)


def test_a_number_beyond_the_documented_range_is_sent_and_said(panel):
    row, line = row_of(panel, "temperature")
    sets(control_of(row, w.Text), value="7")
    assert sent(panel) == {"temperature": 7}
    slider = control_of(row, w.FloatSlider)
    assert slider.value == slider.max == 2
    assert line.value == "above the documented maximum of 2; it is sent"
    assert control_of(row, w.Text).value == "7"  # the slider at its end has not overwritten it


def test_what_is_no_number_stays_where_it_was_typed_and_is_not_sent(panel):
    row, line = row_of(panel, "temperature")
    sets(control_of(row, w.Text), value="0.5")
    sets(control_of(row, w.Text), value="warm")
    assert control_of(row, w.Text).value == "warm"
    assert line.value == "'warm' is not a number"
    assert "azml-bad" in line._dom_classes
    assert control_of(row, w.FloatSlider).value == 0.5
    sets(control_of(row, w.Text), value="0.6")
    assert not is_shown(line)
    assert sent(panel) == {"temperature": 0.6}


def test_the_button_beside_it_takes_a_kwarg_back(panel):
    row, line = row_of(panel, "temperature")
    reset = control_of(row, w.Button)
    assert reset.disabled
    sets(control_of(row, w.Text), value="9")
    assert reset.tooltip == "Do not send temperature"
    clicks(reset)
    assert sent(panel) == {}
    assert control_of(row, w.Text).value == ""
    assert reset.disabled
    assert not is_shown(line)


def test_stop_takes_several_texts_as_tags(panel):
    row, _ = row_of(panel, "stop")
    tags, entry = control_of(row, w.TagsInput), control_of(row, w.Text)
    assert not is_shown(tags)
    for tag in ("END", "a, b", "\\n", "END"):
        sets(entry, value=tag)
        assert (entry.value, is_shown(tags)) == ("", True)
    assert sent(panel) == {"stop": ["END", "a, b", "\n"]}
    sets(tags, value=["END"])  # the others were clicked away
    assert sent(panel) == {"stop": ["END"]}
    clicks(control_of(row, w.Button))
    assert (tags.value, sent(panel), is_shown(tags)) == ([], {}, False)


def test_a_boolean_is_default_true_or_false(panel):
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "gpt2")
    row, _ = row_of(panel, "do_sample")
    choice = control_of(row, w.Dropdown)
    assert choice.options == (("default", ""), ("true", "true"), ("false", "false"))
    sets(choice, index=2)
    assert sent(panel) == {"do_sample": False}
    sets(choice, index=0)
    assert sent(panel) == {}


def test_an_integer_is_whole(panel):
    row, line = row_of(panel, "max_tokens")
    sets(control_of(row, w.Text), value="1.5")
    assert line.value == "'1.5' is not a whole number"
    sets(control_of(row, w.Text), value="15")
    assert sent(panel) == {"max_tokens": 15}


def test_what_the_model_changes_is_drawn_without_coming_back(panel):
    row, _ = row_of(panel, "top_p")
    panel.traffic.clear()
    panel.model.set_kwarg("top_p", "0.123456")
    assert control_of(row, w.Text).value == "0.123456"
    assert control_of(row, w.FloatSlider).value == 0.123456
    assert sent(panel) == {"top_p": 0.123456}  # not what a slider's step makes of it


def test_a_default_that_is_documented_is_where_the_slider_waits():
    with Traffic().recording():
        row = KwargRow(None, Kwarg("top_p", "number", "help", 0, 1, default=1))
        slider, field = control_of(row.widget, w.FloatSlider), control_of(row.widget, w.Text)
        assert (slider.value, field.placeholder, field.value) == (1, "default 1", "")


def test_rows_follow_the_formatter_and_come_back_as_they_were(panel):
    before = row_of(panel, "temperature")[0]
    panel.model.set_kwarg("temperature", "0.4")
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "gpt2")
    row_of(panel, "max_new_tokens")
    with pytest.raises(AssertionError, match="no row presence_penalty"):
        row_of(panel, "presence_penalty")
    panel.type("Formatter", "openai-chat")
    assert row_of(panel, "temperature")[0] is before
    assert control_of(before, w.Text).value == "0.4"
