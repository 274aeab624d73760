"""From sign-in to the first answer in a kernel of its own, with the real azure-identity and an emulated Azure."""

from __future__ import annotations

import os

import pytest
import trustme

from azml_magics.emulator.control_plane import ControlPlane

from .fresh import executed, started, variables_of

pytest.importorskip("azure.identity")

ASK = "%%azureml gpt-5-mini\nWrite a haiku about sparkling water."
ANSWER = "Small bubbles rising"
SIGN_INS = ("app-service", "azure-ml", "service-principal", "az")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate with its private key, CA) as files."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return folder / "server.pem", folder / "ca.pem"


@pytest.fixture
def azure(certificate):
    with ControlPlane(certfile=str(certificate[0])) as plane:
        yield plane


def signed_in(azure, how, certificate, folder):
    """The variables of a kernel that is signed in in one of the ways."""
    if how != "az":
        return {**azure.environment_of(how), "REQUESTS_CA_BUNDLE": str(certificate[1])}
    azure.write_az_command(folder)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {"PATH": path, "AZURE_RESOURCE_MANAGER_ENDPOINT": azure.url, "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}


@pytest.mark.parametrize("how", SIGN_INS)
def test_sign_in_discover_save_and_ask(azure, certificate, tmp_path, how):
    notebook = executed(
        tmp_path,
        "%load_ext azml_magics\n%azureml discover",
        "%azureml discover --save gpt-5-mini",
        ASK,
        **signed_in(azure, how, certificate, tmp_path),
    )
    table, _, answer = (cell.outputs[-1].data["text/plain"] for cell in notebook.cells)
    assert "contoso-foundry" in table
    assert ANSWER in answer
    assert azure.requests[-1].headers["authorization"].startswith("Bearer ey")
    assert azure.issue_token("x").split(".")[0] not in str(notebook)


def test_every_kind_of_deployment_responds_with_its_own_key(azure, certificate, tmp_path):
    """A token of the sign-in, a key that Azure lists, and a token of Azure ML; /score was asked for its format."""
    variables = signed_in(azure, "app-service", certificate, tmp_path)
    with started(tmp_path, variables_of(tmp_path, **variables)) as kernel:
        kernel.ok("%load_ext azml_magics")
        said = kernel.ok("%azureml discover --save claude-sonnet-4-6 phi-serverless llama-chat phi-chat/chat").text
        assert "Saved llama-chat: openai-chat in contoso-ml, key azure-key." in said
        assert "Saved phi-chat-chat: phi-chat/chat, openai-chat in contoso-ml, key aml-token." in said
        for name in ("claude-sonnet-4-6", "phi-serverless", "llama-chat", "phi-chat-chat"):
            haiku = kernel.ok(f"%%azureml {name}\nWrite a haiku about sparkling water.").text
            assert len(haiku.splitlines()) == 3, haiku


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"signed_out": "The identity was removed."}, "No Entra ID token"),
        ({"token_tenant": "elsewhere"}, "tenant"),
        ({"clock_skew": 7200}, "clock"),
        ({"html_proxy": 200}, "proxy"),
        ({"denied": ["*/read"]}, "role"),
    ],
)
def test_what_is_in_the_way_is_one_line(azure, certificate, tmp_path, faults, words):
    for name, value in faults.items():
        setattr(azure.faults, name, value)
    with started(tmp_path, variables_of(tmp_path, **signed_in(azure, "app-service", certificate, tmp_path))) as kernel:
        kernel.ok("%load_ext azml_magics")
        cell = kernel.run("%azureml discover")
    said = cell.error["evalue"] if cell.error else cell.text
    assert words in said, said
    if cell.error:
        assert len(cell.error["traceback"]) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"AZURE_CLIENT_SECRET": "wrong"}, "the client secret (AZURE_CLIENT_SECRET) is wrong"),
        ({"AZURE_TENANT_ID": "elsewhere.example"}, "there is no such tenant"),
        ({"AZURE_CLIENT_ID": "11111111-0000-0000-0000-000000000000"}, "the application (AZURE_CLIENT_ID) is unknown"),
    ],
)
def test_wrong_service_principal_is_named_beside_another_sign_in(azure, certificate, tmp_path, wrong, words):
    variables = {**signed_in(azure, "service-principal", certificate, tmp_path), **wrong}
    azure.write_az_command(tmp_path)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    with started(tmp_path, variables_of(tmp_path, **variables, PATH=path)) as kernel:
        kernel.ok("%load_ext azml_magics")
        refused = kernel.run("%azureml discover").error
        assert words in refused["evalue"]
        url = f"{azure.url}/contoso-foundry/openai/v1"
        kernel.ok(f"%azureml save main --url {url} --model gpt-5-mini --key entra:cli")
        assert ANSWER in kernel.ok("%%azureml main\nWrite a haiku about sparkling water.").text
