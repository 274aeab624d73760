"""%azureml version; its help is tested in test_help_text."""

from __future__ import annotations

from importlib import metadata

import azml_magics


def test_version_lists_packages(notebook):
    lines = notebook.ok("%azureml version").text.splitlines()
    assert lines[0] == f"azml-magics {azml_magics.__version__}"
    assert lines[1].startswith("Python 3.")
    for package in ("ipython", "ipykernel", "langchain-core"):
        assert f"{package} {metadata.version(package)}" in lines
