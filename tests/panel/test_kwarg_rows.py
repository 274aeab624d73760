"""The rows of the model kwargs: slider, field, tags and reset button, in both directions."""

from __future__ import annotations

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.wire import Kwarg
from azml_magics.panel.view.kwarg_rows import KwargRow
from azml_magics.session import Session

from .widgets import Traffic, click, is_visible, open_panel, set_state, within

URL = "http://127.0.0.1:9/v1/chat/completions"


@pytest.fixture
def panel():
    session = Session()
    session.save("main", LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None))
    with open_panel(session) as panel:
        yield panel


def row_of(panel, name):
    """The row of a kwarg, and its status line."""
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


def test_each_kwarg_has_the_control_of_its_type(panel):
    kinds = {}
    for kwarg in panel.model.draft.controls:
        row, _ = row_of(panel, kwarg.name)
        kinds[kwarg.name] = {type(each).__name__ for each in within(row)} - {"HBox", "Button"}
    assert kinds["temperature"] == kinds["presence_penalty"] == {"FloatSlider", "Text"}
    assert kinds["max_tokens"] == kinds["seed"] == {"Text"}
    assert kinds["stop"] == {"Text", "TagsInput"}
    assert "tools" not in kinds  # written as JSON


def test_slider_sends_its_value_and_fills_the_field(panel):
    row, _ = row_of(panel, "temperature")
    slider, field = control_of(row, w.FloatSlider), control_of(row, w.Text)
    assert field.value == ""
    assert "azml-default" in slider._dom_classes
    set_state(slider, value=0.3)
    assert sent(panel) == {"temperature": 0.3}
    assert field.value == "0.3"
    assert "azml-default" not in slider._dom_classes


def test_typed_number_moves_the_slider(panel):
    row, line = row_of(panel, "temperature")
    set_state(control_of(row, w.Text), value="0.85")
    assert sent(panel) == {"temperature": 0.85}
    assert control_of(row, w.FloatSlider).value == 0.85
    assert not is_visible(line)


@pytest.mark.parametrize(
    ("exact", "echoed"), [("0.17", 0.15), ("0.01", 0), ("1.999", 2), ("0.125", 0.1), ("0.125", 0.15)]
)
def test_echo_of_a_value_between_two_steps_is_not_input(panel, exact, echoed):
    row, _ = row_of(panel, "temperature")
    slider, field = control_of(row, w.FloatSlider), control_of(row, w.Text)
    set_state(field, value=exact)
    set_state(slider, value=echoed)  # what the browser's slider says of it
    assert sent(panel) == {"temperature": float(exact)}
    assert field.value == exact
    set_state(slider, value=0.9)
    assert sent(panel) == {"temperature": 0.9}


def test_number_outside_range_is_sent_with_a_note(panel):
    row, line = row_of(panel, "temperature")
    set_state(control_of(row, w.Text), value="7")
    assert sent(panel) == {"temperature": 7}
    slider = control_of(row, w.FloatSlider)
    assert slider.value == slider.max == 2
    assert line.value == "above the documented maximum of 2; it is sent"
    assert control_of(row, w.Text).value == "7"  # the slider at its end did not overwrite it


def test_wrong_number_stays_typed_and_is_not_sent(panel):
    row, line = row_of(panel, "temperature")
    set_state(control_of(row, w.Text), value="0.5")
    set_state(control_of(row, w.Text), value="warm")
    assert control_of(row, w.Text).value == "warm"
    assert line.value == "'warm' is not a number"
    assert "azml-bad" in line._dom_classes
    assert control_of(row, w.FloatSlider).value == 0.5
    set_state(control_of(row, w.Text), value="0.6")
    assert not is_visible(line)
    assert sent(panel) == {"temperature": 0.6}


def test_reset_button_stops_sending_a_kwarg(panel):
    row, line = row_of(panel, "temperature")
    reset = control_of(row, w.Button)
    assert reset.disabled
    set_state(control_of(row, w.Text), value="9")
    assert reset.tooltip == "Do not send temperature"
    click(reset)
    assert sent(panel) == {}
    assert control_of(row, w.Text).value == ""
    assert reset.disabled
    assert not is_visible(line)


def test_stop_sequences_are_tags(panel):
    row, _ = row_of(panel, "stop")
    tags, entry = control_of(row, w.TagsInput), control_of(row, w.Text)
    assert not is_visible(tags)
    for tag in ("END", "a, b", "\\n", "END"):
        set_state(entry, value=tag)
        assert (entry.value, is_visible(tags)) == ("", True)
    assert sent(panel) == {"stop": ["END", "a, b", "\n"]}
    set_state(tags, value=["END"])  # the others were removed
    assert sent(panel) == {"stop": ["END"]}
    click(control_of(row, w.Button))
    assert (tags.value, sent(panel), is_visible(tags)) == ([], {}, False)


def test_boolean_is_default_true_or_false(panel):
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "gpt2")
    row, _ = row_of(panel, "do_sample")
    choice = control_of(row, w.Dropdown)
    assert choice.options == (("default", ""), ("true", "true"), ("false", "false"))
    set_state(choice, index=2)
    assert sent(panel) == {"do_sample": False}
    set_state(choice, index=0)
    assert sent(panel) == {}


def test_integer_refuses_a_fraction(panel):
    row, line = row_of(panel, "max_tokens")
    set_state(control_of(row, w.Text), value="1.5")
    assert line.value == "'1.5' is not a whole number"
    set_state(control_of(row, w.Text), value="15")
    assert sent(panel) == {"max_tokens": 15}


def test_drawn_value_is_not_sent_back(panel):
    row, _ = row_of(panel, "top_p")
    panel.traffic.clear()
    panel.model.set_kwarg("top_p", "0.123456")
    assert control_of(row, w.Text).value == "0.123456"
    assert control_of(row, w.FloatSlider).value == 0.123456
    assert sent(panel) == {"top_p": 0.123456}  # not rounded to the slider's step


def test_slider_starts_at_the_documented_default():
    with Traffic().recording():
        row = KwargRow(None, Kwarg("top_p", "number", "help", 0, 1, default=1))
        slider, field = control_of(row.widget, w.FloatSlider), control_of(row.widget, w.Text)
        assert (slider.value, field.placeholder, field.value) == (1, "default 1", "")


def test_rows_follow_the_formatter_and_are_reused(panel):
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
