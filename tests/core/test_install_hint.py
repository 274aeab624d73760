"""The command that installs an extra fits how the package itself was installed."""

from __future__ import annotations

import json
import sys

import pytest

from azml_magics.core import install_hint
from azml_magics.core.install_hint import install_command, package_command, upgrade_advice
from azml_magics.display.cell_commands import as_cell_commands

METADATA = """Metadata-Version: 2.4
Name: azml-magics
Version: 0.1.0
Provides-Extra: azure
Requires-Dist: httpx<1,>=0.27
Requires-Dist: azure-identity>=1.17; extra == 'azure'
Requires-Dist: keyring>=24 ; python_version >= "3.10" and extra == "azure"
Requires-Dist: uvicorn>=0.29; extra == 'demo'
"""
GIT = "https://github.com/azml-magics/azml-magics.git"
PACKAGES = 'pip install "azure-identity>=1.17" "keyring>=24"'


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Put a fake installation first on the path: installed(origin, installer="pip")."""
    folder = tmp_path / "site-packages" / "azml_magics-0.1.0.dist-info"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder.parent))

    def install(origin=None, installer="pip"):
        (folder / "METADATA").write_text(METADATA)
        (folder / "INSTALLER").write_text(f"{installer}\n")
        if origin is not None:
            (folder / "direct_url.json").write_text(origin if isinstance(origin, str) else json.dumps(origin))

    return install


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "my sources"
    folder.mkdir()
    return folder


def test_editable_installation_stays_editable(installed, source):
    installed({"url": source.as_uri(), "dir_info": {"editable": True}})
    assert install_command("azure") == f'pip install -e "{source}[azure]"'


def test_folder_is_installed_again_with_the_extra(installed, source):
    installed({"url": source.as_uri(), "dir_info": {}})
    assert install_command("azure") == f'pip install "{source}[azure]"'


def test_local_wheel_takes_the_extra(installed, source):
    wheel = source / "azml_magics-0.1.0-py3-none-any.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {"hash": "sha256=0"}})
    assert install_command("azure") == f'pip install "{wheel}[azure]"'


def test_git_installation_names_the_same_commit(installed):
    info = {"vcs": "git", "requested_revision": "main", "commit_id": "0f1e2d"}
    installed({"url": GIT, "vcs_info": info, "subdirectory": "python"})
    assert install_command("azure") == f'pip install "azml-magics[azure] @ git+{GIT}@0f1e2d#subdirectory=python"'
    assert upgrade_advice() == f'Upgrade with pip install -U "azml-magics @ git+{GIT}@main#subdirectory=python".'


def test_archive_url_is_named(installed):
    url = "https://example.com/azml_magics-0.1.0-py3-none-any.whl"
    installed({"url": url, "archive_info": {}})
    assert install_command("azure") == f'pip install "azml-magics[azure] @ {url}"'


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:marked@example.com/a.whl", 'pip install "azml-magics[azure] @ https://example.com/a.whl"'),
        ("https://example.com/a.whl?sig=marked", PACKAGES),
        ("ssh://git@example.com/a.git", 'pip install "azml-magics[azure] @ git+ssh://git@example.com/a.git"'),
    ],
)
def test_credentials_of_a_url_are_never_shown(installed, url, shown):
    info = {"vcs_info": {"vcs": "git"}} if url.endswith(".git") else {"archive_info": {}}
    installed({"url": url, **info})
    assert install_command("azure") == shown
    assert "marked" not in install_command("azure") + upgrade_advice()


@pytest.mark.parametrize(
    "origin",
    [
        None,  # from an index, which may be a private one
        "{",
        "[]",
        {"url": 5},
        {"url": "file:///deleted/since/azml_magics-0.1.0-py3-none-any.whl", "archive_info": {}},
        {"url": "https://[", "archive_info": {}},
        {"url": "file://[", "dir_info": {}},
    ],
)
def test_packages_of_the_extra_are_named_if_the_source_is_not_known(installed, origin):
    installed(origin)
    assert install_command("azure") == PACKAGES


def test_unknown_extra_is_named_by_itself(installed):
    installed()
    assert install_command("lab") == 'pip install "azml-magics[lab]"'


def test_uv_installs_into_this_environment(installed, source, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/my env/bin/python")
    installed({"url": source.as_uri(), "dir_info": {"editable": True}}, "uv")
    assert install_command("azure") == f'uv pip install --python "/my env/bin/python" -e "{source}[azure]"'
    assert package_command("pandas") == 'uv pip install --python "/my env/bin/python" pandas'


def test_conda_installs_the_packages_of_the_extra(installed):
    installed(installer="conda")
    assert install_command("azure") == "conda install -c conda-forge azure-identity keyring"
    assert package_command("pandas", "httpx[socks]") == 'conda install -c conda-forge pandas "httpx[socks]"'
    assert upgrade_advice() == "Upgrade with conda update azml-magics."


@pytest.mark.parametrize("installer", ["pip", "Poetry 1.8.2", "pdm", ""])
def test_other_installers_stand_for_pip(installed, installer):
    installed(None, installer)
    assert package_command("pandas") == "pip install pandas"
    assert upgrade_advice() == "Upgrade with pip install -U azml-magics."


def test_source_tree_on_the_path_is_installed_editable(tmp_path, monkeypatch):
    monkeypatch.setattr(install_hint, "_distribution", lambda: None)
    monkeypatch.setattr(install_hint, "_ROOT", tmp_path)
    assert install_command("azure") == 'pip install "azml-magics[azure]"'
    (tmp_path / "pyproject.toml").touch()
    assert install_command("azure") == f'pip install -e "{tmp_path}[azure]"'
    assert package_command("pandas") == "pip install pandas"
    assert upgrade_advice() == "Upgrade azml-magics."


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's quotes")
def test_shell_does_not_change_a_path(installed, tmp_path):
    import shlex

    source = tmp_path / 'a $HOME "b" `c`!'
    source.mkdir()
    installed({"url": source.as_uri(), "dir_info": {}})
    assert shlex.split(install_command("azure")) == ["pip", "install", f"{source}[azure]"]


@pytest.mark.parametrize(
    ("plain", "cell"),
    [
        ("Run pip install pandas.", "Run %pip install pandas."),
        ("Run conda install keyring, or ask.", "Run %conda install keyring, or ask."),
        ('Run uv pip install --python "/a/python" x.', 'Run !uv pip install --python "/a/python" x.'),
        ("Upgrade with pip install -U azml-magics.", "Upgrade with %pip install -U azml-magics."),
        ("Run %pip install pandas.", "Run %pip install pandas."),
        ("The pip install failed.", "The pip install failed."),
    ],
)
def test_cell_runs_the_same_command(plain, cell):
    assert as_cell_commands(plain) == cell
