"""The server's own virtual environment: made once, used again, and given up with a reason where it cannot be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real_server


def test_complete_environment_is_reused(real_python: Path) -> None:
    from . import environment

    made = (environment.default_folder() / "complete").stat().st_mtime_ns
    assert environment.python_of(environment.default_folder()) == real_python
    assert (environment.default_folder() / "complete").stat().st_mtime_ns == made


def test_failed_install_is_one_line_and_incomplete(tmp_path: Path, monkeypatch) -> None:
    from . import environment

    monkeypatch.setattr(environment, "REQUIREMENT", (tmp_path / "no-such-server-1.0-py3-none-any.whl").as_uri())
    for _ in range(2):
        with pytest.raises(environment.Unavailable, match=r"pip install .* failed: ERROR: .*no-such-server") as caught:
            environment.python_of(tmp_path / "here")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "here" / "complete").exists()


def test_folder_can_be_chosen(tmp_path: Path, monkeypatch) -> None:
    from . import environment

    monkeypatch.setenv("AZML_REAL_SERVER_VENV", str(tmp_path / "elsewhere"))
    assert environment.default_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("AZML_REAL_SERVER_VENV")
    assert environment.default_folder() == environment.CHECKOUT / ".venv-real-server"
