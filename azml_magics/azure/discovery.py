"""Finds the endpoints and deployments that the user's sign-in can see.

found = discover()                      # from the environment, a workspace's file, or all subscriptions
found = discover("https://RESOURCE.services.ai.azure.com/api/projects/PROJECT")
config = found.config("gpt-5-mini")
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path  # noqa: TC003 - get_type_hints() needs it
from typing import TYPE_CHECKING, Any

from azml_magics.core.endpoints import entra_scope
from azml_magics.core.errors import AzmlError
from azml_magics.core.key_sources import CredentialKey

from .arm import ResourceManager, sign_in_token
from .clouds import current_cloud
from .deadline import Deadline
from .discovered import Discovery
from .foundry_project import ProjectReader, project_url, resource_of_connection
from .foundry_resources import API_VERSION as ACCOUNT_VERSION
from .foundry_resources import has_deployments, projects_of, read_account
from .json_fields import pick, text
from .ml_workspaces import API_VERSION as WORKSPACE_VERSION
from .ml_workspaces import read_workspace
from .rest import RestClient
from .subscriptions import Place, places_of
from .survey import MAX_OWNERS, Survey
from .workspace import Target, find_target

if TYPE_CHECKING:
    from azml_magics.core.secret import Secret

    from .shared_token import GetToken

__all__ = ["Discovery", "discover"]

_WORKSPACES = "providers/Microsoft.MachineLearningServices/workspaces"
_ACCOUNTS = "providers/Microsoft.CognitiveServices/accounts"


def discover(
    project: str | None = None,
    *,
    workspace: str | None = None,
    resource_group: str | None = None,
    subscription: str | None = None,
    tenant: str | None = None,
    sign_in: str | None = None,
    credential: Any = None,
    timeout: float = 30.0,
    max_resources: int = MAX_OWNERS,
    directory: Path | None = None,
) -> Discovery:
    """Find the endpoints and deployments that the user's sign-in can see.

    Without arguments it looks at the project or workspace that the environment or a workspace's config.json names, or
    else in every subscription. Requests run side by side; what is refused does not stop the rest.

    Args:
        project: The URL of a Foundry project. It lists its deployments without rights in Azure Resource Manager.
        workspace: The name of an Azure ML workspace.
        resource_group: The name of a resource group.
        subscription: The id or the name of a subscription.
        tenant: The id of the tenant to sign in to; by default the sign-in's own.
        sign_in: How to sign in: "cli" (`az login`), "managed", "device" or "browser"; by default the first that works.
        credential: A credential of azure-identity; by default the user's sign-in.
        timeout: Seconds after which what was found so far is returned.
        max_resources: How many resources and workspaces to look at.
        directory: Where the search for config.json begins; by default the current folder.

    Returns:
        What was found, and what was refused.

    Raises:
        KeyNotFoundError: There is no sign-in.
        ConfigError: The project's URL, or the file that names a workspace, cannot be used.
        AzmlError: Nothing can be asked at all: the network, or the sign-in, is refused.
    """
    target = _target(project, workspace, resource_group, subscription, directory)
    target = replace(target, tenant=tenant or "", sign_in=sign_in or "")
    deadline = Deadline(timeout)
    survey = Survey(deadline, max_resources)
    get_token = _token_source(target, credential)
    try:
        if target.project:
            return _discover_project(survey, target, get_token)
        return _discover_resources(survey, target, get_token)
    finally:
        deadline.cancel()


def _target(
    project: str | None, workspace: str | None, group: str | None, subscription: str | None, directory: Path | None
) -> Target:
    """Return what to look at; what the environment names fills in what is missing of a workspace's place."""
    if project:
        return Target(project=project_url(project))
    if not (workspace or group or subscription):
        found = find_target(directory)
        return Target(project=project_url(found.project), source=found.source) if found.project else found
    if workspace and not (group and subscription):
        found = find_target(directory)
        if found.workspace == workspace or (found.subscription and group in {None, found.resource_group}):
            group, subscription = group or found.resource_group, subscription or found.subscription
    return Target("", subscription or "", group or "", workspace or "")


def _token_source(target: Target, credential: Any) -> GetToken:
    if credential is None:
        return partial(sign_in_token, source=target.sign_in, tenant=target.tenant)
    source = CredentialKey(credential)

    def get_token(scope: str, /, *, refresh: bool | Secret = False, claims: str = "") -> Secret:
        options = {"tenant_id": target.tenant, "claims": claims}
        given = {name: value for name, value in options.items() if value}
        return source.token_for(scope, refused=refresh or bool(claims), **given)

    return get_token


# ---- a project ------------------------------------------------------------------------------------------------------


