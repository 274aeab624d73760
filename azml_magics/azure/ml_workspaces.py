"""The endpoints of Azure ML workspaces: online endpoints with their deployments, serverless and inference endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints

from .deployment import Deployment
from .foundry_resources import model_of_asset
from .json_fields import pick, text
from .states import explain_state
from .wire_choice import wire_of_route

if TYPE_CHECKING:
    from .arm import ResourceManager
    from .survey import Survey

API_VERSION = "2024-10-01"
_INFERENCE_VERSION = "2025-12-01"
_KEYS = {
    "key": ("azure-key",),
    "amltoken": ("aml-token",),
    "aadtoken": ("entra",),
    "aad": ("entra",),
    "keyandaad": ("entra", "azure-key"),
}


def read_workspace(survey: Survey, arm: ResourceManager, path: str) -> None:
    """Look for the endpoints of the workspace with the id `path`."""
    name = path.rpartition("/")[2]
    survey.submit(f"the online endpoints of {name}", _read_online, survey, arm, path)
    survey.submit(f"the serverless endpoints of {name}", _read_serverless, survey, arm, path, optional=True)
    survey.submit(f"the inference endpoints of {name}", _read_inference, survey, arm, path, optional=True)


# ---- online endpoints -----------------------------------------------------------------------------------------------


def _read_online(survey: Survey, arm: ResourceManager, path: str) -> None:
    for endpoint in arm.list(f"{path}/onlineEndpoints", API_VERSION):
        name = text(endpoint, "name")
        survey.submit(f"the deployments of {name}", _read_online_deployments, survey, arm, path, endpoint)


def _read_online_deployments(survey: Survey, arm: ResourceManager, path: str, endpoint: dict[str, Any]) -> None:
    owner, name = path.rpartition("/")[2], text(endpoint, "name")
    try:
        deployments = list(arm.list(f"{path}/onlineEndpoints/{name}/deployments", API_VERSION))
    except Exception:
        survey.add(online_endpoint(owner, endpoint, None))
        raise
    survey.add(*online_deployments(owner, endpoint, deployments))


def online_deployments(owner: str, endpoint: dict[str, Any], deployments: list[dict[str, Any]]) -> list[Deployment]:
    """Return an endpoint as one line, or each of its deployments if there are several to choose from."""
    traffic = pick(endpoint, "properties", "traffic")
    shares = traffic if isinstance(traffic, dict) else {}
    if len(deployments) == 1 and shares.get(text(deployments[0], "name")):
        return [online_endpoint(owner, endpoint, deployments[0])]
    if not deployments:
        return [online_endpoint(owner, endpoint, {})]
    return [online_endpoint(owner, endpoint, each, share=shares.get(text(each, "name"), 0)) for each in deployments]


def online_endpoint(
    owner: str, endpoint: dict[str, Any], deployment: dict[str, Any] | None, share: object = None
) -> Deployment:
    """Return an online endpoint, or one deployment of it.

    Args:
        owner: The workspace.
        endpoint: The endpoint's JSON.
        deployment: The JSON of its deployment; empty if it has none, None if they are not known.
        share: The percentage of the traffic that the deployment gets; None if the endpoint has no other.
    """
    name, properties = text(endpoint, "name"), pick(endpoint, "properties")
    url = text(properties, "scoringUri")
    pinned = text(deployment, "name") if share is not None else ""
    state = text(properties, "provisioningState")
    inner = text(deployment, "properties", "provisioningState")
    reason = explain_state(state) or explain_state(inner)
    if not reason and deployment == {}:
        reason = "it has no deployment"
    return Deployment(
        name=f"{name}/{pinned}" if pinned else name,
        kind="Kubernetes" if text(properties, "compute") else "managed online",
        owner=owner,
        model=model_of_asset(text(deployment, "properties", "model")),
        wire=wire_of_route(url),
        location=text(endpoint, "location"),
        state=state if explain_state(state) else inner or state,
        keys=_KEYS.get(text(properties, "authMode").lower(), ("azure-key",)),
        url=url,
        resource_id=text(endpoint, "id"),
        deployment_name=pinned,
        reason_not_askable=reason or ("" if url else "it has no address"),
        note=_traffic(share) if not reason else "",
    )


def _traffic(share: object) -> str:
    if share is None:
        return ""
    return f"{share}% of the traffic" if share else "no traffic: only asked by its name"


# ---- serverless and inference endpoints -----------------------------------------------------------------------------


def _read_serverless(survey: Survey, arm: ResourceManager, path: str) -> None:
    owner = path.rpartition("/")[2]
    for item in arm.list(f"{path}/serverlessEndpoints", API_VERSION):
        survey.add(serverless_endpoint(owner, item))


def serverless_endpoint(owner: str, item: dict[str, Any]) -> Deployment:
    """Return a serverless endpoint, from its JSON."""
    properties = pick(item, "properties")
    url, headers = text(properties, "inferenceEndpoint", "uri"), pick(properties, "inferenceEndpoint", "headers")
    created, state = text(properties, "provisioningState"), text(properties, "endpointState")
    return Deployment(
        name=text(item, "name"),
        kind="serverless",
        owner=owner,
        model=model_of_asset(text(properties, "modelSettings", "modelId")),
        wire=_serverless_wire(url),
        location=text(item, "location"),
        state=state or created,
        keys=_KEYS.get(text(properties, "authMode").lower(), ("azure-key",)),
        url=url,
        resource_id=text(item, "id"),
        headers=headers if isinstance(headers, dict) else {},
        reason_not_askable=explain_state(state or created) or ("" if url else "it has no address"),
    )


def _serverless_wire(url: str) -> str:
    """Return the formatter of a serverless endpoint: they all speak like OpenAI, wherever they are."""
    return next(iter(endpoints.formatters_for(url)), "openai-chat")


def _read_inference(survey: Survey, arm: ResourceManager, path: str) -> None:
    owner = path.rpartition("/")[2]
    for item in arm.list(f"{path}/inferenceEndpoints", _INFERENCE_VERSION):
        survey.add(inference_endpoint(owner, item))


def inference_endpoint(owner: str, item: dict[str, Any]) -> Deployment:
    """Return an endpoint of an inference pool, from its JSON."""
    properties = pick(item, "properties")
    url, state = text(properties, "endpointUri"), text(properties, "provisioningState")
    return Deployment(
        name=text(item, "name"),
        kind="inference pool",
        owner=owner,
        model=text(properties, "groupName"),
        wire=wire_of_route(url),
        location=text(item, "location"),
        state=state,
        keys=_KEYS.get(text(properties, "authMode").lower(), ("entra",)),
        url=url,
        resource_id=text(item, "id"),
        reason_not_askable=explain_state(state) or ("" if url else "it has no address"),
    )
