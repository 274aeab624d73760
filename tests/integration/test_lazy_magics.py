"""`c.MagicsManager.lazy_magics = {"azureml": "azml_magics"}` in a profile: %%azureml without %load_ext."""

from __future__ import annotations

import json

import pytest

from .conftest import PATIENCE, environment
from .fresh import program, started

LAZY = 'c = get_config()\nc.MagicsManager.lazy_magics = {"azureml": "azml_magics"}\n'
SAVED = {"deployment_name": "", "model_kwargs": {}, "_type": "azureml_chat_endpoint", "key": "env:TEST_KEY"}


@pytest.fixture
def user(tmp_path, endpoint):
    """A home with that profile, a saved config and a default one."""
    variables = environment(tmp_path)
    profile = tmp_path / "ipythondir" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text(LAZY + 'c.AzureMLMagics.default_config = "mine"\n')
    folder = tmp_path / "home" / ".config" / "azml" / "configs"
    folder.mkdir(parents=True)
    document = {**SAVED, "endpoint_url": f"{endpoint.url}/v1/chat/completions"}
    (folder / "mine.json").write_text(json.dumps(document))
    return tmp_path, variables


def test_ipython_cell_and_line_load_the_extension(user):
    folder, _ = user
    (folder / "script.ipy").write_text(
        "import sys\nprint('loaded', 'azml_magics' in sys.modules)\n"
        "get_ipython().run_cell_magic('azureml', '-q -o answer', 'Hello')\nprint(answer.text, answer.config)\n"
    )
    ran = program(folder, "IPython", "--no-banner", "--colors=NoColor", "script.ipy")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("loaded False\n")
    assert "Hello! How can I help you today?" in ran.stdout
    assert "mine" in ran.stdout
    ran = program(folder, "IPython", "--no-banner", "--colors=NoColor", "-c", "%azureml version")
    assert "azml-magics " in ran.stdout


@pytest.mark.parametrize("first", ["%%azureml\nHello", "%azureml ask Hello"])
def test_first_kernel_cell_loads_the_extension(user, first):
    folder, variables = user
    with started(folder, variables) as kernel:
        assert kernel.value("'azml_magics' in __import__('sys').modules") is False
        assert "Hello!" in kernel.ok(first).text
        reply = kernel.client.complete("%azureml hist", reply=True, timeout=PATIENCE)
        assert reply["content"]["matches"] == ["history"]
