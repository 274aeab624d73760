"""The responses side by side without widgets: selection, the base, ratings, and the way into the controls."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import Interrupted


@pytest.fixture
def compared(ready, session, chat, wait_until_idle):
    """A panel after main and second were compared with two temperatures."""
    session.save("second", chat.merged(model_kwargs={"top_p": 0.5}))
    ready.set("system", "Answer as {who}.")
    ready.set_variable("who", "a guide")
    ready.runs.compare(["second"], {"temperature": [0, 1]})
    wait_until_idle(ready)
    return ready


def test_single_response_has_no_columns(ready, wait_until_idle):
    assert (ready.columns.labels, ready.columns.row, ready.columns.call()) == ([], None, None)
    ready.runs.run()
    wait_until_idle(ready)
    assert (ready.columns.labels, ready.columns.selected) == ([], 0)
    assert ready.columns.row.text
    assert ready.columns.version_id == ready.session.last.id


def test_each_column_is_a_version(compared, session):
    assert compared.columns.labels == [
        "config=main, temperature=0",
        "config=main, temperature=1",
        "config=second, temperature=0",
        "config=second, temperature=1",
    ]
    assert [compared.columns.id_of(index) for index in range(4)] == [each.id for each in session.history]


def test_selected_column_is_what_the_tabs_are_about(compared):
    compared.columns.select(3)
    config, messages = compared.columns.call()
    assert (config.name, config.model_kwargs) == ("second", {"top_p": 0.5, "temperature": 1})
    assert messages[-1]["content"] == "Tell me about rivers"
    assert compared.columns.row is compared.result.batch[3]
    compared.columns.select(4)
    assert compared.columns.selected == 3


def test_next_result_begins_with_its_first_column(compared, wait_until_idle):
    compared.columns.select(3)
    compared.columns.set_base(2)
    compared.runs.compare(repeats=2)
    wait_until_idle(compared)
    assert (compared.columns.selected, compared.columns.chosen_base) == (0, 0)
    assert compared.columns.base == 0  # differences are shown again


def test_base_is_chosen_and_hidden_again(compared):
    columns = compared.columns
    assert columns.base is None
    columns.show_differences(shown=True)
    assert columns.base == 0
    columns.set_base(2)
    assert columns.base == 2
    columns.show_differences(shown=False)
    assert (columns.base, columns.chosen_base) == (None, 2)


def test_column_is_rated(compared, session):
    compared.columns.rate(1, "good")
    assert [compared.columns.rating(index) for index in range(4)] == ["", "good", "", ""]
    assert session.history[1].notes["rating"] == "good"
    compared.columns.rate(1, "")
    assert compared.columns.rating(1) == ""


def test_column_that_is_not_whole_is_not_rated(ready, endpoint, session, watch, wait_until_idle):
    endpoint.rate = 1
    ready.runs.compare(repeats=2)
    ready.columns.rate(0, "good")
    assert ready.notes["run"].text == "This response is not complete yet. Rate it when it is."
    ready.columns.use(1)
    assert ready.notes["run"].text == "The responses are still arriving. Stop them first."
    ready.stop()
    wait_until_idle(ready)
    assert all(isinstance(error, Interrupted) for error in ready.result.batch.errors)


def test_own_column_goes_into_the_controls_with_its_variables(compared):
    compared.set_prompt("Something new")
    compared.columns.use(1)
    assert (compared.name, compared.draft.config.model_kwargs) == ("main", {"temperature": 1})
    assert compared.draft.texts["system"] == "Answer as {who}."
    assert compared.prompt.text == "Something new"  # the user's work
    assert compared.columns.selected == 1
    assert len(compared.result.batch) == 4  # the columns stay
    assert compared.notes["run"].text.startswith("config=main, temperature=1 is in the controls now.")


def test_column_of_another_config_chooses_that_config(compared):
    compared.columns.use(3)
    assert (compared.name, compared.draft.config.model_kwargs) == ("second", {"top_p": 0.5, "temperature": 1})
    assert compared.draft.is_changed
    compared.columns.use(9)
    assert compared.name == "second"


def test_undo_brings_the_controls_back(compared):
    compared.set_kwarg("temperature", "0.7")
    compared.columns.use(3)
    compared.versions.undo()
    assert (compared.name, compared.draft.config.model_kwargs) == ("main", {"temperature": 0.7})
    assert compared.draft.texts["system"] == "Answer as {who}."
    assert len(compared.result.batch) == 4


def test_result_is_stale_unless_a_column_has_the_settings(compared):
    assert not compared.is_result_stale
    compared.columns.use(1)
    assert not compared.is_result_stale
    compared.columns.use(2)
    assert not compared.is_result_stale
    compared.set_kwarg("temperature", "0.7")
    assert compared.is_result_stale


def test_notebooks_timeout_does_not_stick_to_a_used_column(session, chat, wait_until_idle):
    from azml_magics.panel.model.panel_model import PanelModel

    session.save("second", chat)
    session.save("main", chat)
    model = PanelModel(session, timeout=lambda: 60.0)
    model.set_prompt("Hello")
    model.runs.compare(["second"])
    wait_until_idle(model)
    model.columns.use(1)
    assert (model.draft.config, model.draft.is_changed) == (session.get("second"), False)
    model.close()


def test_tools_of_the_options_do_not_become_a_kwarg(ready, session, chat, wait_until_idle):
    tool = '[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]'
    ready.set_option("tools", tool)
    ready.runs.compare(sweeps={"temperature": [0, 1]})
    wait_until_idle(ready)
    ready.columns.use(1)
    assert ready.draft.config.model_kwargs == {"temperature": 1}
    assert ready.options.tools == tool
