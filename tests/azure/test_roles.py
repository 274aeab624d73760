"""The action that a request needs, and the role that contains it."""

from __future__ import annotations

import pytest

from azml_magics.azure.roles import action_of, role_for

ACCOUNT = "/subscriptions/S/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts/A"
WORKSPACE = "/subscriptions/S/resourceGroups/R/providers/Microsoft.MachineLearningServices/workspaces/W"


@pytest.mark.parametrize(
    ("method", "path", "action", "role"),
    [
        ("GET", "/subscriptions", "Microsoft.Resources/subscriptions/read", "Reader"),
        ("GET", "/subscriptions/S/resourceGroups/R", "Microsoft.Resources/subscriptions/resourceGroups/read", "Reader"),
        ("GET", ACCOUNT, "Microsoft.CognitiveServices/accounts/read", "Foundry User (before: Azure AI User) or Reader"),
        (
            "POST",
            f"{ACCOUNT}/listKeys",
            "Microsoft.CognitiveServices/accounts/listKeys/action",
            "Cognitive Services User",
        ),
        (
            "GET",
            f"{WORKSPACE}/onlineEndpoints/E/deployments",
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/read",
            "AzureML Data Scientist or Reader",
        ),
        (
            "POST",
            f"{WORKSPACE}/onlineEndpoints/E/token",
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/token/action",
            "AzureML Data Scientist",
        ),
        (
            "POST",
            f"{WORKSPACE}/serverlessEndpoints/E/listKeys",
            "Microsoft.MachineLearningServices/workspaces/serverlessEndpoints/listKeys/action",
            "AzureML Data Scientist",
        ),
    ],
)
def test_request_needs_an_action_and_a_role(method, path, action, role):
    assert action_of(method, path) == action
    assert role_for(action) == role


def test_unknown_action_has_no_role():
    assert role_for("Microsoft.Other/things/write") == ""
    assert action_of("GET", "/deployments") == ""