def _discover_project(survey: Survey, target: Target, get_token: GetToken) -> Discovery:
    cloud = current_cloud()
    name = f"The project {target.project.rpartition('/')[2]}"
    scope = entra_scope(f"{target.project}/openai/v1")  # what its configs will ask for, too
    client = RestClient(target.project, scope, get_token, service=name, deadline=survey.deadline)
    client.sign_in()
    arm: ResourceManager | None = ResourceManager(cloud, get_token, deadline=survey.deadline)
    try:
        assert arm is not None
        arm.sign_in()
    except AzmlError as error:
        survey.report("Azure Resource Manager, for quotas and regions", error)
        arm = None
    reader = ProjectReader(survey, client, arm)
    reader.start()
    if arm is not None:
        survey.submit("the subscriptions of your sign-in", _find_account, survey, arm, reader)
    try:
        survey.wait()
    finally:
        client.close()
        if arm is not None:
            arm.close()
    reader.finish()
    return _result(survey, target)


def _find_account(survey: Survey, arm: ResourceManager, reader: ProjectReader) -> None:
    """Look for the project's resource in every subscription."""

    def look_in(place: Place) -> None:
        for account in arm.list(f"{place.path}/{_ACCOUNTS}", ACCOUNT_VERSION):
            reader.note_account(account)

    for place in places_of(arm, Target()):
        survey.submit(f"the resources of {place.name}", look_in, place)


# ---- resources and workspaces ---------------------------------------------------------------------------------------


def _discover_resources(survey: Survey, target: Target, get_token: GetToken) -> Discovery:
    arm = ResourceManager(current_cloud(), get_token, deadline=survey.deadline)
    try:
        arm.sign_in()
        places = places_of(arm, target)
        for place in places:
            if not target.workspace:
                survey.submit(f"the resources of {place.name}", _list_accounts, survey, arm, place)
            if target.workspace and target.resource_group:
                path = f"{place.path}/{_WORKSPACES}/{target.workspace}"
                survey.submit(f"the workspace {target.workspace}", _open_workspace, survey, arm, path)
            else:
                what = f"the workspaces of {place.name}"
                survey.submit(what, _list_workspaces, survey, arm, place, target.workspace, optional=True)
        survey.wait()
    finally:
        arm.close()
    return _result(survey, target, [place.name for place in places])


def _list_accounts(survey: Survey, arm: ResourceManager, place: Place) -> None:
    for account in arm.list(f"{place.path}/{_ACCOUNTS}", ACCOUNT_VERSION):
        _visit_account(survey, arm, account)


def _visit_account(survey: Survey, arm: ResourceManager, account: dict[str, Any]) -> None:
    """Read a resource, and the resources that its projects are connected to, wherever they are: each once."""
    if has_deployments(account) and survey.admit(text(account, "id")):
        read_account(survey, arm, account)
        for name in projects_of(account):
            what = f"the connections of the project {name}"
            survey.submit(
                what, _follow_connections, survey, arm, f"{text(account, 'id')}/projects/{name}", optional=True
            )


def _follow_connections(survey: Survey, arm: ResourceManager, project: str) -> None:
    for connection in arm.list(f"{project}/connections", ACCOUNT_VERSION):
        resource = resource_of_connection(pick(connection, "properties"))
        if resource:
            what = f"the resource behind the connection {text(connection, 'name')}"
            survey.submit(what, _visit_connected, survey, arm, resource)


def _visit_connected(survey: Survey, arm: ResourceManager, resource: str) -> None:
    if not survey.has_admitted(resource):
        _visit_account(survey, arm, arm.get(resource, ACCOUNT_VERSION))


def _open_workspace(survey: Survey, arm: ResourceManager, path: str) -> None:
    read_workspace(survey, arm, text(arm.get(path, WORKSPACE_VERSION), "id") or path)


def _list_workspaces(survey: Survey, arm: ResourceManager, place: Place, name: str) -> None:
    for workspace in arm.list(f"{place.path}/{_WORKSPACES}", WORKSPACE_VERSION):
        is_wanted = not name or text(workspace, "name").lower() == name.lower()
        if is_wanted and text(workspace, "kind") != "FeatureStore" and survey.admit(text(workspace, "id")):
            read_workspace(survey, arm, text(workspace, "id"))


def _result(survey: Survey, target: Target, places: list[str] | None = None) -> Discovery:
    rows = sorted(survey.found, key=lambda row: (row.owner.lower(), row.name.lower(), row.kind, row.url))
    problems = sorted(survey.problems, key=str)
    return Discovery(rows, problems, target, places or (), survey.left_out)
