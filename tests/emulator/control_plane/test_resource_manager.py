"""The emulated Resource Manager: lists in pages, keys, and its refusals with their codes and challenges."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import urlsplit

import httpx
import pytest

from azml_magics.emulator.control_plane import ControlPlane, ControlPlaneFaults
from azml_magics.emulator.control_plane.contoso import GROUP, RESEARCH, SANDBOX, WORKSPACE

ARM = "https://management.azure.com"
ACCOUNTS = f"/subscriptions/{RESEARCH}/providers/Microsoft.CognitiveServices/accounts"
FOUNDRY = (
    f"/subscriptions/{RESEARCH}/resourceGroups/{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso-foundry"
)
SECURE = FOUNDRY.replace("contoso-foundry", "contoso-secure")
ML = f"/subscriptions/{RESEARCH}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"


def call(azure, path, method="GET", *, token=None, version="2025-09-01"):
    url = path if path.startswith("http") else f"{azure.url}{path}?api-version={version}"
    return httpx.request(method, url, headers={"authorization": f"Bearer {token or azure.issue_token(ARM)}"})


def names_in(response):
    assert response.status_code == 200, response.text
    return [one["name"] for one in response.json()["value"]]


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


def test_lists_have_what_their_path_names(azure):
    subscriptions = call(azure, "/subscriptions").json()["value"]
    assert [one["subscriptionId"] for one in subscriptions] == [RESEARCH, SANDBOX]
    assert names_in(call(azure, ACCOUNTS)) == ["contoso-foundry", "contoso-secure"]
    assert names_in(call(azure, ACCOUNTS.replace(RESEARCH, SANDBOX))) == ["contoso-openai"]
    assert names_in(call(azure, f"{SECURE}/deployments")) == ["gpt-5"]
    assert names_in(call(azure, f"{FOUNDRY}/projects")) == ["contoso-foundry/assistants"]
    assert names_in(call(azure, f"{FOUNDRY}/projects/assistants/connections")) == ["contoso-openai"]
    assert names_in(call(azure, f"{FOUNDRY}/managedComputeDeployments")) == ["qwen3-8b"]
    assert names_in(call(azure, f"{ML}/onlineEndpoints/phi-chat/deployments")) == ["chat", "completion"]
    assert names_in(call(azure, f"{ML}/serverlessEndpoints")) == ["phi-serverless"]
    one = call(azure, f"{ML}/onlineEndpoints/LLAMA-chat").json()
    assert one["properties"]["authMode"] == "Key"


def test_pages_are_linked_until_the_last():
    with ControlPlane(page_size=2) as azure:
        first = call(azure, f"{FOUNDRY}/deployments")
        assert names_in(first) == ["gpt-5-mini", "o3-pro"]
        assert urlsplit(first.json()["nextLink"]).netloc == urlsplit(azure.url).netloc
        second = call(azure, first.json()["nextLink"])
        last = call(azure, second.json()["nextLink"])
        assert names_in(last) == ["gpt-4.1-mini"]
        assert "nextLink" not in last.json()
        odd = call(azure, f"{azure.url}{FOUNDRY}/deployments?api-version=1&$skiptoken=x")
        assert names_in(odd) == names_in(first)


def test_resources_can_be_added_and_removed(azure):
    azure.resources.remove(FOUNDRY)
    assert names_in(call(azure, ACCOUNTS)) == ["contoso-secure"]
    assert error_of(call(azure, f"{FOUNDRY}/deployments")) == (404, "ResourceNotFound")


def test_unknown_subscription_and_version_are_refused(azure):
    assert error_of(call(azure, "/subscriptions/elsewhere/providers/X.Y/z")) == (404, "SubscriptionNotFound")
    bare = httpx.get(f"{azure.url}/subscriptions", headers={"authorization": f"Bearer {azure.issue_token(ARM)}"})
    assert error_of(bare) == (400, "MissingApiVersionParameter")


def test_keys_are_those_of_the_endpoints(azure):
    keys = call(azure, f"{FOUNDRY}/listKeys", "POST").json()
    assert sorted(keys) == ["key1", "key2"]
    assert keys["key1"] == azure.key_of("contoso-foundry")
    keys = call(azure, f"{ML}/onlineEndpoints/llama-chat/listKeys", "POST").json()
    assert keys["primaryKey"] == azure.key_of("llama-chat")
    with pytest.raises(KeyError):
        azure.key_of("nothing")


def test_keys_are_refused_where_they_are_disabled(azure):
    assert error_of(call(azure, f"{SECURE}/listKeys", "POST")) == (400, "BadRequest")
    assert error_of(call(azure, f"{ML}/onlineEndpoints/phi-chat/listKeys", "POST")) == (400, "BadRequest")
    assert error_of(call(azure, f"{ML}/onlineEndpoints/llama-chat/token", "POST")) == (400, "BadRequest")


def test_aml_token_has_its_two_times(azure):
    token = call(azure, f"{ML}/onlineEndpoints/phi-chat/token", "POST").json()
    assert token["tokenType"] == "Bearer"
    assert token["expiryTimeUtc"] - token["refreshAfterTimeUtc"] == 1800


def test_missing_role_names_action_and_scope(azure):
    azure.faults.denied = ["*/listKeys/action", f"Microsoft.CognitiveServices/accounts/deployments/read {SECURE}*"]
    refused = call(azure, f"{FOUNDRY}/listKeys", "POST")
    assert error_of(refused) == (403, "AuthorizationFailed")
    assert "'Microsoft.CognitiveServices/accounts/listKeys/action' over scope" in refused.text
    assert error_of(call(azure, f"{SECURE}/deployments"))[0] == 403
    assert call(azure, f"{FOUNDRY}/deployments").status_code == 200


def test_permissions_are_all_but_what_is_denied(azure):
    azure.faults.denied = ["*/listKeys/action", f"*/deployments/read {SECURE}*"]
    path = "/providers/Microsoft.Authorization/permissions"
    (foundry,) = call(azure, FOUNDRY + path).json()["value"]
    (secure,) = call(azure, SECURE + path).json()["value"]
    assert (foundry["actions"], foundry["notActions"]) == (["*"], ["*/listKeys/action"])
    assert secure["notDataActions"] == ["*/listKeys/action", "*/deployments/read"]


def test_throttling_ends_after_its_calls(azure):
    azure.faults.throttled = 2
    refused = call(azure, ACCOUNTS)
    assert error_of(refused) == (429, "SubscriptionRequestsThrottled")
    assert refused.headers["retry-after"] == "1"
    assert [call(azure, ACCOUNTS).status_code for _ in range(2)] == [429, 200]


@pytest.mark.parametrize(
    ("faults", "audience", "code"),
    [
        ({}, "https://ml.azure.com", "InvalidAuthenticationTokenAudience"),
        ({"token_lifetime": 0}, ARM, "ExpiredAuthenticationToken"),
        ({"clock_skew": 7200}, ARM, "ExpiredAuthenticationToken"),
        ({"token_tenant": "elsewhere"}, ARM, "InvalidAuthenticationTokenTenant"),
    ],
)
def test_refused_token_is_challenged(faults, audience, code):
    with ControlPlane(ControlPlaneFaults(**faults)) as azure:
        refused = call(azure, ACCOUNTS, token=azure.issue_token(audience))
        assert error_of(refused) == (401, code)
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_token_of_another_issuer_is_invalid(azure):
    with ControlPlane() as other:
        assert error_of(call(azure, ACCOUNTS, token=other.issue_token(ARM))) == (401, "InvalidAuthenticationToken")
    assert error_of(call(azure, ACCOUNTS, token="not-a-token")) == (401, "InvalidAuthenticationToken")
    missing = httpx.get(f"{azure.url}{ACCOUNTS}?api-version=2025-09-01")
    assert error_of(missing) == (401, "AuthenticationFailed")


def test_revoked_token_gets_a_claims_challenge(azure):
    azure.faults.revoked = 1
    token = azure.issue_token(ARM)
    refused = call(azure, ACCOUNTS, token=token)
    claims = re.search(r'error="insufficient_claims", claims="([^"]+)"', refused.headers["www-authenticate"])
    assert json.loads(base64.b64decode(claims[1]))["access_token"]["nbf"]["essential"] is True
    assert call(azure, ACCOUNTS, token=token).status_code == 401
    assert call(azure, ACCOUNTS).status_code == 200


def test_proxy_answers_with_a_page(azure):
    azure.faults.html_proxy = 200
    answered = call(azure, ACCOUNTS)
    assert answered.headers["content-type"].startswith("text/html")
    assert "Contoso Web Gateway" in answered.text
