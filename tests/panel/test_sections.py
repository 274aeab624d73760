"""The panel's settings: the config, the endpoint, the formatter and the kwargs, from both sides."""

from __future__ import annotations

import json

import ipywidgets as w
import pytest

from azml_magics.core import keys
from azml_magics.core.config import LLMConfig
from azml_magics.core.keys import KeyRef
from azml_magics.panel.model.drafts import NEW
from azml_magics.session import Session

from .widgets import clicks, fires, is_shown, opened, sets, submits, within

URL = "http://127.0.0.1:9/v1/chat/completions"
KEY = "typed-0nce-s3cr3t"


@pytest.fixture
def session():
    session = Session()
    session.save("main", LLMConfig(endpoint_url=URL, formatter="openai-chat", key=None))
    session.save("other", LLMConfig(endpoint_url="http://127.0.0.1:9/score", formatter="gpt2", key="env:OTHER_KEY"))
    return session


@pytest.fixture
def panel(session):
    with opened(session) as panel:
        yield panel


def options_of(choice):
    return [name for _, name in choice.options]


# ---- which config


def test_the_sessions_configs_are_there_to_choose_from(panel):
    choice = panel.find("Config")
    assert (options_of(choice), choice.value) == (["main", "other"], "main")


def test_choosing_makes_it_the_sessions_and_shows_its_fields(panel, session):
    sets(panel.find("Config"), index=1)
    assert session.active == "other"
    assert panel.find("URL").value == "http://127.0.0.1:9/score"
    assert panel.find("Key").value == "env:OTHER_KEY"
    assert panel.find("Formatter").value == "gpt2"


def test_what_the_session_does_shows_at_once(panel, session):
    session.use("other")
    assert panel.find("Config").value == "other"
    session.save("third", LLMConfig(endpoint_url=URL))
    session.rename("main", "first")
    assert options_of(panel.find("Config")) == ["first", "other", "third"]
    session.delete("other")
    assert options_of(panel.find("Config")) == ["first", "third", NEW]
    assert panel.find("Config").value == NEW  # deleted in the notebook: no config is active


def test_a_mark_stands_where_it_differs_from_what_is_saved(panel):
    assert "● unsaved changes" not in panel.lines()
    panel.type("URL", URL.replace("9", "10"))
    assert "● unsaved changes" in panel.lines()
    assert not panel.find("Save", w.Button).disabled
    panel.type("URL", URL)
    assert "● unsaved changes" not in panel.lines()
    assert panel.find("Save", w.Button).disabled


def test_save_keeps_the_changes_under_the_name(panel, session):
    panel.type("Deployment", "blue")
    panel.click("Save")
    assert session.get("main").deployment_name == "blue"
    assert "Saved main." in panel.lines()
    assert panel.find("Revert", w.Button).disabled


def test_revert_drops_them(panel, session):
    panel.type("Deployment", "blue")
    panel.click("Revert")
    assert panel.find("Deployment").value == ""
    assert "Unsaved changes discarded." in panel.lines()


def test_unsaved_changes_wait_while_another_config_is_looked_at(panel):
    panel.type("Deployment", "blue")
    sets(panel.find("Config"), index=1)
    assert panel.find("Deployment").value == ""
    sets(panel.find("Config"), index=0)
    assert panel.find("Deployment").value == "blue"


def test_without_any_config_a_new_one_waits():
    with opened() as panel:
        assert panel.find("Config").options == (("(new config)", ""),)
        assert panel.find("Delete", w.Button).disabled
        panel.type("URL", URL)
        assert panel.find("Formatter").value == ""
        panel.click("Save")  # it has no name yet: the panel asks for it
        panel.type("Save as", "mine")
        submits(panel.find("Save as", w.Text))
        assert panel.find("Config").value == "mine"
        assert panel.model.session.get("mine").endpoint_url == URL


def test_new_begins_one_beside_the_others(panel, session):
    panel.click("New")
    assert (panel.find("Config").value, panel.find("URL").value) == (NEW, "")
    assert session.active == "main"
    assert "New config: type its URL, then save it under a name." in panel.lines()


