"""Secrets of Key Vault, with the real azure-keyvault-secrets, and of Databricks."""

from __future__ import annotations

import sys
import types
from base64 import b64encode

import pytest
import trustme

from azml_magics.azure import identity
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret
from azml_magics.emulator.control_plane import ControlPlane

KEY = "k3y-of-the-vault-0123456789"


@pytest.fixture
def vault(monkeypatch, tmp_path):
    """The emulated vault over https, and the function that reads a secret of it."""
    secrets = pytest.importorskip("azure.keyvault.secrets")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    real = secrets.SecretClient

    def client(vault_url, credential):  # the emulated vault has another host than its audience
        return real(vault_url, credential, verify_challenge_resource=False)

    monkeypatch.setattr(secrets, "SecretClient", client)
    with ControlPlane(certfile=str(tmp_path / "server.pem")) as azure:
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        identity.forget_tokens()
        azure.vault["foundry-key"] = f" {KEY}\n"
        host = azure.secure_url.removeprefix("https://")
        yield azure, lambda name: KeyRef.parse(f"keyvault:{host}/{name}").resolve()
    identity.forget_tokens()


def test_secret_is_read_with_the_users_sign_in(vault):
    assert vault[1]("foundry-key") == Secret(KEY)


def test_missing_secret_and_role_are_one_line(vault):
    azure, read = vault
    with pytest.raises(KeyNotFoundError, match="has no secret other") as caught:
        read("other")
    assert "az keyvault secret set" in str(caught.value)
    azure.faults.denied = ["Microsoft.KeyVault/*"]
    with pytest.raises(KeyNotFoundError, match="Key Vault Secrets User") as caught:
        read("foundry-key")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["evil.example", "vault.azure.net.evil.example", "my.vault"])
def test_sign_in_goes_to_no_other_host(host):
    pytest.importorskip("azure.keyvault.secrets")
    with pytest.raises(KeyNotFoundError, match="is not a key vault of Azure"):
        KeyRef.parse(f"keyvault:{host}/name").resolve()


@pytest.mark.parametrize("module", ["azure.keyvault.secrets", "databricks.sdk"])
def test_missing_package_says_how_to_install_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    reference = "keyvault:my-vault/name" if module.startswith("azure") else "databricks:scope/name"
    with pytest.raises(KeyNotFoundError, match=r"Run .*install"):
        KeyRef.parse(reference).resolve()


def read_databricks(scope, name):
    if (scope, name) != ("llm", "team/key"):
        raise RuntimeError("RESOURCE_DOES_NOT_EXIST")
    return KEY


def test_databricks_notebook_reads_through_dbutils(monkeypatch):
    dbutils = types.SimpleNamespace(secrets=types.SimpleNamespace(get=read_databricks))
    monkeypatch.setattr(sys.modules["__main__"], "dbutils", dbutils, raising=False)
    assert KeyRef.parse("databricks:llm/team/key").resolve() == Secret(KEY)
    with pytest.raises(KeyNotFoundError, match="does not give the secret llm/other: RESOURCE_DOES_NOT_EXIST"):
        KeyRef.parse("databricks:llm/other").resolve()


def test_databricks_sdk_reads_elsewhere(monkeypatch):
    def get_secret(scope, name):
        return types.SimpleNamespace(value=b64encode(read_databricks(scope, name).encode()).decode())

    sdk = types.ModuleType("databricks.sdk")
    sdk.WorkspaceClient = lambda: types.SimpleNamespace(secrets=types.SimpleNamespace(get_secret=get_secret))
    monkeypatch.setitem(sys.modules, "databricks", types.ModuleType("databricks"))
    monkeypatch.setitem(sys.modules, "databricks.sdk", sdk)
    assert KeyRef.parse("databricks:llm/team/key").resolve() == Secret(KEY)
