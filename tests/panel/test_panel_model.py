"""The panel without a view: its actions, and how it follows the session."""

from __future__ import annotations

import json
import threading

import pytest

from azml_magics import codegen, documents
from azml_magics.core import key_sources, wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import UndefinedVariableError
from azml_magics.core.messages import as_messages
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.panel.model.changes import ALL, CONFIG, DRAFT, HISTORY, NOTES, PROMPT, VARIABLES, PanelNote
from azml_magics.panel.model.drafts import NEW
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.model.prompt_draft import PromptVariable

from .conftest import TIMEOUT

URL = "https://n.eastus.inference.ml.azure.com/score"
CHAT = "https://n.eastus.models.ai.azure.com/v1/chat/completions"
PROD = LLMConfig(endpoint_url=URL, formatter="gpt2", key="env:RIVER_KEY")


@pytest.fixture
def prod(model, session):
    """A panel with the configs `prod`, which is chosen, and `test`."""
    session.save("prod", PROD)
    session.save("test", PROD.merged(formatter="hf"))
    return model


@pytest.fixture
def told(prod):
    """The notifications of the panel from now on."""
    parts: list[frozenset[str]] = []
    prod.subscribe(parts.append)
    return parts


def said(model, place="config"):
    return model.notes[place].text


# ---- the same session as the magics


def test_changes_in_the_notebook_show_at_once(prod, session, told):
    session.save("new", PROD)
    session.use("test")
    session.rename("test", "trial")
    session.delete("new")
    assert (prod.names, prod.name) == (["prod", "trial"], "trial")
    assert len(told) == 4
    assert all({CONFIG, DRAFT} <= parts for parts in told)


def test_notebook_calls_show_in_the_history(prod, session, told):
    session.record(session.get("prod"), as_messages("Hi", None), Response("Ho"))
    assert told == [frozenset({HISTORY})]
    assert len(prod.versions.entries()) == 1


def test_actions_change_the_session(prod, session):
    prod.set("timeout", "5")
    assert session.get("prod").timeout == 190
    assert prod.save()
    assert session.get("prod").timeout == 5
    prod.choose("test")
    assert session.active == "test"
    assert prod.save("copy")
    assert (session.names(), session.active) == (["prod", "test", "copy"], "copy")
    prod.delete()
    assert (session.names(), session.active) == (["prod", "test"], "test")


def test_two_panels_over_one_session_agree(prod, session):
    other = PanelModel(session)
    prod.choose("test")
    prod.set("timeout", "5")
    prod.save()
    assert (other.name, other.draft.config.timeout) == ("test", 5)
    other.close()


def test_closed_panel_ignores_the_session(prod, session, told):
    prod.close()
    session.save("new", PROD)
    assert told == []
    prod.close()


# ---- notes


def test_each_action_leaves_a_note(prod, session, tmp_path):
    prod.set("timeout", "5")
    prod.save()
    assert prod.notes["config"] == PanelNote("Saved prod for this session.", "good")
    prod.set("timeout", "6")
    assert said(prod) == ""  # typing clears the note
    prod.revert()
    assert said(prod) == "Unsaved changes discarded."
    prod.new()
    assert said(prod) == "New config: type its URL, then save it under a name."
    prod.delete()
    assert said(prod) == "Deleted the new config. prod is active now."
    assert prod.export(f"{tmp_path}/prod.json")
    assert prod.notes["config"] == PanelNote(f"Exported to {tmp_path}/prod.json, without the key.", "good")
    prod.choose("test")
    prod.delete()
    assert said(prod) == "Deleted test. prod is active now."
    prod.delete()
    assert said(prod) == "Deleted prod. There is no config left."
    assert prod.import_(f"{tmp_path}/prod.json")
    assert prod.notes["config"] == PanelNote("Imported prod.", "good")
    assert session.get("prod").endpoint_url == URL


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda model, _: model.save("my config"), "'my config' cannot name a config. Use letters, digits,"),
        (lambda model, _: model.save("test"), "A config named test already exists. Choose another name,"),
        (lambda model, _: model.choose("gone"), "No config named 'gone'."),
        (lambda model, path: model.export(""), "There is no file name. Type a name that ends in .json or .yaml."),
        (
            lambda model, path: model.export(str(path)),
            " does not end in .json or .yaml. Give the file one of those endings.",
        ),
        (lambda model, path: model.export(f"{path}/file/x.json"), " cannot be written: "),
        (lambda model, path: model.export(f"{path}/folder.json"), "folder.json exists and is not a saved config."),
        (
            lambda model, path: model.import_(f"{path}/none.json"),
            "none.json cannot be read: No such file or directory.",
        ),
        (lambda model, path: model.import_("~nobody-of-that-name/x.json"), " cannot be found: "),
        (lambda model, path: model.import_(f"{path}/file.json"), "file.json "),
    ],
)
def test_failed_action_leaves_a_note_and_changes_nothing(prod, session, tmp_path, act, words):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file.json").write_text("{]")
    (tmp_path / "folder.json").mkdir()
    prod.set("system", "Mine.")
    before = prod.draft.config, session.names(), session.active
    assert not act(prod, tmp_path)
    assert words in said(prod)
    assert "\n" not in said(prod)
    assert " -f" not in said(prod)
    assert prod.notes["config"].mood == "bad"
    assert (prod.draft.config, session.names(), session.active) == before
    assert prod.draft.is_changed