# ---- what an action has to ask


def drawer(panel):
    """The field of the drawer, its box, and the button that means it."""
    (box,) = [
        each
        for each in within(panel.panel.widget)
        if isinstance(each, w.VBox) and any(isinstance(child, w.Checkbox) for child in each.children)
    ]
    yes, _cancel = box.children[-1].children
    return box, box.children[1], box.children[2], yes


def test_save_as_asks_for_a_name(panel, session):
    box, field, plain, yes = drawer(panel)
    assert not is_shown(box)
    panel.type("Deployment", "blue")
    panel.click("Save as")
    assert is_shown(box)
    assert (field.description, yes.description, is_shown(plain)) == ("Save as", "Save", False)
    sets(field, value="copy")
    clicks(yes)
    assert session.get("copy").deployment_name == "blue"
    assert session.get("main").deployment_name == ""
    assert panel.find("Config").value == "copy"
    assert not is_shown(box)


def test_another_event_of_the_field_is_no_answer(panel, session):
    panel.click("Save as")
    _, field, _, _ = drawer(panel)
    sets(field, value="copy")
    fires(field, "focus")
    assert session.names() == ["main", "other"]


@pytest.mark.parametrize(
    ("name", "said"), [("other", "A config named other already exists"), ("no good name", "name"), ("", None)]
)
def test_a_name_that_cannot_be_leaves_the_drawer_open(panel, session, name, said):
    box, field, _, yes = drawer(panel)
    panel.click("Save as")
    sets(field, value=name)
    clicks(yes)
    assert is_shown(box)
    assert session.names() == ["main", "other"]
    assert said is None or any(said in line for line in panel.lines())


def test_cancel_does_nothing(panel, session):
    box, field, _, _ = drawer(panel)
    panel.click("Save as")
    sets(field, value="copy")
    panel.click("Cancel")
    assert (is_shown(box), session.names()) == (False, ["main", "other"])


def test_delete_wants_to_be_meant(panel, session):
    panel.click("Delete")
    box, field, _, yes = drawer(panel)
    assert "Delete main from this session? A file it was imported from is kept." in panel.lines()
    assert (is_shown(field), yes.button_style) == (False, "danger")
    clicks(yes)
    assert session.names() == ["other"]
    assert panel.find("Config").value == "other"
    assert "Deleted main. other is active now." in panel.lines()
    assert not is_shown(box)


def test_the_last_config_can_be_deleted_too(panel, session):
    for _ in range(2):
        panel.click("Delete")
        clicks(drawer(panel)[3])
    assert session.names() == []
    assert panel.find("Config").value == NEW


def test_another_choice_withdraws_the_question(panel, session):
    panel.click("Delete")
    box, _, _, yes = drawer(panel)
    sets(panel.find("Config"), index=1)
    assert not is_shown(box)
    clicks(yes)  # a click that was already on its way
    assert session.names() == ["main", "other"]


def test_a_question_that_is_cancelled_is_not_answered_later(panel, session):
    panel.click("Delete")
    _, _, _, yes = drawer(panel)
    panel.click("Cancel")
    clicks(yes)
    assert session.names() == ["main", "other"]


def test_export_and_import(panel, session, tmp_path):
    panel.click("Export")
    _, field, plain, yes = drawer(panel)
    assert (field.value, is_shown(plain)) == ("main.json", True)
    sets(field, value=str(tmp_path / "saved.json"))
    clicks(yes)
    assert json.loads((tmp_path / "saved.json").read_text())["endpoint_url"] == URL
    assert any(line.startswith("Exported to ") for line in panel.lines())
    session.delete("main")
    panel.click("Import")
    sets(drawer(panel)[1], value=str(tmp_path / "saved.json"))
    clicks(drawer(panel)[3])
    assert session.get(panel.find("Config").value).endpoint_url == URL


