"""What outlives a restart of the kernel: kept configs and the history file."""

from __future__ import annotations

import pytest

from azml_magics.pytest_plugin import KEY

from .conftest import Kernel, environment, running_kernel


@pytest.fixture
def restarted(tmp_path):
    """A kernel of its own, and the function that restarts it."""
    with running_kernel(tmp_path) as kernel:
        profile = tmp_path / "ipythondir" / "profile_default"
        profile.mkdir(parents=True, exist_ok=True)

        def restart():
            kernel.client.stop_channels()
            kernel.manager.restart_kernel(now=True, env=environment(tmp_path))
            again = Kernel(kernel.manager)
            kernel.client = again.client
            kernel.ok("%load_ext azml_magics")

        kernel.ok("%load_ext azml_magics")
        yield kernel, restart, profile


def test_kept_config_answers_after_a_restart(restarted, endpoint):
    kernel, restart, _ = restarted
    url = f"{endpoint.url}/v1/chat/completions"
    said = kernel.ok(f"%azureml save prod --url {url} --key env:TEST_KEY temperature=0.1 --keep").text
    assert "Kept prod for new sessions" in said
    kernel.ok(f"%azureml save passing --url {url} --key env:TEST_KEY")
    restart()
    listed = kernel.ok("%azureml list").text
    assert "prod" in listed
    assert "kept" in listed
    assert "passing" not in listed
    assert "demo" in kernel.ok("%%azureml prod\nTell me about rivers").text
    assert endpoint.requests[-1].json()["temperature"] == 0.1
    kernel.ok("%azureml forget prod")
    restart()
    assert "prod" not in kernel.ok("%azureml list").text


def test_history_file_of_ipythons_configuration_is_there_after_a_restart(restarted, endpoint, tmp_path):
    kernel, restart, profile = restarted
    (profile / "ipython_kernel_config.py").write_text("c.AzureMLMagics.history_file = '~/history.jsonl'\n")
    restart()
    kernel.ok(f"%azureml save main --url {endpoint.url}/v1/chat/completions --key env:TEST_KEY --keep")
    kernel.ok("%%azureml main\nTell me about rivers")
    restart()
    assert "Tell me about rivers" in kernel.ok("%azureml history").text
    assert "demo" in kernel.ok("%azureml last").text
    kept = (tmp_path / "home" / "history.jsonl").read_text()
    assert "Tell me about rivers" in kept
    assert KEY not in kept
