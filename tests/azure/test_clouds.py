"""Which cloud the environment names, and where its Resource Manager is."""

from __future__ import annotations

import pytest

from azml_magics.azure.clouds import CHINA, PUBLIC, US_GOVERNMENT, current_cloud, has_own_login
from azml_magics.core.errors import ConfigError


def test_public_cloud_is_the_default():
    assert current_cloud({}) == PUBLIC


@pytest.mark.parametrize(
    ("variables", "cloud"),
    [
        ({"AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn/"}, CHINA),
        ({"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, US_GOVERNMENT),
        ({"AZUREML_CURRENT_CLOUD_ENV": "AzureChinaCloud"}, CHINA),
        ({"AZUREML_CURRENT_CLOUD_ENV": "azureusgovernment"}, US_GOVERNMENT),
        ({"AZUREML_CURRENT_CLOUD_ENV": "SomethingElse"}, PUBLIC),
    ],
)
def test_environment_names_the_cloud(variables, cloud):
    assert current_cloud(variables).name == cloud.name
    assert current_cloud(variables).arm_scope == f"{cloud.arm}/.default"


def test_login_host_wins_over_the_compute_instances_variable():
    variables = {"AZURE_AUTHORITY_HOST": "login.microsoftonline.com", "AZUREML_CURRENT_CLOUD_ENV": "AzureChinaCloud"}
    assert current_cloud(variables).name == "AzureCloud"


def test_emulated_control_plane_keeps_the_clouds_audience():
    variables = {
        "AZURE_RESOURCE_MANAGER_ENDPOINT": "http://127.0.0.1:4321/",
        "AZURE_AUTHORITY_HOST": "https://localhost:99",
    }
    cloud = current_cloud(variables)
    assert (cloud.resource_manager, cloud.authority) == ("http://127.0.0.1:4321", "https://localhost:99")
    assert cloud.arm_scope == "https://management.azure.com/.default"


@pytest.mark.parametrize("address", ["http://arm.example", "ftp://x", "arm", "https://user:pw@arm.example"])
def test_address_that_would_carry_the_token_in_clear_is_refused(address):
    with pytest.raises(ConfigError, match="AZURE_RESOURCE_MANAGER_ENDPOINT"):
        current_cloud({"AZURE_RESOURCE_MANAGER_ENDPOINT": address})


def test_login_of_ones_own_is_told_from_the_clouds():
    for authority in ("", "login.microsoftonline.us", "https://login.partner.microsoftonline.cn/"):
        assert not has_own_login({"AZURE_AUTHORITY_HOST": authority})
    assert has_own_login({"AZURE_AUTHORITY_HOST": "https://login.stack.example"})
    assert not has_own_login({})
