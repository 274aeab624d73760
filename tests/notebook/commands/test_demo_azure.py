"""%azureml demo --azure: an emulated Azure that this kernel is signed in to, and nothing of it afterwards."""

from __future__ import annotations

import os
import sys

import httpx
import pytest

from azml_magics.azure import identity
from azml_magics.core.install_hint import install_command
from azml_magics.emulator.control_plane import ControlPlane

SCOPE = "https://management.azure.com/.default"


def test_kernel_is_signed_in_to_the_emulated_azure(notebook, magics, monkeypatch):
    pytest.importorskip("azure.identity")
    with ControlPlane() as other:
        for name, value in other.environment.items():
            monkeypatch.setenv(name, value)
        identity.get_token(SCOPE)
    said = notebook.ok("%azureml demo --azure").text
    assert said.startswith("An emulated Azure is running in this kernel, which is now signed in to it.")
    assert said.endswith("%azureml discover")
    token = identity.get_token(SCOPE).reveal()
    azure = magics.context.state.demo_azure.control_plane
    assert os.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"] == azure.url
    assert httpx.get(
        f"{azure.url}/subscriptions?api-version=2022-12-01", headers={"authorization": f"Bearer {token}"}
    ).is_success
    assert token not in said


def test_second_demo_finds_the_first(notebook, magics):
    pytest.importorskip("azure.identity")
    notebook.ok("%azureml demo --azure")
    first = magics.context.state.demo_azure.control_plane.url
    notebook.ok("%azureml demo --azure")
    assert magics.context.state.demo_azure.control_plane.url == first


def test_unloading_restores_the_sign_in(notebook, magics, monkeypatch):
    pytest.importorskip("azure.identity")
    monkeypatch.setenv("AZURE_CLIENT_ID", "of-another-sign-in")
    notebook.ok("%azureml demo --azure")
    azure = magics.context.state.demo_azure.control_plane
    assert "AZURE_CLIENT_ID" not in os.environ
    notebook.ok("%unload_ext azml_magics")
    assert os.environ["AZURE_CLIENT_ID"] == "of-another-sign-in"
    assert not {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_RESOURCE_MANAGER_ENDPOINT"} & set(os.environ)
    assert repr(azure) == "<ControlPlane, stopped>"


def test_missing_azure_extra_is_said_before_anything_is_set(notebook, magics, monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    assert notebook.refused("%azureml demo --azure") == (
        f"ConfigError: Signing in to Azure needs the azure extra. Run %{install_command('azure')}."
    )
    assert magics.context.state.demo_azure is None
    assert "AZURE_RESOURCE_MANAGER_ENDPOINT" not in os.environ


def test_missing_extra_and_failed_start_are_one_line(notebook, monkeypatch):
    pytest.importorskip("azure.identity")

    def fails(self):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(ControlPlane, "start", fails)
    assert "The emulated Azure did not start: [Errno 98]" in notebook.refused("%azureml demo --azure")
    monkeypatch.setitem(sys.modules, "azml_magics.emulator.control_plane", None)
    assert notebook.refused("%azureml demo --azure") == (
        f"ConfigError: The emulated Azure needs the demo extra. Run %{install_command('demo')}."
    )
