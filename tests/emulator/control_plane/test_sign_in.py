"""The real azure-identity signs in to the emulated login and to the emulated managed identities."""

from __future__ import annotations

import base64
import json
import os
import time
from contextlib import ExitStack

import httpx
import pytest

from azml_magics.emulator.control_plane import ControlPlane
from azml_magics.emulator.control_plane.issued_tokens import CLIENT_ID, TENANT

identity = pytest.importorskip("azure.identity")
exceptions = pytest.importorskip("azure.core.exceptions")

SCOPE = "https://management.azure.com/.default"


def set_environment(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def opened():
    """Opens credentials, and closes them when the test ends."""
    with ExitStack() as stack:
        yield stack.enter_context


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def list_subscriptions(azure, token):
    url = f"{azure.url}/subscriptions?api-version=2022-12-01"
    return httpx.get(url, headers={"authorization": f"Bearer {token}"})


def test_app_service_identity_gives_a_token_with_its_claims(azure, monkeypatch, opened):
    set_environment(monkeypatch, azure.environment)
    token = opened(identity.DefaultAzureCredential()).get_token(SCOPE)
    claims = claims_of(token.token)
    assert (claims["aud"], claims["tid"]) == ("https://management.azure.com", TENANT)
    assert claims["exp"] == token.expires_on
    assert 3500 < token.expires_on - time.time() <= 3600
    assert list_subscriptions(azure, token.token).status_code == 200


def test_compute_instance_needs_its_client_id(azure, monkeypatch, opened):
    variables = azure.environment_of("azure-ml")
    set_environment(monkeypatch, variables)
    named = opened(identity.ManagedIdentityCredential(client_id=variables["DEFAULT_IDENTITY_CLIENT_ID"]))
    assert list_subscriptions(azure, named.get_token(SCOPE).token).status_code == 200
    with pytest.raises(exceptions.ClientAuthenticationError, match=r"No User Assigned|not found in environment"):
        opened(identity.ManagedIdentityCredential()).get_token(SCOPE)


def test_managed_identity_asks_for_its_header(azure):
    address = azure.environment["IDENTITY_ENDPOINT"]
    assert httpx.get(f"{address}?resource=x", headers={"x-identity-header": "guessed"}).status_code == 401


def test_client_secret_signs_in_over_https(secure_azure, opened):
    variables = secure_azure.environment_of("service-principal")
    credential = opened(
        identity.ClientSecretCredential(
            TENANT,
            CLIENT_ID,
            variables["AZURE_CLIENT_SECRET"],
            authority=variables["AZURE_AUTHORITY_HOST"],
            disable_instance_discovery=True,
        )
    )
    token = credential.get_token(SCOPE).token
    assert list_subscriptions(secure_azure, token).status_code == 200


def test_default_credential_reads_the_service_principal(secure_azure, monkeypatch, opened):
    set_environment(monkeypatch, secure_azure.environment_of("service-principal"))
    credential = opened(identity.DefaultAzureCredential(disable_instance_discovery=True))
    assert claims_of(credential.get_token("https://ai.azure.com/.default").token)["aud"] == "https://ai.azure.com"


@pytest.mark.parametrize(
    ("client_id", "code"),
    [(CLIENT_ID, "AADSTS7000215"), ("11111111-0000-0000-0000-000000000000", "AADSTS700016")],
)
def test_wrong_secret_and_application_are_refused(secure_azure, client_id, code, opened):
    authority = secure_azure.secure_url
    credential = opened(
        identity.ClientSecretCredential(
            TENANT, client_id, "wrong", authority=authority, disable_instance_discovery=True
        )
    )
    with pytest.raises(exceptions.ClientAuthenticationError, match=code):
        credential.get_token(SCOPE)


def test_unknown_tenant_is_refused(secure_azure, opened):
    credential = opened(
        identity.ClientSecretCredential(
            "elsewhere.example", CLIENT_ID, "x", authority=secure_azure.secure_url, disable_instance_discovery=True
        )
    )
    with pytest.raises(exceptions.ClientAuthenticationError, match="double check your tenant"):
        credential.get_token(SCOPE)


def test_device_code_signs_in_by_itself(secure_azure, opened):
    shown = []
    credential = opened(
        identity.DeviceCodeCredential(
            tenant_id=TENANT,
            authority=secure_azure.secure_url,
            disable_instance_discovery=True,
            prompt_callback=lambda *parts: shown.append(parts),
        )
    )
    token = credential.get_token(SCOPE).token
    assert shown[0][1] == "EMULATED1"
    assert list_subscriptions(secure_azure, token).status_code == 200


def test_workload_identity_exchanges_its_file(secure_azure, tmp_path, opened):
    federated = tmp_path / "token"
    federated.write_text("a-token-of-the-cluster")
    credential = opened(
        identity.WorkloadIdentityCredential(
            tenant_id=TENANT,
            client_id=CLIENT_ID,
            token_file_path=str(federated),
            authority=secure_azure.secure_url,
            disable_instance_discovery=True,
        )
    )
    assert list_subscriptions(secure_azure, credential.get_token(SCOPE).token).status_code == 200


@pytest.fixture
def az(azure, tmp_path, monkeypatch):
    """The emulated tenant's Azure CLI, first on PATH."""
    program = azure.write_az_command(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return program


def test_az_command_signs_in(azure, az):
    token = identity.AzureCliCredential().get_token(SCOPE)
    assert claims_of(token.token)["exp"] == token.expires_on
    assert list_subscriptions(azure, token.token).status_code == 200


def test_az_command_of_another_tenant_or_signed_out_says_so(azure, az):
    with pytest.raises(exceptions.ClientAuthenticationError, match="AADSTS90002"):
        identity.AzureCliCredential(tenant_id="elsewhere").get_token(SCOPE)
    azure.faults.signed_out = "yes"
    with pytest.raises(exceptions.ClientAuthenticationError, match="az login"):
        identity.AzureCliCredential().get_token(SCOPE)


def test_signed_out_identity_says_why(azure, monkeypatch, opened):
    azure.faults.signed_out = "The identity was removed from this site."
    set_environment(monkeypatch, azure.environment)
    with pytest.raises(
        exceptions.ClientAuthenticationError, match=r"The identity was removed|not found in environment"
    ):
        opened(identity.ManagedIdentityCredential()).get_token(SCOPE)


def test_control_plane_stops_and_says_so():
    plane = ControlPlane()
    assert repr(plane) == "<ControlPlane, stopped>"
    with plane:
        assert repr(plane) == f"<ControlPlane {plane.url}>"
        with pytest.raises(RuntimeError, match="certificate"):
            _ = plane.secure_url
    with pytest.raises(RuntimeError, match="not running"):
        _ = plane.url
