"""%azureml version and doctor; its help is tested in test_help_text."""

from __future__ import annotations

from importlib import metadata

import azml_magics


def test_version_lists_packages(notebook):
    lines = notebook.ok("%azureml version").text.splitlines()
    assert lines[0] == f"azml-magics {azml_magics.__version__}"
    assert lines[1].startswith("Python 3.")
    for package in ("ipython", "ipykernel", "langchain-core"):
        assert f"{package} {metadata.version(package)}" in lines


def test_doctor_names_the_configs_of_the_session(notebook, monkeypatch):
    monkeypatch.setenv("PROD_KEY", "sk-4f9a8b7c6d5e4f3a2b1c")
    notebook.ok("%azureml save mine --url https://a.b.inference.ml.azure.com/score --key env:PROD_KEY")
    text = notebook.ok("%azureml doctor").text
    assert text.startswith(f"Platform\n  azml-magics            {azml_magics.__version__}\n")
    assert "config mine            key env:PROD_KEY (set)" in text
    assert "sk-4f9a8b7c" not in text
