"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core.errors import DocumentError
from azml_magics.core.paths import is_folder, path_of


def test_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    assert path_of("~/run.jsonl") == tmp_path / "run.jsonl"
    assert path_of(Path("run.jsonl")) == Path("run.jsonl")
    assert is_folder("~")


@pytest.mark.parametrize("path", ["~no-such-user/run.jsonl", Path("~no-such-user")])
def test_unknown_user_is_reported_in_one_line(path):
    with pytest.raises(DocumentError, match=r"^~no-such-user.* cannot be found: .*\. Check the path\.$"):
        path_of(path)
    assert not is_folder(path)


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
def test_impossible_paths_are_not_folders(path):
    assert is_folder(path) is (path == "")
