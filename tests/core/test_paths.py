"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from azml_magics.core.errors import DocumentError
from azml_magics.core.paths import is_folder, path_of


def test_the_home_folder_has_a_short_name(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    assert path_of("~/run.jsonl") == tmp_path / "run.jsonl"
    assert path_of(Path("run.jsonl")) == Path("run.jsonl")
    assert is_folder("~")


@pytest.mark.parametrize("path", ["~nobody-at-all/run.jsonl", Path("~nobody-at-all")])
def test_the_home_of_nobody_is_said_in_one_line(path):
    with pytest.raises(DocumentError, match=r"^~nobody-at-all.* cannot be found: .*\. Check the path\.$"):
        path_of(path)
    assert not is_folder(path)


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
def test_what_can_be_no_path_is_no_folder(path):
    assert is_folder(path) is (path == "")
