"""An old kernel is told in one line what to upgrade, or to restart."""

from __future__ import annotations

from importlib import metadata

import ipykernel
import IPython
import pytest

from azml_magics.core.errors import ConfigError
from azml_magics.core.install_hint import package_command
from azml_magics.notebook.old_kernel import _OLDEST, check_kernel


@pytest.fixture
def installed(monkeypatch):
    """Say which versions are installed; those that run are set on the modules."""
    versions = {}
    found = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: versions.get(name) or found(name))
    return versions


def test_kernel_of_this_environment_is_new_enough():
    assert check_kernel() == ""


def test_old_ipython_is_refused_with_the_command_that_upgrades(monkeypatch, installed):
    monkeypatch.setattr(IPython, "__version__", "7.34.0")
    installed["IPython"] = "7.34.0"
    with pytest.raises(ConfigError) as raised:
        check_kernel()
    assert str(raised.value) == (
        "This kernel runs IPython 7.34.0, and azml-magics needs 8.12 or later. "
        f"Run {package_command('--upgrade', 'ipython>=8.12', 'ipykernel>=6.29')}, then restart the kernel."
    )


def test_kernel_that_was_upgraded_needs_a_restart(monkeypatch, installed):
    monkeypatch.setattr(IPython, "__version__", "7.34.0")
    installed["IPython"] = "9.4.0"
    with pytest.raises(ConfigError, match=r"Restart the kernel: IPython 9\.4\.0 is installed\.$"):
        check_kernel()


def test_old_ipykernel_is_a_warning(monkeypatch, installed):
    monkeypatch.setattr(ipykernel, "__version__", "6.4.1")
    installed["ipykernel"] = "6.4.1"
    assert check_kernel().startswith("This kernel runs ipykernel 6.4.1, and azml-magics needs 6.29 or later. Run ")


def test_load_ext_shows_the_line_and_registers_nothing(monkeypatch, notebook, installed):
    notebook.ok("%unload_ext azml_magics")
    monkeypatch.setattr(IPython, "__version__", "7.34.0")
    installed["IPython"] = "7.34.0"
    refusal = notebook.refused("%load_ext azml_magics")
    assert refusal.startswith("ConfigError: This kernel runs IPython 7.34.0")
    assert "\n" not in refusal
    assert "azureml" not in notebook.shell.magics_manager.magics["cell"]


def test_bounds_are_those_of_the_project():
    from pathlib import Path

    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for name, (major, minor) in _OLDEST.items():
        assert f'"{name.lower()}>={major}.{minor}' in project, name
