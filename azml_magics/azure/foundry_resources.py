"""The deployments of Foundry and Azure OpenAI resources, as Azure Resource Manager lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .deployment import Deployment
from .json_fields import objects, pick, text
from .permissions import prefer_allowed
from .states import explain_state
from .wire_choice import wire_of_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arm import ResourceManager
    from .survey import Survey

API_VERSION = "2025-09-01"
_MANAGED_COMPUTE_VERSION = "2026-07-15-preview"
_KINDS = {"AIServices": "Foundry", "OpenAI": "Azure OpenAI"}
# The names of a resource's addresses, the preferred one first.
_ADDRESSES = ("AI Foundry API", "OpenAI Language Model Instance API")
_MINUTE = 60
_ASSET = re.compile(r"/models/([^/]+)(?:/versions/([^/]+))?")


def has_deployments(account: dict[str, Any]) -> bool:
    """Whether a resource of the provider Microsoft.CognitiveServices can have deployments of models."""
    return text(account, "kind") in _KINDS


def addresses_of(account: dict[str, Any]) -> list[str]:
    """Return the addresses of a resource, without slashes at their ends, the preferred one first."""
    named = [text(account, "properties", "endpoints", name) for name in _ADDRESSES]
    return [address.rstrip("/") for address in (*named, text(account, "properties", "endpoint")) if address]


def projects_of(account: dict[str, Any]) -> list[str]:
    """Return the names of a resource's projects."""
    names = pick(account, "properties", "associatedProjects")
    return [name for name in names if isinstance(name, str) and name] if isinstance(names, list) else []


def read_account(
    survey: Survey, arm: ResourceManager, account: dict[str, Any], found: Callable[[Deployment], None] | None = None
) -> None:
    """Look for the deployments of a resource.

    Args:
        survey: Runs the requests.
        arm: Azure Resource Manager.
        account: The resource, as it was listed.
        found: Called with each deployment of a model; by default they are added to the survey.
    """
    what = f"the deployments of {text(account, 'name')}"
    survey.submit(what, _read_deployments, survey, arm, account, found or survey.add)


def _read_deployments(
    survey: Survey, arm: ResourceManager, account: dict[str, Any], found: Callable[[Deployment], None]
) -> None:
    path = text(account, "id")
    keys = prefer_allowed(arm, path, _keys(account))
    if text(account, "kind") == "AIServices" and path:
        what = f"the managed compute of {text(account, 'name')}"
        survey.submit(what, _read_managed_compute, survey, arm, account, keys, optional=True)
    for item in arm.list(f"{path}/deployments", API_VERSION):
        found(model_deployment(account, item, keys))


def model_deployment(account: dict[str, Any], item: dict[str, Any], keys: tuple[str, ...]) -> Deployment:
    """Return the deployment of a model in a resource, from its JSON, with the keys that it accepts."""
    properties = pick(item, "properties")
    publisher = text(properties, "model", "format")
    wire, reason = wire_of_model(publisher, pick(properties, "capabilities"))
    address = next(iter(addresses_of(account)), "")
    path = "anthropic/v1" if wire == "anthropic-messages" else "openai/v1"
    state = text(properties, "provisioningState")
    return Deployment(
        name=text(item, "name"),
        kind=_KINDS.get(text(account, "kind"), "Foundry"),
        owner=text(account, "name"),
        model=f"{text(properties, 'model', 'name')} {text(properties, 'model', 'version')}".strip(),
        wire=wire,
        location=zone_of(text(account, "location"), text(item, "sku", "name")),
        tokens_per_minute=_tokens_per_minute(properties),
        state=state,
        keys=keys,
        url=f"{address}/{path}" if address else "",
        resource_id=text(account, "id"),
        deployment_name=text(item, "name"),
        reason_not_askable=explain_state(state) or reason or ("" if address else "its resource has no address"),
        note=_network_note(account),
    )


def _read_managed_compute(survey: Survey, arm: ResourceManager, account: dict[str, Any], keys: tuple[str, ...]) -> None:
    for item in arm.list(f"{text(account, 'id')}/managedComputeDeployments", _MANAGED_COMPUTE_VERSION):
        survey.add(managed_compute_deployment(account, item, keys))


def managed_compute_deployment(account: dict[str, Any], item: dict[str, Any], keys: tuple[str, ...]) -> Deployment:
    """Return a managed compute deployment of a resource, from its JSON, with the keys that it accepts."""
    state, name = text(item, "properties", "provisioningState"), text(item, "name")
    address = next(iter(addresses_of(account)), "")
    return Deployment(
        name=name,
        kind="managed compute",
        owner=text(account, "name"),
        model=model_of_asset(text(item, "properties", "model")),
        wire="openai-chat",
        location=zone_of(text(account, "location"), text(item, "sku", "name")),
        state=state,
        keys=keys,
        url=f"{address}/managed-deployments/{quote(name, safe='')}" if address else "",
        resource_id=text(account, "id"),
        reason_not_askable=explain_state(state) or ("" if address else "its resource has no address"),
        note=_network_note(account),
    )


def model_of_asset(asset: str) -> str:
    """Return the name of a model in its id, "azureml://registries/R/models/NAME/versions/V", with its version."""
    found = _ASSET.search(asset)
    return " ".join(filter(None, found.groups())) if found else asset


def zone_of(region: str, sku: str) -> str:
    """Return where requests are processed: the region of the resource, unless the deployment's type says otherwise."""
    if sku.startswith("Global"):
        return "global"
    if sku.startswith("DataZone"):
        return f"data zone of {region}" if region else "data zone"
    return region


def _tokens_per_minute(properties: Any) -> int | None:
    for limit in objects(properties, "rateLimits"):
        count, period = limit.get("count"), limit.get("renewalPeriod")
        if limit.get("key") == "token" and isinstance(count, int | float) and isinstance(period, int | float):
            return round(count * _MINUTE / period) if period > 0 else None
    return None


def _keys(account: dict[str, Any]) -> tuple[str, ...]:
    if pick(account, "properties", "disableLocalAuth") is True:
        return ("entra",)
    # Tokens are accepted at a resource's own host name only.
    return ("entra", "azure-key") if text(account, "properties", "customSubDomainName") else ("azure-key",)


def _network_note(account: dict[str, Any]) -> str:
    is_private = text(account, "properties", "publicNetworkAccess").lower() == "disabled"
    return "reached from its virtual network only" if is_private else ""
