"""The control plane as an object: it starts, it says which variables to set, it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from azml_magics.emulator.control_plane import az_command, managed_identity
from azml_magics.emulator.control_plane.asgi_app import ControlPlaneApp
from azml_magics.emulator.control_plane.calls import Services
from azml_magics.emulator.control_plane.contoso import PROJECT, RESEARCH, make_resources, make_subscriptions
from azml_magics.emulator.control_plane.faults import ControlPlaneFaults
from azml_magics.emulator.control_plane.issued_tokens import CLIENT_ID, COMPUTE_CLIENT_ID, TENANT, Tokens
from azml_magics.emulator.control_plane.resources import Resources
from azml_magics.emulator.control_plane.vault import VAULT
from azml_magics.emulator.loopback_server import LoopbackServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from azml_magics.emulator.control_plane.resources import Document
    from azml_magics.emulator.recorded_requests import Requests

SignIn = Literal["app-service", "azure-ml", "service-principal"]


class ControlPlane:
    """An emulated tenant with its login, Resource Manager, resources and their endpoints, on loopback.

    Args:
        faults: What goes wrong; it may be changed at any time.
        page_size: How many resources a page of a list has.
        rate: Tokens per second of the models, 0 for no delay.
        certfile: A certificate, to serve everything over https as well. The login of azure-identity needs it.
        keyfile: Its private key.

    Attributes:
        vault: The secrets of the key vault, by name.
    """

    def __init__(
        self,
        faults: ControlPlaneFaults | None = None,
        *,
        page_size: int = 100,
        rate: float = 0.0,
        certfile: str | None = None,
        keyfile: str | None = None,
    ) -> None:
        faults = faults or ControlPlaneFaults()
        self.vault: dict[str, str] = {}
        self._tokens = Tokens(faults)
        self._services = Services(
            "", "", faults, self._tokens, make_subscriptions(), Resources(), self.vault, page_size
        )
        self._app = ControlPlaneApp(self._services, rate)
        self._server = LoopbackServer(self._app)
        self._secure = LoopbackServer(self._app, certfile=certfile, keyfile=keyfile) if certfile else None

    @property
    def url(self) -> str:
        """The URL of Resource Manager, over http."""
        return self._server.url

    @property
    def secure_url(self) -> str:
        """The same over https. RuntimeError without a certificate."""
        if self._secure is None:
            raise RuntimeError("the control plane has no certificate; give it certfile and keyfile")
        return self._secure.url

    @property
    def project_url(self) -> str:
        """The URL of the Foundry project."""
        return f"{self.url}/contoso-foundry/api/projects/{PROJECT}"

    @property
    def vault_url(self) -> str:
        """The URL of the key vault."""
        return f"{self.url}/{VAULT}"

    @property
    def faults(self) -> ControlPlaneFaults:
        """What goes wrong; change its attributes at any time."""
        return self._services.faults

    @property
    def resources(self) -> Resources:
        """The resources of the tenant; add and remove some at any time."""
        return self._services.resources

    @property
    def subscriptions(self) -> list[Document]:
        """The subscriptions that the signed-in identity sees."""
        return self._services.subscriptions

    @property
    def requests(self) -> Requests:
        """The last requests, newest last; clear with `.clear()`."""
        return self._app.requests

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a kernel on App Service: azure-identity finds its managed identity by itself."""
        return self.environment_of("app-service")

    def environment_of(self, sign_in: SignIn) -> dict[str, str]:
        """Return the variables of a kernel that signs in in another way.

        Args:
            sign_in: "app-service" or "azure-ml" for the managed identity of either, "service-principal" for a client
                secret, which needs a certificate.
        """
        manager = {"AZURE_RESOURCE_MANAGER_ENDPOINT": self.url}
        secret = self._app.managed_identity.secret
        if sign_in == "app-service":
            address = f"{self.url}{managed_identity.APP_SERVICE}"
            return {**manager, "IDENTITY_ENDPOINT": address, "IDENTITY_HEADER": secret}
        if sign_in == "azure-ml":
            address = f"{self.url}{managed_identity.COMPUTE_INSTANCE}"
            named = {"DEFAULT_IDENTITY_CLIENT_ID": COMPUTE_CLIENT_ID}
            return {**manager, **named, "MSI_ENDPOINT": address, "MSI_SECRET": secret}
        return {
            **manager,
            "AZURE_AUTHORITY_HOST": self.secure_url,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_CLIENT_SECRET": self._app.login.client_secret,
        }

    def write_az_command(self, folder: Path) -> Path:
        """Write a program `az` into `folder`, for PATH: the Azure CLI of this tenant. Return its path."""
        constants = {
            "ADDRESS": f"{self.url}{managed_identity.APP_SERVICE}",
            "SECRET": self._app.managed_identity.secret,
            "TENANT": TENANT,
            "SUBSCRIPTION": RESEARCH,
        }
        return az_command.write_az_command(folder, constants)

    def issue_token(self, audience: str) -> str:
        """Return a token for an audience, such as "https://ai.azure.com"."""
        return self._tokens.issue(audience).text

    def key_of(self, name: str) -> str:
        """Return the first key of the account or endpoint `name`.

        Raises:
            KeyError: There is none of that name.
        """
        for document in self.resources.with_keys():
            if document["name"] == name:
                return self._tokens.derive_key(document["id"], 1)
        raise KeyError(name)

    def start(self) -> Self:
        """Start serving and return the control plane once it is ready."""
        if self._server.running:
            return self
        self._server.start()
        if self._secure is not None:
            self._secure.start()
        self._services.url = self.url
        self._services.login_url = self._secure.url if self._secure is not None else self.url
        self._services.resources = make_resources(self.url)
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._secure is not None:
            self._secure.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ControlPlane {self.url}>" if self._server.running else "<ControlPlane, stopped>"
