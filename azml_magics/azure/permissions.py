"""Which of two ways to sign requests the user's roles allow: a token of their own, or the key of the resource.

An owner may list keys and has no right to call the models with a token; a user of the models is the other way round.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError

from .json_fields import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arm import ResourceManager

_API_VERSION = "2022-04-01"
_CALL = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
_LIST_KEYS = "Microsoft.CognitiveServices/accounts/listKeys/action"


def prefer_allowed(arm: ResourceManager, resource: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ways that a resource accepts, with one first that the user's roles allow, as far as that is known.

    Args:
        arm: Azure Resource Manager.
        resource: The id of the resource.
        keys: The ways that it accepts, as `Deployment.keys`.
    """
    if set(keys) != {"entra", "azure-key"} or not resource:
        return keys
    try:
        permissions = list(arm.list(f"{resource}/providers/Microsoft.Authorization/permissions", _API_VERSION))
    except AzmlError:  # then the first call says it, with the missing role
        return keys
    may_call, may_list = is_granted(permissions, _CALL, "dataActions"), is_granted(permissions, _LIST_KEYS, "actions")
    return ("azure-key", "entra") if may_list and not may_call else keys


def is_granted(permissions: Sequence[Any], action: str, kind: str) -> bool:
    """Whether one of the permissions, as Azure Resource Manager lists them, contains an action.

    Args:
        permissions: The permissions of the user's roles.
        action: The action.
        kind: "actions" or "dataActions".
    """
    denied = f"not{kind[0].upper()}{kind[1:]}"
    return any(_has(pick(each, kind), action) and not _has(pick(each, denied), action) for each in permissions)


def _has(patterns: Any, action: str) -> bool:
    given = patterns if isinstance(patterns, list) else ()
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE | re.DOTALL)
        for pattern in given
        if isinstance(pattern, str)
    )
