"""What Compare would send: announced, confirmed if it is much, and written as a cell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from azml_magics.compare.side_by_side import parse_values
from azml_magics.panel.model.cell_source import escape_strings, is_reference
from azml_magics.panel.model.comparison import ASK_ABOVE, _sweep_words, _text_of


@pytest.fixture
def three(ready, session, chat):
    """A panel with three configs; `main` is chosen."""
    for name in ("second", "third"):
        session.save(name, chat)
    return ready


def described(model):
    return model.comparison.describe()[0]


def test_nothing_is_chosen_at_first(three):
    assert three.comparison.choices == ["second", "third"]
    assert described(three) == "Choose configs, parameters or a number of times to compare."


def test_plan_is_announced_with_its_tokens(three):
    three.comparison.set_names(["second", "third"])
    three.comparison.set_sweeps("temperature=0, 1")
    three.comparison.set_repeats(2)
    said = described(three)
    assert said.startswith("3 configs x 2 values of temperature x 2 times = 12 requests, prompts of about ")
    assert said.endswith(" tokens (estimated: bytes / 4)")


def test_costs_are_announced_only_if_every_price_is_known(three, session, chat):
    session.save("priced", chat.merged(price="1,2"))
    three.choose("priced")
    three.comparison.set_repeats(2)
    assert ", which cost 0.00" in described(three)
    three.comparison.set_names(["second"])
    assert "cost" not in described(three)


@pytest.mark.parametrize(
    ("typed", "swept"),
    [
        ("temperature=0, 0.5,1", {"temperature": [0, 0.5, 1]}),
        ("temperature = 0\n\n top_p=1", {"temperature": [0], "top_p": [1]}),
        ('stop=["a", "b"]', {"stop": ["a", "b"]}),
        ('stop=[["a", "b"], ["c"]]', {"stop": [["a", "b"], ["c"]]}),
        ("style=plain, florid", {"style": ["plain", "florid"]}),
        ("", {}),
    ],
)
def test_each_line_is_a_parameter_with_its_values(three, typed, swept):
    three.comparison.set_sweeps(typed)
    assert three.comparison.parse_sweeps() == swept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("temperature", "'temperature' has no values. Write temperature=0, 0.5, 1, for example."),
        ("temperature=", "'temperature=' has no values."),
        ("=1", "'=1' has no values."),
        ("seed=1\nseed=2", "seed stands there twice. Put all its values on one line."),
    ],
)
def test_line_that_cannot_be_read_is_said_and_not_sent(three, endpoint, typed, said):
    three.comparison.set_sweeps(typed)
    text, mood = three.comparison.describe()
    assert text.startswith(said)
    assert mood == "bad"
    three.comparison.send()
    assert three.notes["run"].text.startswith(said)
    assert (three.running, endpoint.requests) == ("", [])


def test_text_in_place_of_a_number_is_refused(three, endpoint):
    three.comparison.set_sweeps("temperature=0, 1 top_p=0.5")
    three.comparison.send()
    assert three.notes["run"].text == "temperature takes a number, not the text '1 top_p=0.5'."
    assert endpoint.requests == []


def test_many_requests_are_sent_only_after_a_second_click(three, endpoint, wait_until_idle):
    three.comparison.set_repeats(ASK_ABOVE + 1)
    three.comparison.send()
    assert three.comparison.is_asking
    assert (three.running, endpoint.requests) == ("", [])
    three.comparison.send()
    wait_until_idle(three)
    assert len(endpoint.requests) == ASK_ABOVE + 1
    assert not three.comparison.is_asking


def test_another_choice_takes_the_question_back(three, endpoint):
    for change in (
        lambda: three.comparison.cancel(),
        lambda: three.comparison.set_names(["third"]),
        lambda: three.comparison.set_sweeps("seed=1"),
        lambda: three.comparison.set_repeats(20),
    ):
        three.comparison.set_repeats(ASK_ABOVE + 1)
        three.comparison.send()
        change()
        assert not three.comparison.is_asking
    assert endpoint.requests == []


def test_few_requests_are_sent_at_once(three, endpoint, wait_until_idle):
    three.comparison.set_names(["third"])
    three.comparison.send()
    wait_until_idle(three)
    assert [row.label for row in three.result.batch] == ["main", "third"]


def test_too_many_requests_are_never_sent(three, endpoint):
    three.comparison.set_repeats(101)
    assert three.comparison.describe() == ("101 requests: one click sends at most 100.", "bad")
    for _ in range(2):
        three.comparison.send()
    assert three.notes["run"].text.startswith("That would be 101 requests.")
    assert endpoint.requests == []


def test_chosen_config_that_is_gone_or_chosen_itself_is_left_out(three, session):
    three.comparison.set_names(["second", "third"])
    session.delete("third")
    assert three.comparison.names == ["second"]
    three.choose("second")
    assert (three.comparison.names, three.comparison.choices) == ([], ["main"])


def test_parameter_is_added_with_its_value(three):
    three.set_kwarg("temperature", "0.3")
    three.comparison.add_kwarg("temperature")
    three.comparison.add_kwarg("seed")
    three.comparison.add_kwarg("temperature")
    assert three.comparison.sweeps == "temperature=0.3\nseed="


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, min_size=1), max_leaves=5
)


@given(JSON)
def test_added_value_is_read_back(value):
    assert parse_values(_text_of(value)) == [value]


# ---- the cell


def test_cell_compares_the_same(three):
    three.comparison.set_names(["second"])
    three.comparison.set_sweeps("temperature=0, 1")
    three.comparison.set_repeats(2)
    cell = three.build_comparison_cell()
    assert cell.text == "%%azureml --compare main,second --sweep temperature=0,1 -n 2\nTell me about rivers"
    assert cell.note == ""


def test_cell_of_one_config_says_its_changes(three):
    three.set_kwarg("top_p", "0.5")
    three.comparison.set_repeats(3)
    assert three.build_comparison_cell().text == "%%azureml main -p top_p=0.5 -n 3\nTell me about rivers"


def test_cell_needs_a_saved_config_to_compare(three):
    three.comparison.set_names(["second"])
    three.set_kwarg("top_p", "0.5")
    assert three.build_comparison_cell() == ("", "A cell compares saved configs. Save this one first.")


def test_cell_cannot_say_a_value_that_is_a_variable_there(three):
    three.comparison.set_sweeps('style="$x"')
    assert three.build_comparison_cell().note == "A cell would read a value of style as a variable."


@given(st.lists(JSON, min_size=1))
def test_swept_values_are_read_back_from_a_cell(values):
    assume(not any(isinstance(value, str) and is_reference(value) for value in values))
    option, word = _sweep_words("seed", values)
    (setting,) = shlex.split(word)
    assert option == "--sweep"
    assert not any(sign in word for sign in "\n\r")
    assert parse_values(setting.removeprefix("seed=")) == escape_strings(values)
