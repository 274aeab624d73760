"""Keys that Azure lists and tokens of Azure ML: fetched when a request is sent, with the real azure-identity."""

from __future__ import annotations

import time

import pytest

from azml_magics import LLMConfig, invoke
from azml_magics.azure import azure_keys, identity
from azml_magics.core.errors import AzmlError, KeyNotFoundError
from azml_magics.core.keys import KeyRef
from azml_magics.emulator.control_plane import ControlPlane

pytest.importorskip("azure.identity")


@pytest.fixture
def azure(monkeypatch):
    with ControlPlane() as plane:
        for name, value in plane.environment.items():
            monkeypatch.setenv(name, value)
        identity.forget_tokens()
        yield plane
    identity.forget_tokens()
    azure_keys.forget_keys()


def id_of(azure, name):
    return next(one["id"] for one in azure.resources.with_keys() if one["name"] == name)


def key_for(azure, name, scheme="azure-key"):
    return KeyRef(scheme, id_of(azure, name))


def calls_of(azure, operation):
    return sum(request.path.endswith(f"/{operation}") for request in azure.requests)


@pytest.mark.parametrize("name", ["contoso-foundry", "llama-chat", "phi-serverless"])
def test_key_is_the_resources_own(azure, name):
    assert key_for(azure, name).resolve().reveal() == azure.key_of(name)


def test_key_is_listed_once_and_kept_in_memory_only(azure):
    config = LLMConfig(
        endpoint_url=f"{azure.url}/phi-serverless/v1/chat/completions", key=key_for(azure, "phi-serverless")
    )
    for _ in range(2):
        assert invoke(config, "Say hello").text
    assert calls_of(azure, "listKeys") == 1
    assert azure.key_of("phi-serverless") not in repr(vars(azure_keys))


def test_refused_key_is_replaced_by_the_other_one(azure):
    key = key_for(azure, "llama-chat")
    first = key.resolve()
    second = key.resolve(refused=first)
    assert first != second
    assert second.reveal() != azure.key_of("llama-chat")


def test_disabled_keys_lead_to_entra(azure):
    with pytest.raises(AzmlError, match=r"(?i)entra") as caught:
        key_for(azure, "contoso-secure").resolve()
    assert "\n" not in str(caught.value)


def test_missing_role_is_named(azure):
    azure.faults.denied = ["*/listKeys/action"]
    with pytest.raises(AzmlError, match="Cognitive Services User"):
        key_for(azure, "contoso-foundry").resolve()


def test_aml_token_is_kept_until_azure_says_to_refresh_it(azure, monkeypatch):
    key = key_for(azure, "phi-chat", "aml-token")
    first = key.resolve()
    assert key.resolve() == first
    assert calls_of(azure, "phi-chat/token") == 1
    config = LLMConfig(endpoint_url=f"{azure.url}/phi-chat/v1/chat/completions", key=key)
    assert invoke(config, "Say hello").text
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1801)  # half of its life: refreshAfterTimeUtc
    assert key.resolve() != first


def test_refused_aml_token_is_fetched_again_once(azure):
    key = key_for(azure, "phi-chat", "aml-token")
    first = key.resolve()
    second = key.resolve(refused=first)
    assert second != first
    assert key.resolve(refused=first) == second


def test_resource_is_found_by_the_endpoints_host_and_path(azure):
    key = KeyRef("azure-key").resolve(f"{azure.url}/llama-chat/score")
    assert key.reveal() == azure.key_of("llama-chat")
    with pytest.raises(KeyNotFoundError, match=r"None of your Azure resources has the host elsewhere\.example"):
        KeyRef("azure-key").resolve("https://elsewhere.example/score")
