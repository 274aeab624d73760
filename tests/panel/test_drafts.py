"""The chosen config, its unsaved changes, and how changes in the notebook affect them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from azml_magics import documents
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, DocumentError, UnknownNameError, UsageError
from azml_magics.core.secret import Secret
from azml_magics.panel.model.drafts import NEW, Drafts
from azml_magics.session import Session

URL = "https://n.eastus.inference.ml.azure.com/score"
PROD = LLMConfig(endpoint_url=URL, formatter="gpt2", key="env:RIVER_KEY")


@pytest.fixture
def drafts(session):
    made = Drafts(session)
    session.subscribe(made.follow)
    return made


@pytest.fixture
def two(drafts, session):
    """A session with `a`, which is chosen, and `b`."""
    session.save("a", PROD)
    session.save("b", PROD.merged(formatter="hf"))
    return drafts


# ---- choosing


def test_empty_session_has_an_unnamed_config(drafts):
    assert (drafts.names, drafts.name) == ([NEW], NEW)
    assert drafts.current.config == LLMConfig()
    assert not drafts.current.is_changed


def test_chosen_config_is_the_active_one(two, session):
    assert (two.names, two.name) == (["a", "b"], "a")
    two.choose("b")
    assert session.active == "b"
    session.use("a")
    assert two.name == "a"


def test_unsaved_changes_are_kept_per_config(two):
    two.current.set("system", "Mine.")
    two.current.set_kwarg("temperature", "warm")
    two.choose("b")
    assert not two.current.is_changed
    two.choose("a")
    assert two.current.config.system == "Mine."
    assert two.current.errors == {"temperature": "'warm' is not a number"}


def test_deleted_config_cannot_be_chosen(two, session):
    two.new()
    with pytest.raises(UnknownNameError):
        two.choose("c")
    assert (two.name, session.active) == (NEW, "a")


# ---- a new one


def test_new_config_is_listed_until_saved(two, session):
    two.new()
    assert (two.names, two.name) == (["a", "b", NEW], NEW)
    assert two.current.config == LLMConfig()
    assert session.active == "a"
    two.current.set("endpoint_url", URL)
    two.save_as("c")
    assert (two.names, two.name, session.active) == (["a", "b", "c"], "c", "c")
    assert session.get("c").endpoint_url == URL


def test_edited_new_config_is_kept_while_another_is_chosen(two):
    two.new()
    two.current.set("endpoint_url", URL)
    two.choose("a")
    assert two.names == ["a", "b", NEW]
    two.choose(NEW)
    assert two.current.config.endpoint_url == URL


def test_unedited_new_config_goes_when_another_is_chosen(two):
    two.new()
    two.choose("a")
    assert two.names == ["a", "b"]


def test_new_config_is_kept_while_the_notebook_changes_configs(drafts, session):
    drafts.current.set("endpoint_url", URL)
    session.save("a", PROD)
    assert (drafts.name, drafts.names) == ("a", ["a", NEW])
    drafts.choose(NEW)
    session.use("a")
    assert drafts.name == "a"
    drafts.choose(NEW)
    assert drafts.current.config.endpoint_url == URL


def test_unnamed_config_cannot_be_saved(two, session):
    two.new()
    with pytest.raises(ConfigError, match="This config has no name yet"):
        two.save()
    assert session.names() == ["a", "b"]


# ---- saving


def test_save_saves_in_the_session(two, session):
    two.current.set("timeout", "5")
    assert two.save() == "a"
    assert session.get("a").timeout == 5
    assert not two.current.is_changed


def test_save_as_leaves_the_original_unchanged(two, session):
    two.current.set("timeout", "5")
    assert two.save_as(" c ") == "c"
    assert (two.name, session.active) == ("c", "c")
    assert (session.get("c").timeout, session.get("a").timeout) == (5, 190)
    two.choose("a")
    assert not two.current.is_changed


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("", UsageError, "cannot name a config"),
        ("b", ConfigError, "A config named b already"),
        ("my config", UsageError, "cannot name a config"),
        ("$x", UsageError, "cannot name a config"),
        ("-a", UsageError, "cannot name a config"),
        ("a/b", UsageError, "cannot name a config"),
    ],
)
def test_invalid_name_is_refused_without_loss(two, session, name, kind, said):
    two.current.set("timeout", "5")
    before = session.get("b")
    with pytest.raises(kind, match=said):
        two.save_as(name)
    assert two.current.config.timeout == 5
    assert two.current.is_changed
    assert (session.names(), session.get("b")) == (["a", "b"], before)


def test_config_with_an_error_is_not_saved(two, session):
    two.current.set("system", "Mine.")
    two.current.set_kwarg("temperature", "warm")
    with pytest.raises(ConfigError, match="temperature: 'warm' is not a number"):
        two.save()
    assert session.get("a").system is None
    assert two.current.config.system == "Mine."


def test_config_without_formatter_can_be_saved(two, session):
    two.new()
    two.current.set("endpoint_url", URL)
    assert "formatter" in two.current.errors
    two.save_as("c")
    assert session.get("c").formatter == ""


def test_revert_shows_the_saved_config(two):
    two.current.set("timeout", "soon")
    two.current.set_kwarg("temperature", "warm")
    two.revert()
    assert (two.current.texts["timeout"], two.current.errors, two.current.is_changed) == ("", {}, False)


# ---- deleting


def test_delete_chooses_the_config_before(drafts, session):
    for name in "abc":
        session.save(name, PROD)
    drafts.choose("b")
    assert drafts.delete() == "b"
    assert (drafts.names, drafts.name, session.active) == (["a", "c"], "a", "a")
    drafts.delete()
    assert (drafts.name, session.active) == ("c", "c")
    drafts.delete()
    assert (drafts.names, drafts.name, session.active) == ([NEW], NEW, "")
    assert drafts.current.config == LLMConfig()


def test_delete_drops_unsaved_changes(drafts, session):
    session.save("a", PROD)
    drafts.current.set("timeout", "5")
    drafts.delete()
    assert not drafts.current.is_changed
    assert drafts.note == ""
    session.save("a", PROD)
    assert not drafts.current.is_changed


def test_delete_drops_the_new_config(two):
    two.new()
    two.current.set("endpoint_url", URL)
    two.delete()
    assert (two.names, two.name) == (["a", "b"], "a")


# ---- the notebook


def test_rename_in_notebook_keeps_unsaved_changes(two, session):
    two.current.set("timeout", "soon")
    two.current.set("system", "Mine.")
    session.rename("a", "c")
    assert (two.name, two.names) == ("c", ["c", "b"])
    assert (two.current.texts["timeout"], two.current.config.name) == ("soon", "c")
    two.current.set("timeout", "")
    two.save()
    assert session.get("c").system == "Mine."


def test_rename_to_same_name_changes_nothing(two, session):
    two.current.set("system", "Mine.")
    session.rename("a", "a")
    assert two.current.config.system == "Mine."


def test_save_in_notebook_updates_an_unedited_draft(two, session):
    assert two.current.config.timeout == 190
    session.save("a", PROD.merged(timeout=5))
    assert two.current.texts["timeout"] == "5"
    assert two.note == ""


def test_save_in_notebook_keeps_edits(two, session):
    two.current.set("system", "Mine.")
    session.save("a", PROD.merged(timeout=5))
    assert two.current.config.system == "Mine."
    assert two.note == "a was changed in the notebook too. Revert shows that version; Save replaces it."
    two.revert()
    assert (two.current.config.timeout, two.current.config.system) == (5, None)


def test_save_of_the_same_edits_leaves_no_changes(two, session):
    two.current.set("timeout", "5")
    session.save("a", PROD.merged(timeout=5))
    assert not two.current.is_changed
    assert two.note == ""


def test_delete_in_notebook_keeps_unsaved_changes(two, session):
    two.current.set("system", "Mine.")
    two.current.set("timeout", "soon")
    session.delete("a")
    assert (two.name, session.active) == (NEW, "")
    assert two.note == "a was deleted in the notebook; its unsaved changes are kept here."
    assert (two.current.config.system, two.current.config.name) == ("Mine.", "")
    assert two.current.is_changed


def test_delete_in_notebook_keeps_the_new_config(two, session):
    two.current.set("system", "Mine.")
    two.new()
    two.current.set("endpoint_url", "https://new.eastus.inference.ml.azure.com/score")
    session.delete("a")
    assert two.name == NEW
    assert two.current.config.endpoint_url.startswith("https://new.")


def test_delete_of_another_config_changes_nothing(two, session):
    two.current.set("system", "Mine.")
    session.delete("b")
    assert (two.names, two.name, two.current.config.system) == (["a"], "a", "Mine.")


def test_recreated_config_has_no_old_edits(two, session):
    two.choose("b")
    two.current.set("system", "Mine.")
    two.choose("a")
    session.delete("b")
    session.save("b", PROD)
    two.choose("b")
    assert not two.current.is_changed


# ---- files


def test_export_writes_the_document_of_the_config(two, session, tmp_path):
    two.current.set("system", "Mine.")
    written = two.export(f" {tmp_path}/a.json\n", langchain=False)
    config = two.current.config
    assert json.loads(written.read_text()) == documents.to_document(config)
    assert documents.load(written, name="a") == config
    plain = two.export(f"{tmp_path}/plain.json", langchain=True)
    assert list(json.loads(plain.read_text())) == ["deployment_name", "model_kwargs", "_type"]
    assert two.current.is_changed  # export does not save in the session


def test_langchain_loads_the_exported_file(two, tmp_path, monkeypatch):
    pytest.importorskip("langchain_core", reason="LangChain is an extra")
    from azml_magics.langchain import load_llm

    monkeypatch.setenv("RIVER_KEY", "s3cret")
    two.current.set_kwarg("temperature", "0.5")
    model = load_llm(two.export(f"{tmp_path}/a.json", langchain=False))
    assert (model.endpoint_url, model.model_kwargs) == (URL, {"temperature": 0.5})


def test_exported_file_has_no_key(two, session, tmp_path):
    session.save("a", PROD.merged(key=Secret("s3cret-key")))
    assert "s3cret-key" not in two.export(f"{tmp_path}/a.json", langchain=False).read_text()


@pytest.fixture
def places(tmp_path):
    """Paths that cannot be written or read, by name."""
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "other.json").write_text('{"not": "ours"}')
    return {
        "blank": "  ",
        "folder": str(tmp_path / "folder.json"),
        "under a file": str(tmp_path / "file" / "a.json"),
        "somebody": "~nobody-of-that-name/a.json",
        "nul": f"{tmp_path}/a\0b.json",
        "too long": f"{tmp_path}/{'a' * 300}.json",
        "no ending": f"{tmp_path}/prod",
        "other": str(tmp_path / "other.json"),
        "half a character": f"{tmp_path}/\ud800.json",
    }


WHERE = ["blank", "folder", "under a file", "somebody", "nul", "too long", "no ending", "other", "half a character"]


@pytest.mark.parametrize("where", WHERE)
def test_failed_export_is_reported_without_loss(two, places, where):
    two.current.set("system", "Mine.")
    with pytest.raises(DocumentError) as caught:
        two.export(places[where], langchain=False)
    assert "\n" not in str(caught.value)
    assert two.current.config.system == "Mine."


@pytest.mark.parametrize("where", WHERE)
def test_failed_import_is_reported_without_loss(two, places, session, where):
    two.current.set("system", "Mine.")
    with pytest.raises(DocumentError) as caught:
        two.import_(places[where])
    assert "\n" not in str(caught.value)
    assert (two.current.config.system, session.names()) == ("Mine.", ["a", "b"])


def test_write_protected_file_is_reported(two, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(documents.os, "replace", refuse)
    with pytest.raises(DocumentError, match="Permission denied"):
        two.export(f"{tmp_path}/a.json", langchain=False)
    assert list(Path(tmp_path).glob("*.json")) == []


def test_config_with_an_error_is_not_exported(two, tmp_path):
    two.current.set("timeout", "soon")
    with pytest.raises(ConfigError, match="timeout"):
        two.export(f"{tmp_path}/a.json", langchain=False)
    assert not (tmp_path / "a.json").exists()


def test_import_of_a_file_chooses_its_config(two, session, tmp_path):
    documents.save(PROD.merged(timeout=5), tmp_path / "river.json")
    assert two.import_(f" {tmp_path}/river.json ") == ["river"]
    assert (two.name, session.active, session.get("river").timeout) == ("river", "river", 5)
    assert session.get_saved("river").source == str(tmp_path / "river.json")


def test_import_of_a_folder_chooses_its_first_config(two, session, tmp_path):
    for name in ("zebra", "river"):
        documents.save(PROD, tmp_path / "configs" / f"{name}.yaml")
    assert two.import_(str(tmp_path / "configs")) == ["river", "zebra"]
    assert (session.names(), two.name) == (["a", "b", "river", "zebra"], "river")


def test_folder_with_a_bad_file_is_not_imported(two, session, tmp_path):
    documents.save(PROD, tmp_path / "c" / "river.json")
    (tmp_path / "c" / "zebra.json").write_text("{")
    with pytest.raises(DocumentError, match=r"zebra\.json"):
        two.import_(str(tmp_path / "c"))
    assert session.names() == ["a", "b"]


def test_empty_folder_and_invalid_name_are_reported(two, session, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DocumentError, match=r"contains no \.json or \.yaml file"):
        two.import_(str(tmp_path / "empty"))
    documents.save(PROD, tmp_path / "my config.json")
    with pytest.raises(UsageError, match="cannot name a config"):
        two.import_(str(tmp_path / "my config.json"))
    assert session.names() == ["a", "b"]


def test_import_replaces_the_chosen_config(two, tmp_path):
    two.current.set("system", "Mine.")
    documents.save(PROD.merged(timeout=5), tmp_path / "a.json")
    two.import_(str(tmp_path / "a.json"))
    assert (two.current.config.timeout, two.current.is_changed) == (5, False)


# ---- both sides in any order

_SAVED = st.sampled_from(["a", "b", "c"])


class BothSides(RuleBasedStateMachine):
    """Actions in the panel and the notebook in any order: no edit is lost unless it was discarded."""

    def __init__(self):
        super().__init__()
        self.session = Session()
        self.drafts = Drafts(self.session)
        self.session.subscribe(self.drafts.follow)
        self.typed: dict[str, str] = {}  # config -> the unsaved system message in its draft
        self.count = 0

    @rule()
    def types(self):
        self.count += 1
        self.drafts.current.set("system", f"typed {self.count}")
        self.typed[self.drafts.name] = f"typed {self.count}"

    @rule(data=st.data())
    def choose(self, data):
        self.drafts.choose(data.draw(st.sampled_from(self.drafts.names)))

    @rule()
    def begins_a_new_one(self):
        self.drafts.new()

    @rule(name=_SAVED)
    def saves_as(self, name):
        before = self.drafts.name
        if name == before or name not in self.session.names():
            self.drafts.save_as(name)
            self.typed.pop(before, None)

    @rule()
    def reverts(self):
        self.drafts.revert()
        self.typed.pop(self.drafts.name, None)

    @rule(name=_SAVED)
    def the_notebook_saves(self, name):
        self.count += 1
        self.session.save(name, PROD.merged(system=f"saved {self.count}"))

    @rule(name=_SAVED)
    def the_notebook_uses(self, name):
        if name in self.session.names():
            self.session.use(name)

    @rule(old=_SAVED, new=_SAVED)
    def the_notebook_renames(self, old, new):
        if old in self.session.names() and new not in self.session.names():
            self.session.rename(old, new)
            if old in self.typed:
                self.typed[new] = self.typed.pop(old)

    @rule(name=_SAVED)
    def the_notebook_deletes(self, name):
        if name in self.session.names():
            is_making_one = self.drafts._choosing_new or NEW in self.typed
            self.session.delete(name)
            text = self.typed.pop(name, None)
            if text and self.drafts.name == NEW and not is_making_one:
                self.typed[NEW] = text

    @invariant()
    def what_is_shown_is_what_the_session_uses(self):
        assert self.drafts.name in self.drafts.names
        assert self.drafts.name in (self.session.active, NEW)
        assert [name for name in self.drafts.names if name] == self.session.names()

    @invariant()
    def what_was_typed_is_there(self):
        for name, text in self.typed.items():
            assert name in self.drafts.names
            draft = self.drafts._drafts[name]
            assert (draft.config.system, draft.config.name) == (text, name)

    @invariant()
    def what_nothing_was_typed_into_is_what_is_saved(self):
        name = self.drafts.name
        if name and name not in self.typed:
            assert self.drafts.current.config == self.session.get(name)
            assert not self.drafts.current.is_changed


TestBothSides = BothSides.TestCase
TestBothSides.settings = settings(stateful_step_count=30, max_examples=60)
