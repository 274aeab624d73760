"""AzureMLEndpointClient: sends one request body and returns the response body, as in langchain-community."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core import wire
from ..core.client import default_client
from ..core.config import DEFAULT_TIMEOUT, LLMConfig
from ..core.errors import ConfigError
from ..core.hidden_arguments import hide_arguments
from ..core.response import Response
from ..core.secret import Secret
from .remedies import langchain_remedies

if TYPE_CHECKING:
    from ..core.client import Client
    from ..core.wire import Call, Payload


class AzureMLEndpointClient:
    """Sends request bodies to one endpoint and returns the response bodies. Its errors never contain the key.

    Args:
        endpoint_url: URL of the endpoint, with its route.
        endpoint_api_key: The key itself.
        deployment_name: The deployment that every request goes to; "" leaves the choice to the endpoint.
        timeout: Seconds without data before a call gives up.

    Raises:
        ConfigError: The URL or the key is missing; it is a ValueError.
    """

    @hide_arguments
    def __init__(
        self, endpoint_url: str, endpoint_api_key: str, deployment_name: str = "", timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        if not endpoint_api_key or not endpoint_url:
            raise ConfigError("AzureMLEndpointClient needs a URL and a key", remedy="Pass both.")
        self.endpoint_url = endpoint_url
        """The URL that requests go to."""
        self.endpoint_api_key = endpoint_api_key
        self.deployment_name = deployment_name
        """The deployment that requests go to, or ""."""
        self.timeout = timeout
        """Seconds without data before a call gives up."""

    @property
    def endpoint_api_key(self) -> str:
        """The key itself. Assign another one to renew it."""
        return self._key.reveal()

    @endpoint_api_key.setter
    def endpoint_api_key(self, key: str) -> None:
        self._key = Secret(key)

    def call(self, body: bytes, run_manager: Any = None, **kwargs: Any) -> bytes:  # noqa: ARG002 - LangChain's signature
        """Send a request.

        Args:
            body: The request body.
            run_manager: Not used; part of LangChain's signature.
            **kwargs: `timeout` overrides the client's timeout.

        Returns:
            The response body.

        Raises:
            AzmlError: The call failed; see azml_magics.errors.
        """
        config = LLMConfig(
            endpoint_url=self.endpoint_url,
            key=self._key,
            deployment_name=self.deployment_name,
            timeout=kwargs.get("timeout") or self.timeout,
            max_retries=0,
        )
        return send_body(default_client(), config, body)


def send_body(client: Client, config: LLMConfig, body: bytes) -> bytes:
    """Send a request body to the config's URL and return the response body.

    Raises:
        AzmlError: The call failed.
    """
    formatter = wire.Formatter("verbatim", "a body as it is", (_VerbatimWire(body),))
    with langchain_remedies():
        raw = client.invoke(config.merged(formatter=formatter), "").raw
    assert isinstance(raw, bytes)
    return raw


class _VerbatimWire(wire.Wire):
    """A wire format without conversion: a fixed request body, and the response body unchanged."""

    api_types = ("dedicated", "serverless")

    def __init__(self, body: bytes) -> None:
        self._body = body

    def fits(self, config: LLMConfig) -> bool:  # noqa: ARG002 - any route takes any body
        return True

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - Wire's signature
        return config.endpoint_url

    def encode(self, call: Call) -> Payload:  # noqa: ARG002 - Wire's signature
        return wire.Payload(self._body)

    def decode(self, body: bytes, call: Call) -> Response:  # noqa: ARG002 - Wire's signature
        return self.parse_response(body)

    def parse_response(self, value: Any) -> Response:
        return Response("", raw=value)
