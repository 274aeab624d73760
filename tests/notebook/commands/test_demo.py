"""%azureml demo: an endpoint of the kernel's own, or the one beside JupyterLab."""

from __future__ import annotations

import os
import sys

from azml_magics.core.install_hint import install_command
from azml_magics.emulator import Emulator
from azml_magics.notebook.commands import demo_endpoint

DEMOS = (
    *("demo", "demo-chat", "demo-llama2", "demo-gpt2", "demo-hf", "demo-dolly"),
    *("demo-responses", "demo-claude", "demo-reasoning"),
)


def test_every_demo_config_gets_a_response(notebook, magics):
    said = notebook.ok("%azureml demo").text
    assert "prepared responses, no language model." in said
    assert "In use: demo." in said
    magics.context.state.demo_endpoint.rate = 0.0
    for name in DEMOS:
        assert name in said
        assert "not a language model" in notebook.ok(f"%%azureml {name}\nTell me about rivers").text


def test_demo_starts_once(notebook, magics):
    notebook.ok("%azureml demo")
    first = magics.context.state.demo_endpoint.url
    notebook.ok("%azureml demo")
    assert magics.context.state.demo_endpoint.url == first


def test_demo_key_is_a_reference(notebook, magics):
    notebook.ok("%azureml demo")
    assert ("key", "env:AZML_DEMO_KEY (set)") in [tuple(row) for row in notebook.ok("%azureml show demo").result.rows]
    assert magics.context.state.demo_endpoint.key not in notebook.ok("%azureml list").text


def test_demo_uses_endpoint_beside_jupyterlab(notebook, magics, monkeypatch):
    with Emulator() as endpoint:
        monkeypatch.setenv("AZML_DEMO_URL", endpoint.url)
        monkeypatch.setenv("AZML_DEMO_KEY", endpoint.key)
        assert notebook.ok("%azureml demo").text.startswith("A demo endpoint runs beside JupyterLab:")
        assert magics.context.state.demo_endpoint is None
        for name in DEMOS:
            assert "not a language model" in notebook.ok(f"%%azureml {name}\nTell me about rivers").text
        assert len(endpoint.requests) == len(DEMOS)
    notebook.ok("%unload_ext azml_magics")
    assert os.environ["AZML_DEMO_KEY"] == endpoint.key  # it is JupyterLab's


def test_demo_starts_its_own_if_shared_one_ended(notebook, magics, monkeypatch):
    monkeypatch.setenv("AZML_DEMO_URL", "http://127.0.0.1:9")
    assert notebook.ok("%azureml demo").text.startswith("A demo endpoint runs in this kernel:")
    assert magics.context.state.demo_endpoint.running


def test_demo_without_extra_says_what_to_install(notebook, monkeypatch):
    monkeypatch.setitem(sys.modules, "azml_magics.emulator", None)
    assert notebook.refused("%azureml demo") == (
        f"ConfigError: The demo endpoint needs the demo extra. Run %{install_command('demo')}."
    )


def test_demo_that_does_not_start_is_one_line(notebook, monkeypatch):
    def fails(self):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(Emulator, "start", fails)
    assert "The demo endpoint did not start: [Errno 98] Address already in use" in notebook.refused("%azureml demo")
    assert demo_endpoint.DEMO_KEY_VARIABLE not in os.environ
