"""What is looked at if the user names nothing."""

from __future__ import annotations

import json
import os

import pytest

from azml_magics.azure.workspace import Target, find_target
from azml_magics.core.errors import ConfigError

FILE = {"subscription_id": "SUB", "resource_group": "RG", "workspace_name": "WS"}
COMPUTE = {
    "AZUREML_ARM_SUBSCRIPTION": "S",
    "AZUREML_ARM_RESOURCEGROUP": "R",
    "AZUREML_ARM_WORKSPACE_NAME": "W",
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_nothing_named_means_every_subscription(tmp_path):
    assert find_target(tmp_path, {}) == Target()
    assert str(Target()) == "every subscription of your sign-in"


@pytest.mark.parametrize("name", ["AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT"])
def test_project_variable_comes_first(tmp_path, name):
    write(tmp_path / "config.json", FILE)
    found = find_target(tmp_path, {name: " https://r.services.ai.azure.com/api/projects/p ", **COMPUTE})
    assert (found.project, found.source) == ("https://r.services.ai.azure.com/api/projects/p", name)


@pytest.mark.parametrize(
    "place", ["config.json", ".azureml/config.json", "aml_config/config.json", "project.json", ".azureml/project.json"]
)
def test_file_is_found_here_and_above(tmp_path, place):
    path = write(tmp_path / place, FILE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_target(below, COMPUTE) == Target("", "SUB", "RG", "WS", str(path))
    assert "the workspace WS of the resource group RG of the subscription SUB" in str(find_target(below, {}))


def test_hidden_folder_above_wins_over_a_plain_file_here(tmp_path):
    write(tmp_path / ".azureml" / "config.json", {**FILE, "workspace_name": "ABOVE"})
    write(tmp_path / "a" / "config.json", FILE)
    assert find_target(tmp_path / "a", {}).workspace == "ABOVE"


def test_scope_of_an_old_file_is_read(tmp_path):
    scope = "/subscriptions/S/resourceGroups/R/providers/Microsoft.MachineLearningServices/workspaces/W"
    write(tmp_path / "aml_config" / "project.json", {"Scope": scope})
    found = find_target(tmp_path, {})
    assert (found.subscription, found.resource_group, found.workspace) == ("S", "R", "W")


@pytest.mark.parametrize("content", ['{"model_type": "llama"}', "[1]", "no json", ""])
def test_another_config_json_is_passed_over(tmp_path, content):
    write(tmp_path / "config.json", content)
    assert find_target(tmp_path, COMPUTE) == Target("", "S", "R", "W", "this compute instance")


@pytest.mark.parametrize("content", ["no json", {"subscription_id": "SUB"}, "[]"])
def test_damaged_workspace_file_is_named(tmp_path, content):
    path = write(tmp_path / ".azureml" / "config.json", content)
    with pytest.raises(ConfigError, match="should name an Azure ML workspace") as caught:
        find_target(tmp_path, {})
    assert str(path) in caught.value.cause


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_passed_over(tmp_path):
    os.chown(write(tmp_path / ".azureml" / "config.json", FILE), 12345, -1)
    assert find_target(tmp_path, {}) == Target()


def test_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(FILE), encoding="utf-8-sig")
    assert find_target(tmp_path, {}).workspace == "WS"


def test_incomplete_compute_instance_is_ignored(tmp_path):
    assert find_target(tmp_path, {"AZUREML_ARM_SUBSCRIPTION": "S"}) == Target()
