"""Key references with the real azure-identity, against the emulated login, managed identities and Azure CLI."""

from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from azml_magics.azure import identity
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.keys import KeyRef
from azml_magics.emulator.control_plane import ControlPlane
from azml_magics.emulator.control_plane.issued_tokens import CLIENT_ID, COMPUTE_CLIENT_ID, TENANT

pytest.importorskip("azure.identity")

MANAGED = "https://n.eastus.inference.ml.azure.com/score"
FOUNDRY = "https://r.services.ai.azure.com/api/projects/p"


@pytest.fixture
def azure(monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    identity.forget_tokens()
    with ControlPlane(certfile=str(tmp_path / "server.pem")) as plane:
        yield plane
    identity.forget_tokens()


@pytest.fixture
def sign_in(azure, monkeypatch):
    """Sets the variables of a way to sign in."""

    def set_variables(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def az(azure, monkeypatch, tmp_path):
    """The emulated tenant's Azure CLI, first on PATH."""
    azure.write_az_command(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


def claims_of(key):
    payload = key.reveal().split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def refused(reference, **options):
    with pytest.raises(KeyNotFoundError) as caught:
        KeyRef.parse(reference).resolve(MANAGED, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_managed_identity_of_app_service_signs_in(azure, sign_in):
    sign_in(azure.environment)
    for reference in ("entra", "entra:managed"):
        assert claims_of(KeyRef.parse(reference).resolve(FOUNDRY))["aud"] == "https://ai.azure.com"


def test_compute_instance_signs_in_with_its_default_identity(azure, sign_in):
    sign_in(azure.environment_of("azure-ml"))
    for reference in ("entra", "entra:managed"):
        assert claims_of(KeyRef.parse(reference).resolve(MANAGED))["appid"] == COMPUTE_CLIENT_ID


def test_service_principal_signs_in_for_the_hosts_scope(azure, sign_in):
    sign_in(azure.environment_of("service-principal"))
    claims = claims_of(KeyRef.parse("entra").resolve(MANAGED))
    assert (claims["aud"], claims["appid"], claims["tid"]) == ("https://ml.azure.com", CLIENT_ID, TENANT)


def test_wrong_secret_is_named_and_not_shown(azure, sign_in):
    sign_in({**azure.environment_of("service-principal"), "AZURE_CLIENT_SECRET": "wr0ng-secret-0123456789"})
    said = refused("entra")
    assert "AZURE_CLIENT_SECRET" in said
    assert "wr0ng" not in said


def test_workload_identity_signs_in(azure, sign_in, tmp_path):
    (tmp_path / "federated").write_text("a-token-of-the-cluster")
    variables = azure.environment_of("service-principal")
    del variables["AZURE_CLIENT_SECRET"]
    sign_in({**variables, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "federated")})
    assert claims_of(KeyRef.parse("entra").resolve(MANAGED))["aud"] == "https://ml.azure.com"


def test_device_code_is_shown_in_one_line_and_asked_for_once(azure, sign_in, capsys):
    sign_in({"AZURE_AUTHORITY_HOST": azure.secure_url})
    device = KeyRef.parse(f"entra:device,tenant={TENANT}")
    token = device.resolve(MANAGED)
    assert capsys.readouterr().out == f"To sign in, open {azure.secure_url}/device and enter the code EMULATED1.\n"
    device.resolve(MANAGED, refused=token)
    device.resolve(FOUNDRY)
    assert capsys.readouterr().out == ""


def test_azure_cli_is_asked_once_for_many_threads(azure, az):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: KeyRef.parse("entra:cli").resolve(MANAGED), range(16)))
    assert len(keys) == 1


def test_refused_token_is_replaced_by_a_new_one(azure, sign_in):
    sign_in(azure.environment)
    old = KeyRef.parse("entra").resolve(MANAGED)
    new = KeyRef.parse("entra").resolve(MANAGED, refused=old)
    assert new != old
    assert KeyRef.parse("entra").resolve(MANAGED, refused=old) == new


def test_scope_and_cloud_follow_the_reference(azure, sign_in):
    sign_in(azure.environment)
    gateway = KeyRef.parse("entra:https://gateway.contoso.com/.default").resolve("https://llm.example.com")
    assert claims_of(gateway)["aud"] == "https://gateway.contoso.com"
    government = KeyRef.parse("entra").resolve("https://n.usgovarizona.inference.ml.azure.us/score")
    assert claims_of(government)["aud"] == "https://ml.azure.us"


def test_signed_out_cli_and_other_tenants_name_the_command(azure, az):
    assert "there is no such tenant elsewhere" in refused("entra:cli,tenant=elsewhere")
    azure.faults.signed_out = "yes"
    assert "`az login`" in refused("entra:cli")


def test_machine_without_the_cli_says_so(azure, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    said = refused("entra:cli")
    assert "not installed, or not on PATH" in said
    assert "entra:device" in said


def test_machine_without_any_sign_in_says_so(azure, monkeypatch, tmp_path, sign_in):
    azure.faults.signed_out = "No identity is assigned."
    sign_in(azure.environment)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    said = refused("entra")
    assert "nobody is signed in" in said
    assert "az login" in said
