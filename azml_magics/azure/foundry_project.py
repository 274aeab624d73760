"""The deployments of a Foundry project, as the project lists them: no rights in Azure Resource Manager are needed."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints
from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import ConfigError

from .deployment import DETECT, Deployment
from .foundry_resources import API_VERSION as ACCOUNT_VERSION
from .foundry_resources import addresses_of, read_account, zone_of
from .json_fields import pick, text
from .wire_choice import wire_of_model

if TYPE_CHECKING:
    from .arm import ResourceManager
    from .rest import RestClient
    from .survey import Survey

_API_VERSION = "v1"
_URL = re.compile(r"(?P<resource>https?://[^?#]+?)/api/projects/[^/?#]+", re.IGNORECASE)
_CONNECTIONS = {"azureopenai", "aiservices"}
_EXAMPLE = "It looks like https://RESOURCE.services.ai.azure.com/api/projects/PROJECT: the project's overview shows it."


def project_url(given: str) -> str:
    """Return the URL of a project without what follows its name.

    Raises:
        ConfigError: It is not one, or leads to a host that is not Foundry's and would get the user's token.
    """
    found = _URL.match(given.strip())
    if found is None:
        raise ConfigError(f"{given!r} is not the URL of a Foundry project", remedy=_EXAMPLE, error_code="project-url")
    url = found[0]
    endpoints.split(url)
    origin = Origin.of(url)
    if not origin.is_loopback and (endpoints.kind_of(url) != "project" or origin.scheme != "https"):
        raise ConfigError(
            f"{origin} is not a host of Foundry, and your token would go there",
            remedy=_EXAMPLE,
            error_code="project-url",
        )
    return url


def resource_of_connection(connection: Any) -> str:
    """Return the id of the resource that a connection leads to; "" if it is of another kind, or does not say.

    Args:
        connection: What a project says of it, or the properties that Azure Resource Manager has of it.
    """
    kind = text(connection, "type") or text(connection, "category")
    return text(connection, "metadata", "ResourceId") if kind.lower() in _CONNECTIONS else ""


class ProjectReader:
    """Reads a project's deployments and connections, and joins what Azure Resource Manager says of them.

    Args:
        survey: Runs the requests.
        client: The project.
        arm: Azure Resource Manager; None without a sign-in to it.
    """

    def __init__(self, survey: Survey, client: RestClient, arm: ResourceManager | None) -> None:
        self._survey, self._client, self._arm = survey, client, arm
        self.name = client.address.rpartition("/")[2]
        self._resource = client.address[: -len(f"/api/projects/{self.name}")]
        self._deployments: list[dict[str, Any]] = []
        self._connections: dict[str, dict[str, Any]] = {}
        self._accounts: dict[str, dict[str, Any]] = {}
        self._read: set[str] = set()
        self._details: dict[str, Deployment] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to read."""
        self._survey.submit(f"the deployments of the project {self.name}", self._read_deployments)
        self._survey.submit(f"the connections of the project {self.name}", self._read_connections)

    def _read_deployments(self) -> None:
        for item in self._client.list("deployments", _API_VERSION):
            self._deployments.append(item)

    def _read_connections(self) -> None:
        for item in self._client.list("connections", _API_VERSION):
            if text(item, "type").lower() in _CONNECTIONS:
                with self._lock:
                    self._connections[text(item, "name")] = item
                self._read_accounts()
                self._find_connected(text(item, "name"), resource_of_connection(item))

    def _find_connected(self, name: str, resource: str) -> None:
        """Look for the resource behind a connection, which may be in another subscription."""
        if self._arm is not None and resource:
            arm = self._arm
            what = f"the resource behind the connection {name}"
            self._survey.submit(what, lambda: self.note_account(arm.get(resource, ACCOUNT_VERSION)))

    def note_account(self, account: dict[str, Any]) -> None:
        """Read a resource if it is the project's own or one that it is connected to."""
        with self._lock:
            self._accounts[text(account, "id").lower()] = account
        self._read_accounts()

    def _read_accounts(self) -> None:
        """Read the resources that are known to matter, each once. They and the connections come in any order."""
        wanted = []
        with self._lock:
            targets = {_plain(text(item, "target")) for item in self._connections.values()}
            for key, account in self._accounts.items():
                addresses = set(map(_plain, addresses_of(account)))
                is_own = _plain(self._resource) in addresses
                if key not in self._read and (is_own or addresses & targets):
                    self._read.add(key)
                    wanted.append((account, self._note_detail if is_own else None))
        for account, found in wanted:
            assert self._arm is not None
            read_account(self._survey, self._arm, account, found)

    def _note_detail(self, deployment: Deployment) -> None:
        self._details[deployment.name] = deployment

    # ---- rows -------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Add the project's deployments to what was found, once all requests have ended."""
        rows = [self._join(self._row(item)) for item in self._deployments]
        listed = {row.name for row in rows}
        # A project lists no failed deployments, and nothing without a role; the resource may list them.
        self._survey.add(*rows, *(row for name, row in self._details.items() if name not in listed))
        known = [_plain(row.url) for row in self._survey.found]
        for name, item in self._connections.items():
            target = _plain(text(item, "target"))
            is_other = target and target != _plain(self._resource)
            if is_other and not any(url.startswith(target) for url in known):
                self._survey.add(self._connection_row(name, item))

    def _row(self, item: dict[str, Any]) -> Deployment:
        wire, reason = wire_of_model(text(item, "modelPublisher"), pick(item, "capabilities"))
        name = text(item, "name")
        return Deployment(
            name=name,
            kind="project",
            owner=self.name,
            model=f"{text(item, 'modelName')} {text(item, 'modelVersion')}".strip(),
            wire=wire,
            location=zone_of("", text(item, "sku", "name")),
            url=self._url(wire, text(item, "connectionName")),
            deployment_name=name,
            reason_not_askable=reason,
        )

    def _url(self, wire: str, connection: str) -> str:
        if connection and (target := text(self._connections.get(connection), "target")):
            return f"{target.rstrip('/')}/openai/v1"
        return f"{self._resource}/anthropic/v1" if wire == "anthropic-messages" else f"{self._client.address}/openai/v1"

    def _join(self, row: Deployment) -> Deployment:
        """Return a project's deployment with what its resource says of it: the project does not know all of it."""
        detail = self._details.get(row.name)
        if detail is None:
            return row
        return replace(
            row,
            wire=row.wire if detail.wire == DETECT else detail.wire,
            location=detail.location,
            tokens_per_minute=detail.tokens_per_minute,
            state=detail.state,
            reason_not_askable=detail.reason_not_askable,
            note=detail.note,
        )

    def _connection_row(self, name: str, item: dict[str, Any]) -> Deployment:
        return Deployment(
            name=name,
            kind="connection",
            owner=self.name,
            url=f"{text(item, 'target').rstrip('/')}/openai/v1",
            resource_id=text(item, "metadata", "ResourceId"),
            reason_not_askable="its deployments cannot be listed from here",
        )


def _plain(address: str) -> str:
    """Return an address as it can be compared with others."""
    return address.rstrip("/").lower()
