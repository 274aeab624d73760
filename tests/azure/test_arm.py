"""The thin client of Azure Resource Manager: paging, throttling, sign-in and refusals, over real sockets."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from azml_magics.azure import rest
from azml_magics.azure.arm import ResourceManager
from azml_magics.azure.clouds import PUBLIC
from azml_magics.azure.deadline import Deadline
from azml_magics.azure.rest_errors import resource_of
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFormatError,
    ServiceUnavailableError,
)
from azml_magics.core.secret import Secret
from tests.core.server import reply

TOKEN = "t0ken-0123456789abcdef-KEEP-OUT"
ACCOUNT = "/subscriptions/S/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts/A"
FORBIDDEN = {
    "error": {
        "code": "AuthorizationFailed",
        "message": "The client 'X' with object id 'Y' does not have authorization to perform action "
        f"'Microsoft.CognitiveServices/accounts/listKeys/action' over scope '{ACCOUNT}' or the scope is invalid.",
    }
}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def arm(server, asked):
    def get_token(scope, *, refresh=False, claims=""):
        asked.append((scope, refresh, claims))
        return Secret(f"{TOKEN}-{len(asked)}")

    manager = ResourceManager(replace(PUBLIC, resource_manager=server.url), get_token)
    yield manager
    manager.close()


def test_list_follows_next_link_verbatim_with_one_token(server, arm, asked):
    more = f"{server.url}/next?api-version=1&$skiptoken=a%2Bb"
    server.respond_with(reply({"value": [{"n": 1}], "nextLink": more}), reply({"value": [{"n": 2}], "nextLink": None}))
    assert [item["n"] for item in arm.list("/subscriptions", "2022-12-01")] == [1, 2]
    first, second = server.received
    assert first.target == "/subscriptions?api-version=2022-12-01"
    assert second.target == "/next?api-version=1&$skiptoken=a%2Bb"
    assert {request.headers["authorization"] for request in server.received} == {f"Bearer {TOKEN}-1"}
    assert asked == [("https://management.azure.com/.default", False, "")]


def test_next_link_to_another_host_gets_no_token(server, arm):
    server.respond_with(reply({"value": [{"n": 1}], "nextLink": "https://evil.example/next"}))
    found = []
    with pytest.raises(ResponseFormatError, match=r"goes on at https://evil.example, where your token is not sent"):
        found.extend(arm.list("/subscriptions", "1"))
    assert len(server.received) == 1


def test_pages_that_lead_to_themselves_end(server, arm):
    server.respond_with(reply({"value": [], "nextLink": f"{server.url}/again"}))
    with pytest.raises(ResponseFormatError, match="its pages do not end"):
        list(arm.list("/subscriptions", "1"))


def test_throttled_request_waits_as_long_as_it_is_told(server, arm):
    server.respond_with(reply({}, 429, retry_after="0"), reply({"key1": "a"}))
    assert arm.post(f"{ACCOUNT}/listKeys", "2025-09-01") == {"key1": "a"}
    assert server.received[0].method == "POST"
    assert server.received[0].headers["content-length"] == "0"


def test_long_throttling_is_said_at_once(server, arm):
    body = {"error": {"code": "SubscriptionRequestsThrottled", "message": "Too many reads."}}
    server.respond_with(reply(body, 429, retry_after="300"))
    with pytest.raises(RateLimitError, match=r"Too many reads\.? *It asks to wait 5 min"):
        arm.get("/subscriptions", "1")
    assert len(server.received) == 1


def test_claims_challenge_is_answered_once(server, arm, asked):
    claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})
    challenge = f'Bearer error="insufficient_claims", claims="{base64.b64encode(claims.encode()).decode()}"'
    server.respond_with(reply({}, 401, WWW_Authenticate=challenge), reply({"ok": 1}))
    assert arm.get("/subscriptions", "1") == {"ok": 1}
    assert asked[1:] == [("https://management.azure.com/.default", False, claims)]
    assert server.received[1].headers["authorization"] == f"Bearer {TOKEN}-2"


def test_refused_token_is_renewed_once(server, arm, asked):
    server.respond_with(reply({"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}, 401))
    with pytest.raises(AuthenticationError, match=r"does not accept your sign-in .*az login"):
        arm.get("/subscriptions", "1")
    assert [refresh for _, refresh, _ in asked] == [False, Secret(f"{TOKEN}-1")]
    assert len(server.received) == 2


def test_wrong_tenant_is_named(server, arm):
    message = (
        "The access token is from the wrong issuer 'https://sts.windows.net/aaa/'. It must match the tenant "
        "'https://sts.windows.net/bbb-222/' associated with this subscription."
    )
    server.respond_with(reply({"error": {"code": "InvalidAuthenticationTokenTenant", "message": message}}, 401))
    with pytest.raises(AuthenticationError, match="az login --tenant bbb-222") as caught:
        arm.get("/subscriptions/S", "1")
    assert caught.value.error_code == "wrong-tenant"


def test_refusal_names_the_action_and_the_role(server, arm):
    server.respond_with(reply(FORBIDDEN, 403))
    with pytest.raises(PermissionDeniedError) as caught:
        arm.post(f"{ACCOUNT}/listKeys", "2025-09-01")
    assert "Microsoft.CognitiveServices/accounts/listKeys/action on accounts/A" in caught.value.cause
    assert "the role Cognitive Services User" in caught.value.remedy


def test_refusal_without_an_action_names_the_one_it_needs(server, arm):
    server.respond_with(reply({"error": {"code": "Forbidden", "message": "no"}}, 403))
    with pytest.raises(
        PermissionDeniedError, match=r"lacks Microsoft\.CognitiveServices/accounts/deployments/read on accounts/A"
    ):
        arm.get(f"{ACCOUNT}/deployments", "1")


def test_keys_that_are_switched_off_lead_to_entra(server, arm):
    body = {"error": {"code": "BadRequest", "message": "Failed to list key. disableLocalAuth is set to be true"}}
    server.respond_with(reply(body, 400))
    with pytest.raises(PermissionDeniedError, match=r"Keys are switched off .* entra"):
        arm.post(f"{ACCOUNT}/listKeys", "1")


@pytest.mark.parametrize("status", [200, 403, 503])
def test_web_page_of_a_proxy_is_named_as_such(server, arm, status, monkeypatch):
    monkeypatch.setattr(rest, "_MAX_RETRIES", 0)
    server.respond_with(reply("<html><title>Blocked by Corp</title>", status, "text/html"))
    with pytest.raises(APIConnectionError, match=r"something in between answered for 127.* 'Blocked by Corp'"):
        arm.get("/subscriptions", "1")


def test_missing_resource_is_told_from_a_missing_service(server, arm):
    server.respond_with(reply({"error": {"code": "SubscriptionNotFound", "message": "not found"}}, 404))
    with pytest.raises(NotFoundError) as caught:
        arm.get("/subscriptions/S", "1")
    assert caught.value.error_code == "resource-not-found"
    server.respond_with(reply({"error": {"code": "NoRegisteredProviderFound", "message": "none"}}, 400))
    with pytest.raises(NotFoundError) as caught:
        arm.get(f"{ACCOUNT}/managedComputeDeployments", "1")
    assert caught.value.error_code == "not-offered"


@pytest.mark.parametrize("body", ["[]", "not json", '{"value": 3}', '{"value": [], "nextLink": 3}'])
def test_unreadable_list_is_an_error(server, arm, body):
    server.respond_with(reply(body))
    with pytest.raises(ResponseFormatError, match="cannot be read"):
        list(arm.list("/subscriptions", "1"))


def test_service_that_fails_is_asked_again(server, arm):
    server.respond_with(reply({}, 503, retry_after="0"), reply({"ok": 1}))
    assert arm.get("/subscriptions", "1") == {"ok": 1}
    server.respond_with(reply({}, 500, retry_after="0"))
    with pytest.raises(ServiceUnavailableError):
        arm.get("/subscriptions", "1")


def test_token_that_the_server_repeats_is_masked(server, arm):
    server.respond_with(
        reply({"error": {"code": "X", "message": f"bad {TOKEN}-1 and {TOKEN}-2"}}, 400, echo=f"{TOKEN}-1")
    )
    with pytest.raises(Exception) as caught:
        arm.get("/subscriptions", "1")
    for text in (str(caught.value), caught.value.body, str(caught.value.headers), str(caught.value.args)):
        assert f"{TOKEN}-1" not in text


@pytest.mark.parametrize("path", ["/subscriptions/../tenants", "/a/..", ".."])
def test_path_that_climbs_is_refused(arm, server, path):
    with pytest.raises(ConfigError, match="not the path of a resource"):
        arm.get(path, "1")
    assert not server.received


def test_path_cannot_add_a_query_or_a_fragment(server, arm):
    server.respond_with(reply({}))
    arm.post("/subscriptions/S/delete?x=#/listKeys", "1")
    assert server.received[0].target == "/subscriptions/S/delete%3Fx=%23/listKeys?api-version=1"


def test_nothing_is_sent_after_the_deadline(server):
    manager = ResourceManager(
        replace(PUBLIC, resource_manager=server.url), lambda scope, **_: Secret(TOKEN), deadline=Deadline(0)
    )
    with pytest.raises(APITimeoutError, match="not finished within 0 s"):
        manager.get("/subscriptions", "1")
    assert not server.received


def test_address_in_clear_text_is_refused():
    with pytest.raises(ConfigError, match="clear text"):
        ResourceManager(replace(PUBLIC, resource_manager="http://arm.example"), lambda scope, **_: Secret(TOKEN))


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        (ACCOUNT, "accounts/A"),
        (f"{ACCOUNT}/deployments", "accounts/A"),
        (f"{ACCOUNT}/deployments/D", "deployments/D"),
        ("/subscriptions/S/providers/Microsoft.CognitiveServices/accounts", "subscriptions/S"),
        ("/subscriptions/S/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts", "resourceGroups/R"),
        ("/subscriptions/S", "subscriptions/S"),
        ("/api/projects/p/deployments", "projects/p"),
        ("/subscriptions", "subscriptions"),
    ],
)
def test_message_names_the_resource_that_a_list_belongs_to(path, resource):
    assert resource_of(path) == resource