def test_saving_an_unnamed_config_asks_for_a_name(model):
    model.set("endpoint_url", URL)
    assert not model.save()
    assert said(model) == "This config has no name yet. Save it under a name."


def test_note_tells_how_the_notebook_affected_edits(prod, session):
    prod.set("system", "Mine.")
    session.save("prod", PROD.merged(timeout=5))
    assert said(prod) == "prod was changed in the notebook too. Revert shows that version; Save replaces it."
    session.delete("prod")
    assert said(prod) == "prod was deleted in the notebook; its unsaved changes are kept here."
    assert (prod.name, prod.draft.config.system) == (NEW, "Mine.")


def test_exported_file_loads_in_magics_and_langchain(prod, tmp_path, monkeypatch):
    pytest.importorskip("langchain_core", reason="LangChain is an extra")
    from azml_magics.langchain import load_llm

    monkeypatch.setenv("RIVER_KEY", "s3cret")
    prod.set("system", "Be brief.")
    prod.set_kwarg("temperature", "0.5")
    path = prod.export(f"{tmp_path}/prod.json")
    documents.save(prod.draft.config, tmp_path / "same.json")
    assert path.read_text() == (tmp_path / "same.json").read_text()
    assert load_llm(path).model_kwargs == {"temperature": 0.5}
    plain = prod.export(f"{tmp_path}/plain.yaml", langchain=True)
    assert plain.read_text().count("\n") == 4
    assert "endpoint_url" not in plain.read_text()


# ---- notifications


def test_no_change_sends_no_notification(prod, told):
    prod.choose("prod")
    prod.set("timeout", "")
    prod.set_other_kwargs("")
    prod.set_prompt("")
    prod.set_variable("x", "")
    prod.refresh_variables()
    assert told == []


def test_listeners_get_the_changed_parts(prod, told):
    prod.set_prompt("About {topic}")
    prod.set_variable("topic", "tea")
    prod.set("timeout", "5")
    prod.refresh_variables()
    prod.set_kwarg("temperature", "1")
    prod.reset_kwarg("temperature")
    assert told == [
        {PROMPT, VARIABLES},
        {PROMPT},
        {CONFIG, DRAFT, NOTES},
        {VARIABLES},
        {CONFIG, DRAFT, NOTES},
        {CONFIG, DRAFT, NOTES},
    ]
    assert set().union(*told) <= ALL


def test_nested_changes_notify_once(prod, told):
    prod.set("timeout", "5")
    told.clear()
    prod.save("copy")
    assert len(told) == 1


def test_failing_listener_does_not_stop_the_action(prod, session, logged, told):
    def broken(parts):
        raise RuntimeError("the drawing failed")

    prod.subscribe(broken)
    after: list[frozenset[str]] = []
    prod.subscribe(after.append)
    prod.set("timeout", "5")
    assert prod.save()
    assert len(after) == len(told) == 2
    assert {record.levelname for record in logged} == {"DEBUG"}  # invisible unless debug logging is on
    logged.clear()


def test_listener_may_change_the_model(prod):
    def answer(parts):
        if PROMPT in parts:
            prod.set("system", f"about {prod.prompt.text}")

    prod.subscribe(answer)
    prod.set_prompt("tea")
    assert prod.draft.config.system == "about tea"


