"""Which role contains an action of Azure Resource Manager, and which action a request needs. Pure data.

Source: "Azure built-in roles" for AI and machine learning, and the references of the resource providers.
"""

from __future__ import annotations

import re

_READER = "Reader"
_ML = "AzureML Data Scientist"
_FOUNDRY = "Foundry User (before: Azure AI User)"

# The first pattern that fits an action names the smallest roles that contain it.
_ROLES: tuple[tuple[str, str], ...] = (
    (r"microsoft\.cognitiveservices/.*/listkeys/action", "Cognitive Services User"),
    (r"microsoft\.cognitiveservices/accounts/openai/.*", "Cognitive Services OpenAI User"),
    (r"microsoft\.cognitiveservices/accounts/aiservices/.*", _FOUNDRY),
    (r"microsoft\.cognitiveservices/.*/read", f"{_FOUNDRY} or {_READER}"),
    (r"microsoft\.machinelearningservices/workspaces/\w+endpoints/.*action", _ML),
    (r"microsoft\.machinelearningservices/.*/read", f"{_ML} or {_READER}"),
    (r"microsoft\.keyvault/vaults/secrets/.*", "Key Vault Secrets User"),
    (r".*/read", _READER),
)
_PROVIDER = re.compile(r".*/providers/([^/]+)/(.+)", re.IGNORECASE)  # of the last one


def role_for(action: str) -> str:
    """Return the role that contains `action`, such as "Reader"; "" if none is known."""
    return next((role for pattern, role in _ROLES if re.fullmatch(pattern, action, re.IGNORECASE)), "")


def action_of(method: str, path: str) -> str:
    """Return the action that a request to Azure Resource Manager needs.

    Args:
        method: GET or POST.
        path: The path of the resource, of a list, or of a resource and what to do with it.

    Returns:
        Such as "Microsoft.CognitiveServices/accounts/listKeys/action"; "" if the path names no resource.
    """
    path = path.rstrip("/")
    found = _PROVIDER.fullmatch(path)
    if found is None:
        is_read = method == "GET" and path.lower().startswith("/subscriptions")
        group = "/resourceGroups" if "/resourcegroups" in path.lower() else ""
        return f"Microsoft.Resources/subscriptions{group}/read" if is_read else ""
    provider, words = found[1], found[2].split("/")
    types = "/".join(words[::2])  # the names of resources stand between their types
    return f"{provider}/{types}/{'read' if method == 'GET' else 'action'}"