def test_a_file_that_is_not_there_is_said_in_place(panel):
    panel.click("Import")
    box, field, _, yes = drawer(panel)
    sets(field, value="nowhere.json")
    clicks(yes)
    assert is_shown(box)
    assert any("nowhere.json" in line for line in panel.lines())


# ---- the endpoint


FIELDS = {
    "URL": ("endpoint_url", "http://127.0.0.1:9/score"),
    "Deployment": ("deployment_name", "blue"),
    "Key": ("key", "env:SOME_KEY"),
    "Model": ("model", "phi-4"),
    "API version": ("api_version", "2024-05-01-preview"),
    "Timeout": ("timeout", "12.5"),
    "Retries": ("max_retries", "0"),
}


@pytest.mark.parametrize("description", FIELDS)
def test_a_field_reaches_the_config_and_the_config_the_field(panel, description):
    field, text = FIELDS[description]
    panel.type(description, text)
    value = getattr(panel.model.draft.config, field)
    assert (f"{value:g}" if isinstance(value, float) else str(value)) == text
    panel.click("Revert")
    assert panel.find(description).value == panel.model.draft.texts[field]
    panel.model.set(field, text)
    assert panel.find(description).value == text


def test_the_type_is_chosen_or_follows_the_url(panel):
    kind = panel.find("Type")
    assert kind.value == ""
    assert "serverless" in " ".join(panel.lines())
    sets(kind, index=1)
    assert panel.model.draft.config.endpoint_api_type == "dedicated"
    sets(kind, index=0)
    assert panel.model.draft.config.endpoint_api_type == "serverless"


