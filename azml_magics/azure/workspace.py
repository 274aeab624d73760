"""What to look at if the user names nothing: a project, or a workspace, that the environment or a file names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import ConfigError
from azml_magics.core.paths import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT_VARIABLES = ("AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT")
_COMPUTE_INSTANCE = ("AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP", "AZUREML_ARM_WORKSPACE_NAME")
_KEYS = ("subscription_id", "resource_group", "workspace_name")
# As MLClient.from_config looks for them: each folder in turn, with each name, here and in up to 20 folders above.
_FOLDERS = (".azureml", "aml_config", "")
_FILES = ("config.json", "project.json")
_LEVELS = 20
_SCOPE_PARTS = 9  # of /subscriptions/S/resourceGroups/R/providers/P/workspaces/W, split at its slashes


@dataclass(frozen=True)
class Target:
    """What to look at; nothing named means every subscription of the sign-in.

    Attributes:
        project: The URL of a Foundry project.
        subscription: The id or the name of a subscription.
        resource_group: The name of a resource group.
        workspace: The name of an Azure ML workspace.
        source: Where the names come from, for messages: a variable or the path of a file; "" if the user gave them.
        tenant: The tenant to sign in to; "" for the sign-in's own.
        sign_in: How to sign in: "cli", "managed", "device" or "browser"; "" for the first way that works.
    """

    project: str = ""
    subscription: str = ""
    resource_group: str = ""
    workspace: str = ""
    source: str = ""
    tenant: str = ""
    sign_in: str = ""

    @property
    def entra_key(self) -> str:
        """The key reference to a token of this sign-in."""
        parts = ",".join(filter(None, (self.sign_in, f"tenant={self.tenant}" if self.tenant else "")))
        return f"entra:{parts}" if parts else "entra"

    def __str__(self) -> str:
        named = {
            "project": self.project,
            "workspace": self.workspace,
            "resource group": self.resource_group,
            "subscription": self.subscription,
        }
        words = " of ".join(f"the {kind} {name}" for kind, name in named.items() if name)
        return (words or "every subscription of your sign-in") + (f" ({self.source})" if self.source else "")


def find_target(directory: Path | None = None, environ: Mapping[str, str] = os.environ) -> Target:
    """Return what the environment or a workspace's file names.

    A project in AZURE_AI_PROJECT_ENDPOINT or FOUNDRY_PROJECT_ENDPOINT comes first; then the file that
    `MLClient.from_config` of azure-ai-ml reads; then the workspace of this compute instance.

    Args:
        directory: Where the search for the file begins; by default the current folder.
        environ: The environment variables.

    Raises:
        ConfigError: The file names a workspace incompletely.
    """
    for name in PROJECT_VARIABLES:
        if environ.get(name, "").strip():
            return Target(project=environ[name].strip(), source=name)
    for path in _files(directory or Path.cwd()):
        if (target := _read(path)) is not None:
            return target
    subscription, group, workspace = (environ.get(name, "").strip() for name in _COMPUTE_INSTANCE)
    if subscription and group and workspace:
        return Target("", subscription, group, workspace, "this compute instance")
    return Target()


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files that may name a workspace, in the order of `MLClient.from_config`.

    Files of other users, as in a folder that all may write to, are passed over: your sign-in would follow them.
    """
    levels = [directory.absolute(), *directory.absolute().parents][:_LEVELS]
    for folder in _FOLDERS:
        for name in _FILES:
            for level in levels:
                path = level / folder / name
                if path.is_file() and is_own(path):
                    yield path


def _read(path: Path) -> Target | None:
    """Return what a file names; None if it is another file of that name: config.json is a common one."""
    is_ours = path.parent.name in _FOLDERS
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        if not is_ours:
            return None
        raise _damaged(path, f"cannot be read ({type(error).__name__})") from error
    names = value if isinstance(value, dict) else {}
    parts = _text(names, "Scope").split("/")
    if len(parts) >= _SCOPE_PARTS:
        return Target("", parts[2], parts[4], parts[8], str(path))
    found = {key: _text(names, key) for key in _KEYS}
    if all(found.values()):
        return Target("", found["subscription_id"], found["resource_group"], found["workspace_name"], str(path))
    if not is_ours and not found["workspace_name"]:
        return None
    missing = " and ".join(key for key, text in found.items() if not text)
    raise _damaged(path, f"has no {missing}")


def _text(names: Mapping[str, Any], key: str) -> str:
    value = names.get(key)
    return value.strip() if isinstance(value, str) else ""


def _damaged(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"{path}, which should name an Azure ML workspace, {problem}",
        remedy="Download it again (the workspace's page in the studio: Download config file), or name the workspace.",
        error_code="workspace-file",
        facts={"param": str(path)},
    )
