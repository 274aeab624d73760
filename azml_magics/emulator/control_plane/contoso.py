"""The resources of an invented company: two Foundry accounts, an Azure OpenAI account and an Azure ML workspace.

The documents have the fields of Microsoft's published examples (Cognitive Services 2025-09-01, Machine Learning
2024-10-01). Their URLs lead to this machine: the name of the resource is the first part of the path.
"""

from __future__ import annotations

from typing import Any

from azml_magics.emulator.control_plane.issued_tokens import TENANT
from azml_magics.emulator.control_plane.resources import Document, Resources

RESEARCH = "5ab5c41b-0000-4000-8000-000000000001"
SANDBOX = "5ab5c41b-0000-4000-8000-000000000002"
GROUP = "rg-models"
PROJECT = "assistants"
WORKSPACE = "contoso-ml"
ACCOUNT = "Microsoft.CognitiveServices/accounts"
ML = "Microsoft.MachineLearningServices/workspaces"


def make_subscriptions() -> list[Document]:
    """Return the subscriptions."""
    return [
        {
            "id": f"/subscriptions/{subscription}",
            "subscriptionId": subscription,
            "tenantId": TENANT,
            "displayName": name,
            "state": "Enabled",
        }
        for subscription, name in ((RESEARCH, "Contoso Research"), (SANDBOX, "Contoso Sandbox"))
    ]


def make_resources(base: str) -> Resources:
    """Return the resources; `base` is the URL that their endpoints begin with."""
    resources = Resources()
    foundry = resources.add(make_account(base, "contoso-foundry", projects=[PROJECT]))
    resources.add(make_project(base, foundry, PROJECT))
    resources.add(make_connection(base, foundry, PROJECT, "contoso-openai"))
    for deployment in (
        make_model(foundry, "gpt-5-mini", "2025-08-07", 250, "chatCompletion", "responses"),
        make_model(foundry, "o3-pro", "2025-06-10", 20, "responses"),
        make_model(foundry, "claude-sonnet-4-6", "1", 50, "chatCompletion", publisher="Anthropic"),
        make_model(foundry, "text-embedding-3-small", "1", 100, "embeddings"),
        make_model(foundry, "gpt-4.1-mini", "2025-04-14", 10, "chatCompletion", "responses", state="Failed"),
    ):
        resources.add(deployment)
    resources.add(make_managed_compute(base, foundry, "qwen3-8b"))
    secure = resources.add(make_account(base, "contoso-secure", "swedencentral", local_auth=False))
    resources.add(make_model(secure, "gpt-5", "2025-08-07", 100, "chatCompletion", "responses", sku="DataZoneStandard"))
    older = resources.add(make_account(base, "contoso-openai", "westus3", subscription=SANDBOX, kind="OpenAI"))
    resources.add(make_model(older, "gpt-4o", "2024-11-20", 30, "chatCompletion", "responses", sku="Standard"))
    workspace = resources.add(make_workspace(WORKSPACE))
    for name, auth, traffic, state in (
        ("llama-chat", "Key", {"llama2": 100}, "Succeeded"),
        ("phi-chat", "AMLToken", {"chat": 90, "completion": 10}, "Succeeded"),
        ("bart-summary", "AADToken", {"bart": 100}, "Succeeded"),
        ("mistral-idle", "Key", {}, "Succeeded"),
        ("falcon-broken", "Key", {"hf": 100}, "Failed"),
    ):
        endpoint = resources.add(make_online_endpoint(base, workspace, name, auth, traffic, state=state))
        for deployment_name in traffic:
            resources.add(make_online_deployment(endpoint, deployment_name, state))
    resources.add(make_serverless_endpoint(base, workspace, "phi-serverless"))
    return resources