def test_listeners_get_one_change_at_a_time(prod):
    inside, most = [], []

    def listen(parts):
        inside.append(1)
        most.append(len(inside))
        prod.build_cell()
        inside.pop()

    prod.subscribe(listen)
    threads = [
        threading.Thread(target=lambda n=n: [prod.set("timeout", str(n * 100 + i + 1)) for i in range(50)])
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
    assert set(most) == {1}


# ---- the endpoint


def test_typed_key_sets_the_reference(prod, session, contains_text, tmp_path):
    prod.set_key(" Bearer panel-s3cret-key\n")
    assert str(prod.draft.config.key) == "ask"
    assert prod.notes["endpoint"] == PanelNote("The key is kept in memory for this session. It is not saved.", "good")
    assert key_sources.is_typed(URL)
    prod.save()
    prod.export(f"{tmp_path}/prod.json")
    prod.set_prompt("Hi")
    assert "panel-s3cret-key" not in (tmp_path / "prod.json").read_text()
    assert "panel-s3cret-key" not in codegen.format_request(prod.draft.config, prod.messages(), stream=True)
    assert not contains_text(prod, "panel-s3cret-key")
    assert not contains_text(session, "panel-s3cret-key")


def test_key_without_url_is_refused(model):
    model.set_key("s3cret-key")
    said = "An API key belongs to an endpoint. Type the URL first."
    assert model.notes["endpoint"] == PanelNote(said, "bad", "config")
    assert model.draft.texts["key"] != "ask"


@pytest.mark.parametrize("typed", ["", "  ", "Bearer "])
def test_empty_key_is_ignored(prod, typed):
    prod.set_key(typed)
    assert str(prod.draft.config.key) == "env:RIVER_KEY"
    assert not key_sources.is_typed(URL)


def test_key_in_memory_is_never_shown(prod, session, contains_text):
    session.save("memory", PROD.merged(key=Secret("memory-s3cret-key")))
    prod.choose("memory")
    prod.set("system", "Be brief.")
    prod.set_prompt("Hi")
    assert prod.build_cell().text.startswith("%%azureml memory -s 'Be brief.'")
    prod.save("copy")
    assert session.get("copy").key == Secret("memory-s3cret-key")
    assert not contains_text(prod, "memory-s3cret-key")


# ---- the formatter


def test_fitting_and_chosen_formatters_are_offered(prod):
    offered = [name for _, name in prod.formatter_choices()]
    assert "gpt2" in offered
    assert "hf" in offered
    prod.set("endpoint_url", CHAT)
    labels = {name: label for label, name in prod.formatter_choices()}
    assert "hf" not in labels
    assert labels[""] == "from the URL: openai-chat"
    assert "gpt2" in labels  # it does not fit but is chosen
    prod.set("formatter", "")
    assert "gpt2" not in [name for _, name in prod.formatter_choices()]


def test_formatter_choice_without_url(model):
    assert model.formatter_choices()[0] == ("choose one", "")
    assert model.describe_formatter() == ""


def test_formatter_description_is_one_line(prod):
    assert prod.describe_formatter() == wire.get("gpt2").description

    class Mine:
        def format_request_payload(self, prompt, model_kwargs):
            return b"{}"

        def format_response_payload(self, output):
            return ""

    prod.session.save("mine", PROD.merged(formatter=Mine()))
    prod.choose("mine")
    assert prod.describe_formatter() == "a formatter of your own"
    assert ("(Mine)", "(Mine)") in prod.formatter_choices()


# ---- the prompt


def test_variables_have_current_notebook_values(prod, variables):
    prod.set_prompt("About {topic} and {other}")
    assert prod.variables() == [PromptVariable("topic", "", None), PromptVariable("other", "", None)]
    variables["topic"] = "tea"
    prod.set_variable("other", "rain")
    assert prod.variables() == [PromptVariable("topic", "", "tea"), PromptVariable("other", "rain", None)]
    prod.set("system", "Be brief.")
    assert prod.messages() == as_messages("About tea and rain", "Be brief.")


def test_missing_variable_is_named(prod):
    prod.set_prompt("About {topic}")
    with pytest.raises(UndefinedVariableError):
        prod.messages()


def test_cell_has_saved_and_typed_state(prod):
    prod.set_prompt("\n\nAbout {topic}\n")
    prod.set_variable("topic", "tea")
    prod.set_kwarg("temperature", "0.5")
    assert (
        prod.build_cell("--repeat", "3").text
        == "%%azureml prod -p temperature=0.5 -v topic=tea --repeat 3\nAbout {topic}"
    )
    prod.save()
    assert prod.build_cell().text == "%%azureml prod -v topic=tea\nAbout {topic}"


# ---- any input


def test_any_field_accepts_any_text_without_logging(prod, tmp_path):
    strange = [
        "",
        " ",
        "\0",
        "\ud800",
        "\u2028",
        "9" * 5000,
        "{" * 5000,
        "<img src=x onerror=alert(1)>",
        "-",
        "~x",
        "é" * 300,
    ]
    for text in strange:
        for field in prod.draft.texts:
            prod.set(field, text)
        for kwarg in list(prod.draft.controls):
            prod.set_kwarg(kwarg.name, (text,) if kwarg.type == "strings" else text)
        prod.set_other_kwargs(text)
        prod.set_prompt(text + "{x}")
        prod.set_variable("x", text)
        (
            prod.formatter_choices(),
            prod.describe_formatter(),
            prod.build_cell(),
            prod.variables(),
            prod.draft.other_kwargs_json,
        )
        assert all(len(error.splitlines()) <= 1 for error in prod.draft.errors.values())
        prod.runs.run()
        prod.checks.test()
        assert prod.worker.wait(TIMEOUT)
        assert not prod.save(text or " ")
        assert prod.export(text) is None
        assert not prod.import_(text)
        prod.choose(text)
        prod.set_key(text)
        prod.revert()
        assert all(len(note.text.splitlines()) <= 1 for note in prod.notes.values())
        json.dumps([note.text for note in prod.notes.values()])


def test_typing_clears_the_note_of_a_refused_click(prod):
    prod.runs.run()
    assert said(prod, "run").startswith("There is no prompt")
    prod.set_prompt("Say hello.")
    assert said(prod, "run") == ""
    prod.set_kwarg("temperature", "warm")
    prod.runs.run()
    assert "temperature" in said(prod, "run")
    prod.reset_kwarg("temperature")
    assert said(prod, "run") == ""
