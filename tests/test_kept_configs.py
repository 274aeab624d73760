"""Kept configs: files in the user's config folder, with references to keys only, that no failure loses."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import documents, kept_configs
from azml_magics.changes import Change
from azml_magics.core import paths, trust
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, DocumentError, KeyRefusedError, UnknownNameError, UsageError
from azml_magics.core.secret import Secret
from azml_magics.kept_configs import config_folder, kept_names
from azml_magics.session import Session, check_name

PROD = LLMConfig(
    endpoint_url="https://n.eastus.inference.ml.azure.com/score", formatter="gpt2", key="env:PROD_KEY", timeout=30
)
posix = pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")


@pytest.fixture
def folder():
    return Path.home() / ".config" / "azml" / "configs"


@pytest.fixture
def session():
    session = Session()
    session.save("prod", PROD)
    return session


def restarted():
    """A session that has loaded the kept configs."""
    session = Session()
    for path in kept_configs.kept_files():
        session.add_kept(kept_configs.load(path), path)
    return session


# ---- the folder and its files


def test_folder_follows_xdg_and_appdata(monkeypatch):
    assert config_folder() == Path.home() / ".config/azml/configs"
    monkeypatch.setenv("APPDATA", "/roaming")
    assert config_folder() == Path.home() / ".config/azml/configs"
    monkeypatch.setattr(paths, "_IS_WINDOWS", True)
    assert config_folder() == Path("/roaming/azml/configs")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg")
    assert config_folder() == Path("/xdg/azml/configs")


def test_kept_config_is_in_the_next_session(session, folder):
    written = session.keep("prod")
    assert written == (folder / "prod.json", False)
    assert session.get_saved("prod").kept == session.get("prod")
    later = restarted()
    assert later.get("prod") == session.get("prod")
    assert later.get_saved("prod").source == str(folder / "prod.json")
    assert not later.get_saved("prod").is_changed
    assert json.loads((folder / "prod.json").read_text())["key"] == "env:PROD_KEY"


@posix
def test_file_and_folder_are_the_owners_only(session, folder):
    session.keep()
    assert stat.S_IMODE((folder / "prod.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["prod.json"]


@given(st.text(min_size=1, max_size=30))
def test_any_name_of_a_config_comes_back_from_its_file(name):
    try:
        check_name(name)
    except UsageError:
        return
    session = Session()
    session.save(name, PROD)
    path = session.keep(name).path
    assert not set(path.name) & set(':*?<>|"/\\')
    assert name in kept_names()
    session.forget(name)
    assert not path.exists()


# ---- what changes in the session


def test_config_changed_in_the_session_is_known(session):
    session.keep("prod")
    session.save("prod", PROD.merged(timeout=5))
    assert session.get_saved("prod").is_changed
    session.save("prod", PROD)
    assert not session.get_saved("prod").is_changed
    session.save("prod", PROD.merged(timeout=5))
    session.keep("prod")
    assert not session.get_saved("prod").is_changed
    assert restarted().get("prod").timeout == 5


def test_loading_again_keeps_what_the_session_has_saved(session, folder):
    session.save("prod", PROD.merged(timeout=7))
    folder.mkdir(parents=True)
    documents.save(PROD, folder / "prod.json")
    session.add_kept(kept_configs.load(folder / "prod.json"), folder / "prod.json")
    assert session.get("prod").timeout == 7
    assert session.get_saved("prod").is_changed


def test_config_of_a_project_hides_a_kept_one(session):
    session.keep("prod")
    session.save("prod", PROD, source="pyproject.toml")
    assert session.get_saved("prod").kept is None


def test_renamed_config_is_not_kept_under_its_new_name(session):
    session.keep("prod")
    session.rename("prod", "next")
    assert (session.get_saved("next").kept, session.get_saved("next").source) == (None, "session")
    assert kept_names() == ["prod"]


def test_forget_leaves_the_config_to_the_session(session, folder):
    changes = []
    session.subscribe(changes.append)
    session.keep("prod")
    assert session.forget("prod") == folder / "prod.json"
    assert (session.get_saved("prod").kept, session.get_saved("prod").source) == (None, "session")
    assert changes == [Change("kept", "prod"), Change("forgotten", "prod")]
    with pytest.raises(UnknownNameError, match="No kept config named 'prod'"):
        session.forget("prod")


def test_forget_needs_no_config_in_the_session(session):
    session.keep("prod")
    session.delete("prod")
    with pytest.raises(UnknownNameError, match="Did you mean 'prod'"):
        session.forget("prd")
    session.forget("prod")
    assert kept_names() == []


@pytest.mark.parametrize("name", ["../prod", "a/b", "", ".."])
def test_forget_deletes_nothing_outside_of_the_folder(session, folder, name):
    session.keep("prod")
    (folder.parent / "prod.json").write_text("mine")
    with pytest.raises(UnknownNameError):
        session.forget(name)
    assert (folder.parent / "prod.json").exists()


# ---- what cannot be kept


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"key": Secret("marked-key-012345")}, "its key is in memory only"),
        ({"headers": {"X-Key": Secret("marked-key-012345")}}, "its key in the header X-Key is in memory only"),
    ],
)
def test_key_in_memory_is_refused(session, changes, place):
    session.save("prod", PROD.merged(**changes))
    with pytest.raises(KeyRefusedError, match=place) as caught:
        session.keep("prod")
    assert "env:NAME" in str(caught.value)
    assert "marked" not in str(caught.value)
    assert kept_names() == []


def test_config_of_an_untrusted_file_is_refused(session):
    session.save("prod", PROD.merged(file="/repo/pyproject.toml", endpoint_url="https://evil.example/score"))
    with pytest.raises(KeyRefusedError, match=r"evil\.example.*you have not said that you trust it"):
        session.keep("prod")
    trust.grant(session.get("prod"))
    session.keep("prod")


def test_formatter_object_is_refused_with_the_way_out(session):
    class Mine:
        def format_request_payload(self, prompt, kwargs):
            return {}

        def format_response_payload(self, output):
            return ""

    session.save("prod", PROD.merged(formatter=Mine()))
    with pytest.raises(DocumentError, match=r"prod is not kept: .*register_formatter"):
        session.keep("prod")


def test_prompted_key_is_kept_as_its_reference(session):
    session.save("prod", PROD.merged(key="ask"))
    session.keep("prod")
    assert str(restarted().get("prod").key) == "ask"


def test_without_configs_there_is_nothing_to_keep():
    with pytest.raises(ConfigError, match="There is no config yet"):
        Session().keep()
    with pytest.raises(UnknownNameError):
        Session().keep("prod")


# ---- files and disks


def test_broken_file_is_not_overwritten(session, folder):
    folder.mkdir(parents=True)
    (folder / "prod.json").write_text('{"_type": ')
    with pytest.raises(
        DocumentError, match=r"prod is not kept: .*prod.json exists and is not a saved config"
    ) as caught:
        session.keep("prod")
    assert str(caught.value).endswith("Repair or remove it.")
    assert (folder / "prod.json").read_text() == '{"_type": '
    assert kept_names() == ["prod"]
    session.forget("prod")
    session.keep("prod")


def test_full_disk_leaves_the_former_file(session, folder, monkeypatch):
    session.keep("prod")
    session.save("prod", PROD.merged(timeout=5))

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(DocumentError, match=r"prod is not kept: .* No space left on device"):
            session.keep("prod")
    assert restarted().get("prod").timeout == 30
    assert session.get("prod").timeout == 5
    assert session.get_saved("prod").is_changed
    assert [path.name for path in folder.iterdir()] == ["prod.json"]


def test_folder_that_cannot_be_made_is_one_line(session):
    (Path.home() / ".config").write_text("a file in its place")
    with pytest.raises(DocumentError, match=r"prod is not kept: .*configs cannot be made: Not a directory"):
        session.keep("prod")
    assert kept_names() == []


def test_missing_home_is_one_line(session, monkeypatch):
    def nowhere(*_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(DocumentError, match="prod is not kept: there is no home folder"):
        session.keep("prod")
    assert kept_names() == []


@posix
def test_link_to_another_folder_stays_one(session, folder, tmp_path):
    (tmp_path / "dotfiles").mkdir()
    documents.save(PROD, tmp_path / "dotfiles" / "prod.json")
    folder.mkdir(parents=True)
    (folder / "prod.json").symlink_to(tmp_path / "dotfiles" / "prod.json")
    session.save("prod", PROD.merged(timeout=5))
    session.keep("prod")
    assert (folder / "prod.json").is_symlink()
    assert documents.load(tmp_path / "dotfiles" / "prod.json").timeout == 5


def test_name_that_differs_in_case_only_is_not_overwritten(session, folder, monkeypatch):
    session.keep("prod")
    session.save("Prod", PROD.merged(timeout=5))
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path, **_: exists(path) or path.name == "Prod.json")  # as on Windows
    with pytest.raises(DocumentError, match="differs only in upper and lower case"):
        session.keep("Prod")
    assert restarted().get("prod").timeout == 30


def test_config_of_another_kernel_is_replaced_and_said(session):
    session.keep("prod")
    other = restarted()
    other.save("prod", PROD.merged(timeout=5))
    assert not other.keep("prod").replaced_other
    session.save("prod", PROD.merged(timeout=6))
    assert session.keep("prod").replaced_other
    assert not session.keep("prod").replaced_other


def test_kernels_keep_the_same_config_at_once(folder):
    code = textwrap.dedent(
        """
        import sys
        from azml_magics.core.config import LLMConfig
        from azml_magics.session import Session
        session = Session()
        for n in range(50):
            session.save("prod", LLMConfig(endpoint_url="https://x.y/score", formatter="gpt2", system=sys.argv[1] * 5000))
            session.keep("prod")
        """
    )
    running = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert [path.name for path in folder.iterdir()] == ["prod.json"]
    assert restarted().get("prod").system in ("a" * 5000, "b" * 5000)