@pytest.mark.parametrize(
    ("description", "text", "said"),
    [
        ("URL", "nonsense", "URL"),
        ("Timeout", "soon", "soon"),
        ("Retries", "1.5", "'1.5' is not a whole number"),
        ("Key", "env:", "incomplete"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_stays_typed(panel, description, text, said):
    panel.type(description, text)
    assert panel.find(description).value == text
    assert [line for line in panel.lines() if said in line]
    panel.click("Revert")
    assert not [line for line in panel.lines() if said in line]


def test_a_sign_says_whether_the_key_is_found(panel, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "value")
    signs = {}
    for key in ("none", "env:SOME_KEY", "env:NOT_SET", "ask", "entra"):
        panel.type("Key", key)
        (signs[key],) = [line for line in panel.lines() if line[:1] in "✓✗?"]
    assert signs == {
        "none": "✓ no key is sent",
        "env:SOME_KEY": "✓ SOME_KEY is set",
        "env:NOT_SET": "✗ NOT_SET is not set: set it before starting Jupyter, or type the key below",
        "ask": "✗ type the key below",
        "entra": "? a token is fetched when needed",
    }


def test_nothing_can_be_tested_without_a_url(panel):
    panel.type("URL", "")
    assert all(panel.find(name, w.Button).disabled for name in ("Test", "Detect", "Probe"))
    panel.type("URL", URL)
    assert not any(panel.find(name, w.Button).disabled for name in ("Test", "Detect", "Probe"))


# ---- a key that is typed


def texts_of(traffic):
    return json.dumps([each.data for each in traffic.messages])


def test_a_typed_key_is_kept_for_the_session_and_leaves_no_trace(panel):
    box = panel.find("API key")
    sets(box, value=KEY)
    assert box.value == ""
    assert panel.model.draft.config.key == KeyRef("ask")
    assert keys.is_answered(URL)
    assert KeyRef("ask").resolve(URL).reveal() == KEY
    assert "The key is kept in memory for this session. It is not saved." in panel.lines()
    assert "✓ typed, for this session" in panel.lines()
    assert KEY not in texts_of(panel.traffic)
    assert KEY not in json.dumps(w.Widget.get_manager_state(), default=str)
    assert KEY not in repr(vars(panel.model)) + repr(vars(panel.model.draft)) + repr(box)


def test_the_frontends_own_copy_of_the_key_is_blanked(panel):
    panel.traffic.clear()
    box = panel.find("API key")
    sets(box, value=KEY)
    ours = [each.data["state"] for each in panel.traffic.updates if each.comm_id == box.comm.comm_id]
    assert ours == [{"value": ""}]


def test_a_second_key_replaces_the_first(panel):
    for key in (KEY, "an0ther-key", "an0ther-key"):
        sets(panel.find("API key"), value=key)
        assert KeyRef("ask").resolve(URL).reveal() == key
        assert panel.find("API key").value == ""


def test_a_key_without_an_endpoint_is_refused_and_not_kept(panel):
    panel.type("URL", "")
    sets(panel.find("API key"), value=KEY)
    assert panel.find("API key").value == ""
    assert "An API key belongs to an endpoint. Type the URL first." in panel.lines()
    assert KEY not in texts_of(panel.traffic)


def test_a_key_in_the_box_for_references_is_not_taken(panel):
    panel.type("Key", KEY)
    assert any("not a key reference" in line for line in panel.lines())
    assert panel.model.draft.config.key is None
    assert KEY not in panel.find("Key").value
    assert KEY not in texts_of(panel.traffic)  # not as an echo either


# ---- the formatter


def test_only_the_formatters_that_fit_are_offered(panel):
    chat = options_of(panel.find("Formatter"))
    panel.type("URL", "http://127.0.0.1:9/score")
    score = options_of(panel.find("Formatter"))
    assert "gpt2" not in chat
    assert "gpt2" in score
    assert {"openai-chat", ""} <= set(chat) & set(score)


def test_its_description_follows(panel):
    panel.type("URL", "http://127.0.0.1:9/score")
    panel.type("Formatter", "dolly")
    assert panel.model.describe_formatter() in panel.lines()
    assert any("Formatter: dolly" in title for title in titles(panel))


def titles(panel):
    return [title for each in within(panel.panel.widget) if isinstance(each, w.Accordion) for title in each.titles]


def fold_of(panel, title):
    (fold,) = [
        each
        for each in within(panel.panel.widget)
        if isinstance(each, w.Accordion) and each.titles[0].startswith(title)
    ]
    return fold


def test_what_it_will_send_is_written_only_while_it_can_be_seen(panel):
    shows = panel.find("Will send")
    panel.type("Prompt", "Hello")
    assert shows.value == ""
    sets(fold_of(panel, "Formatter"), selected_index=0)
    assert '"Hello"' in shows.value
    panel.type("Prompt", "Hello there")
    assert '"Hello there"' in shows.value
    sets(fold_of(panel, "Formatter"), selected_index=None)
    panel.type("Prompt", "Unseen")
    assert "Unseen" not in shows.value


def test_what_cannot_be_sent_says_why(panel):
    sets(fold_of(panel, "Formatter"), selected_index=0)
    assert panel.find("Will send").value == "There is no prompt. Write one into the prompt field."


# ---- the kwargs


def test_others_are_json(panel):
    panel.type("Others, JSON", '{"logprobs": true, "n": 2}')
    assert panel.model.draft.config.model_kwargs == {"logprobs": True, "n": 2}
    assert "Model kwargs: 2 sent" in titles(panel)
    panel.model.set_rest("")
    assert panel.find("Others, JSON").value == ""
    assert "Model kwargs: all by default" in titles(panel)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON at column 2"),
        ("[1]", "must be an object"),
        ('{"temperature": 1}', "temperature has a field of its own above"),
        ('{"a": NaN}', "NaN cannot be sent"),
        ("{" * 5000, "not JSON"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_json_that_cannot_be_read_stays_with_its_reason(panel, text, said):
    panel.type("Others, JSON", '{"n": 2}')
    panel.type("Others, JSON", text)
    assert panel.find("Others, JSON").value == text
    assert any(said in line for line in panel.lines())
    assert panel.model.draft.config.model_kwargs == {"n": 2}
    panel.type("Others, JSON", "")
    assert panel.model.draft.config.model_kwargs == {}
    assert not any(said in line for line in panel.lines())