def make_account(
    base: str,
    name: str,
    location: str = "eastus2",
    *,
    subscription: str = RESEARCH,
    kind: str = "AIServices",
    local_auth: bool = True,
    projects: list[str] | None = None,
) -> Document:
    """Return an account of Foundry (AIServices) or of Azure OpenAI (OpenAI)."""
    endpoints = {"OpenAI Language Model Instance API": f"{base}/{name}/"}
    if kind == "AIServices":
        endpoints["AI Foundry API"] = f"{base}/{name}/"
    properties = {
        "provisioningState": "Succeeded",
        "endpoint": f"{base}/{name}/",
        "endpoints": endpoints,
        "customSubDomainName": name,
        "publicNetworkAccess": "Enabled",
        "disableLocalAuth": not local_auth,
        "allowProjectManagement": kind == "AIServices",
        "associatedProjects": projects or [],
        **({"defaultProject": projects[0]} if projects else {}),
    }
    return {
        **_head(f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/{ACCOUNT}/{name}", ACCOUNT),
        "kind": kind,
        "location": location,
        "sku": {"name": "S0"},
        "properties": properties,
    }


def make_model(
    account: Document,
    name: str,
    version: str,
    capacity: int,
    *capabilities: str,
    publisher: str = "OpenAI",
    sku: str = "GlobalStandard",
    state: str = "Succeeded",
) -> Document:
    """Return a deployment of the model `name`; its capacity is in thousands of tokens a minute."""
    limits = [
        {"key": "request", "renewalPeriod": 60, "count": capacity},
        {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
    ]
    return {
        **_head(f"{account['id']}/deployments/{name}", f"{ACCOUNT}/deployments"),
        "sku": {"name": sku, "capacity": capacity},
        "properties": {
            "provisioningState": state,
            "model": {"format": publisher, "name": name, "version": version},
            "currentCapacity": capacity,
            "capabilities": dict.fromkeys(capabilities, "true"),
            "rateLimits": limits,
        },
    }


def make_project(base: str, account: Document, name: str) -> Document:
    """Return a project of a Foundry account."""
    url = f"{base}/{account['name']}/api/projects/{name}"
    return {
        **_head(f"{account['id']}/projects/{name}", f"{ACCOUNT}/projects", f"{account['name']}/{name}"),
        "location": account["location"],
        "properties": {
            "provisioningState": "Succeeded",
            "displayName": name,
            "isDefault": True,
            "endpoints": {"AI Foundry API": url},
        },
    }


def make_connection(base: str, account: Document, project: str, name: str) -> Document:
    """Return a project's connection to an Azure OpenAI account."""
    return {
        **_head(f"{account['id']}/projects/{project}/connections/{name}", f"{ACCOUNT}/projects/connections"),
        "properties": {
            "category": "AzureOpenAI",
            "target": f"{base}/{name}/",
            "authType": "AAD",
            "isSharedToAll": True,
            "metadata": {"ApiType": "Azure"},
        },
    }


def make_managed_compute(base: str, account: Document, name: str) -> Document:
    """Return a managed compute deployment of a Foundry account."""
    return {
        **_head(f"{account['id']}/managedComputeDeployments/{name}", f"{ACCOUNT}/managedComputeDeployments"),
        "sku": {"name": "GlobalManagedCompute", "capacity": 1},
        "properties": {
            "provisioningState": "Succeeded",
            "model": f"azureml://registries/azureml/models/{name}/versions/1",
            "acceleratorType": "H100_80GB",
            "scoringUri": f"{base}/{account['name']}/managed-deployments/{name}",
        },
    }


def make_workspace(name: str, subscription: str = RESEARCH) -> Document:
    """Return an Azure ML workspace."""
    return {
        **_head(f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/{ML}/{name}", ML),
        "kind": "Default",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "friendlyName": name, "publicNetworkAccess": "Enabled"},
    }


def make_online_endpoint(
    base: str, workspace: Document, name: str, auth: str, traffic: dict[str, int], *, state: str = "Succeeded"
) -> Document:
    """Return an online endpoint of Azure ML; `auth` is Key, AMLToken or AADToken."""
    return {
        **_head(f"{workspace['id']}/onlineEndpoints/{name}", f"{ML}/onlineEndpoints"),
        "kind": "Managed",
        "location": workspace["location"],
        "tags": {},
        "properties": {
            "authMode": auth,
            "scoringUri": f"{base}/{name}/score",
            "swaggerUri": f"{base}/{name}/swagger.json",
            "provisioningState": state,
            "compute": None,
            "traffic": traffic,
            "mirrorTraffic": {},
            "publicNetworkAccess": "Enabled",
        },
    }


def make_online_deployment(endpoint: Document, name: str, state: str) -> Document:
    """Return a deployment of an online endpoint; the emulator's deployment of that name responds."""
    model = _MODELS.get(name, name)
    return {
        **_head(f"{endpoint['id']}/deployments/{name}", f"{ML}/onlineEndpoints/deployments"),
        "kind": "Managed",
        "location": endpoint["location"],
        "sku": {"name": "Default", "capacity": 1},
        "properties": {
            "endpointComputeType": "Managed",
            "model": f"azureml://registries/azureml-meta/models/{model}/versions/14",
            "instanceType": "Standard_NC24ads_A100_v4",
            "provisioningState": state,
            "requestSettings": {"requestTimeout": "PT1M30S", "maxConcurrentRequestsPerInstance": 1},
            "scaleSettings": {"scaleType": "Default"},
        },
    }


def make_serverless_endpoint(base: str, workspace: Document, name: str) -> Document:
    """Return a serverless endpoint of Azure ML."""
    return {
        **_head(f"{workspace['id']}/serverlessEndpoints/{name}", f"{ML}/serverlessEndpoints"),
        "location": workspace["location"],
        "sku": {"name": "Consumption"},
        "properties": {
            "authMode": "Key",
            "modelSettings": {"modelId": "azureml://registries/azureml/models/Phi-4"},
            "inferenceEndpoint": {"uri": f"{base}/{name}/v1", "headers": {}},
            "provisioningState": "Succeeded",
            "endpointState": "Online",
        },
    }


_MODELS = {
    "llama2": "Llama-2-7b-chat",
    "chat": "Phi-3-mini-4k-instruct",
    "completion": "phi-2",
    "bart": "facebook-bart-large-cnn",
    "hf": "tiiuae-falcon-7b-instruct",
}


def _head(resource_id: str, kind: str, name: str = "") -> dict[str, Any]:
    return {"id": resource_id, "name": name or resource_id.rpartition("/")[2], "type": kind}
