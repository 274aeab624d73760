"""A config gets the key that the user's roles allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from azml_magics.azure.arm import ResourceManager
from azml_magics.azure.clouds import PUBLIC
from azml_magics.azure.permissions import is_granted, prefer_allowed
from azml_magics.core.secret import Secret
from tests.core.server import reply

ACCOUNT = "/subscriptions/S/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts/A"
BOTH = ("entra", "azure-key")
OWNER = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
FOUNDRY_USER = {
    "actions": ["Microsoft.CognitiveServices/*/read"],
    "dataActions": ["Microsoft.CognitiveServices/*"],
}
OPENAI_USER = {
    "actions": ["Microsoft.CognitiveServices/*/read"],
    "dataActions": ["Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"],
}
NO_KEYS = {"actions": ["*"], "notActions": ["*/LISTKEYS/*"]}


@pytest.fixture
def arm(server):
    manager = ResourceManager(replace(PUBLIC, resource_manager=server.url), lambda scope, **_: Secret("token-123456"))
    yield manager
    manager.close()


@pytest.mark.parametrize(
    ("permissions", "first"),
    [
        ([OWNER], "azure-key"),
        ([FOUNDRY_USER], "entra"),
        ([OPENAI_USER], "entra"),
        ([OWNER, OPENAI_USER], "entra"),
        ([NO_KEYS], "entra"),
        ([], "entra"),
        (["odd", {"actions": 3}, {"actions": [3, None]}], "entra"),
    ],
)
def test_roles_decide_between_key_and_token(server, arm, permissions, first):
    server.respond_with(reply({"value": permissions}))
    assert prefer_allowed(arm, ACCOUNT, BOTH)[0] == first
    expected = f"{ACCOUNT}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    assert server.received[0].target == expected


@pytest.mark.parametrize("status", [403, 404, 200])
def test_unknown_permissions_change_nothing(server, arm, status):
    server.respond_with(reply("{}", status))
    assert prefer_allowed(arm, ACCOUNT, BOTH) == BOTH


@pytest.mark.parametrize("keys", [("entra",), ("azure-key",)])
def test_nothing_is_asked_without_a_choice(server, arm, keys):
    assert prefer_allowed(arm, ACCOUNT, keys) == keys
    assert not server.received


def test_pattern_is_not_a_regular_expression():
    assert not is_granted(
        [{"actions": ["Microsoft.CognitiveServices.accounts"]}], "Microsoft-CognitiveServices", "actions"
    )
    assert is_granted([{"actions": ["*/read"]}], "Microsoft.CognitiveServices/accounts/read", "actions")
