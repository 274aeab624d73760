"""Azure's clouds: where each one signs in, where its Resource Manager is, and the audiences of its tokens.

Which audience an endpoint wants is in `core.endpoints`, by its host.

Sources: azure-ai-ml's `_azure_environments.py`, azure-identity's `AzureAuthorityHosts`, and the documentation of Azure
China and Azure Government.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

RESOURCE_MANAGER_VARIABLE = "AZURE_RESOURCE_MANAGER_ENDPOINT"
"""Replaces the address of Azure Resource Manager, such as for an emulated one on this machine."""


@dataclass(frozen=True)
class Cloud:
    """One of Azure's clouds.

    Attributes:
        name: As the Azure CLI names it.
        authority: The URL of the login service.
        resource_manager: The URL of Azure Resource Manager (ARM), without a slash at its end.
        arm: The audience of tokens for Azure Resource Manager.
        ml: The audience of tokens for Azure Machine Learning.
        ai: The audience of tokens for Foundry.
        cognitive_services: The audience of tokens for Azure OpenAI and the other services of Foundry.
        vault_suffix: The end of the host names of key vaults.
    """

    name: str
    authority: str
    resource_manager: str
    arm: str
    ml: str
    ai: str
    cognitive_services: str
    vault_suffix: str

    @property
    def arm_scope(self) -> str:
        """The OAuth scope of a token for Azure Resource Manager."""
        return f"{self.arm}/.default"


PUBLIC = Cloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    arm="https://management.azure.com",
    ml="https://ml.azure.com",
    ai="https://ai.azure.com",
    cognitive_services="https://cognitiveservices.azure.com",
    vault_suffix="vault.azure.net",
)
CHINA = Cloud(
    name="AzureChinaCloud",
    authority="https://login.chinacloudapi.cn",
    resource_manager="https://management.chinacloudapi.cn",
    arm="https://management.chinacloudapi.cn",
    ml="https://ml.azure.cn",
    ai="https://ai.azure.cn",
    cognitive_services="https://cognitiveservices.azure.cn",
    vault_suffix="vault.azure.cn",
)
US_GOVERNMENT = Cloud(
    name="AzureUSGovernment",
    authority="https://login.microsoftonline.us",
    resource_manager="https://management.usgovcloudapi.net",
    arm="https://management.usgovcloudapi.net",
    ml="https://ml.azure.us",
    ai="https://ai.azure.us",
    cognitive_services="https://cognitiveservices.azure.us",
    vault_suffix="vault.usgovcloudapi.net",
)
CLOUDS = (PUBLIC, CHINA, US_GOVERNMENT)
_OTHER_LOGINS = {"login.partner.microsoftonline.cn": CHINA}


def current_cloud(environ: Mapping[str, str] = os.environ) -> Cloud:
    """Return the cloud that the environment names: the public one if it names none.

    AZURE_AUTHORITY_HOST, which azure-identity reads, decides; then AZUREML_CURRENT_CLOUD_ENV, which compute instances
    set. AZURE_RESOURCE_MANAGER_ENDPOINT replaces the address of Azure Resource Manager.

    Args:
        environ: The environment variables.

    Raises:
        ConfigError: The address of Azure Resource Manager cannot be used.
    """
    authority = _authority_in(environ)
    cloud = _cloud_of_login(authority) or _cloud_named(environ.get("AZUREML_CURRENT_CLOUD_ENV", ""))
    address = environ.get(RESOURCE_MANAGER_VARIABLE, "").strip()
    return replace(
        cloud,
        authority=authority or cloud.authority,
        resource_manager=_check_address(address) if address else cloud.resource_manager,
    )


def has_own_login(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether AZURE_AUTHORITY_HOST names a login that is not one of Azure's public ones.

    Args:
        environ: The environment variables.
    """
    authority = _authority_in(environ)
    return bool(authority) and _cloud_of_login(authority) is None


def _authority_in(environ: Mapping[str, str]) -> str:
    authority = environ.get("AZURE_AUTHORITY_HOST", "").strip().rstrip("/")
    return authority if "://" in authority or not authority else f"https://{authority}"


def _cloud_of_login(authority: str) -> Cloud | None:
    host = Origin.of(authority).host
    return next((cloud for cloud in CLOUDS if Origin.of(cloud.authority).host == host), _OTHER_LOGINS.get(host))


def _cloud_named(name: str) -> Cloud:
    return next((cloud for cloud in CLOUDS if cloud.name.lower() == name.strip().lower()), PUBLIC)


def _check_address(address: str) -> str:
    """Return the address without a slash at its end; plain http is for this machine only: the token goes there."""
    origin = Origin.of(address)
    is_safe = origin.scheme == "https" or (origin.scheme == "http" and origin.is_loopback)
    if not origin or not is_safe or "@" in address:
        raise ConfigError(
            f"{RESOURCE_MANAGER_VARIABLE} is not an https:// address, and your token would go there",
            remedy="Correct it, or unset it: the cloud's own address is known.",
            error_code="resource-manager-address",
        )
    return address.rstrip("/")
