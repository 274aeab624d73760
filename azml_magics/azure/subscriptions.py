"""The places in Azure Resource Manager to look in: subscriptions, or one resource group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from azml_magics.core.errors import UnknownNameError

from .json_fields import text

if TYPE_CHECKING:
    from .arm import ResourceManager
    from .workspace import Target

_API_VERSION = "2022-12-01"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAX_SUBSCRIPTIONS = 200


class Place(NamedTuple):
    """A subscription or a resource group.

    Attributes:
        path: Its path.
        name: Its name for messages.
    """

    path: str
    name: str


def places_of(arm: ResourceManager, target: Target) -> list[Place]:
    """Return where to look: what `target` names, or every subscription of the sign-in.

    Raises:
        UnknownNameError: The sign-in sees no subscription of that name.
        AzmlError: The subscriptions cannot be listed.
    """
    wanted = target.subscription
    if _ID.fullmatch(wanted):
        subscriptions = {wanted: wanted}
    else:
        subscriptions = _subscriptions(arm)
        if wanted:
            same = {key: name for key, name in subscriptions.items() if wanted.lower() in {key.lower(), name.lower()}}
            if not same:
                raise UnknownNameError.of(
                    "subscription",
                    wanted,
                    subscriptions.values(),
                    "If it is in another tenant, name that tenant, too.",
                    error_code="unknown-subscription",
                )
            subscriptions = same
    group = f"/resourceGroups/{target.resource_group}" if target.resource_group else ""
    return [
        Place(f"/subscriptions/{key}{group}", f"{target.resource_group} in {name}" if group else name)
        for key, name in subscriptions.items()
    ]


def _subscriptions(arm: ResourceManager) -> dict[str, str]:
    """Return the names of the sign-in's subscriptions by their ids; those that are switched off are left out."""
    found: dict[str, str] = {}
    for item in arm.list("/subscriptions", _API_VERSION):
        if text(item, "subscriptionId") and text(item, "state").lower() in {"", "enabled", "warned", "pastdue"}:
            found[text(item, "subscriptionId")] = text(item, "displayName") or text(item, "subscriptionId")
        if len(found) == _MAX_SUBSCRIPTIONS:
            break
    return found
