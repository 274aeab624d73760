"""AzureMLEndpointClient: one body there, one body back, under langchain-community's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core import wire
from ..core.client import invoke
from ..core.config import DEFAULT_TIMEOUT, LLMConfig
from ..core.errors import ConfigError
from ..core.keys import Secret
from ..core.wire.replies import Reply

if TYPE_CHECKING:
    from ..core.wire import Call, Payload


class AzureMLEndpointClient:
    """Sends a body to an endpoint and returns the reply's body, with the core's errors and without its key in them.

    timeout: seconds to wait for the next byte. ConfigError (a ValueError) without a URL or key.
    """

    def __init__(
        self, endpoint_url: str, endpoint_api_key: str, deployment_name: str = "", timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        if not endpoint_api_key or not endpoint_url:
            raise ConfigError("AzureMLEndpointClient needs a URL and a key", remedy="Pass both.")
        self._config = LLMConfig(
            endpoint_url=endpoint_url,
            key=Secret(endpoint_api_key),
            deployment_name=deployment_name,
            timeout=timeout,
            max_retries=0,
            model="named in the body",  # routes that want a model find it there
        )

    @property
    def endpoint_url(self) -> str:
        """The URL that bodies go to."""
        return self._config.endpoint_url

    @property
    def endpoint_api_key(self) -> str:
        """The key itself."""
        key = self._config.key
        return key.reveal() if isinstance(key, Secret) else ""

    @property
    def deployment_name(self) -> str:
        """The deployment that it pins, or ""."""
        return self._config.deployment_name

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next byte."""
        return self._config.timeout

    def call(self, body: bytes, run_manager: Any = None, **kwargs: Any) -> bytes:  # noqa: ARG002 - LangChain's signature
        """The body of the reply. `timeout` may be given for this call; errors are those of azml_magics.errors."""
        config = self._config.merged(formatter=_Verbatim(body), timeout=kwargs.get("timeout") or self.timeout)
        raw = invoke(config, "").raw
        assert isinstance(raw, bytes)
        return raw


class _Verbatim(wire.Formatter):
    """A dialect of its own: the body that it was made with, and the reply as it came."""

    name = "verbatim"
    description = "a body as it is"
    api_types = ("dedicated", "serverless")

    def __init__(self, body: bytes) -> None:
        self._body = body

    def check(self, config: LLMConfig) -> None:
        """Any route takes any body."""

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - a Formatter's signature
        return config.endpoint_url

    def encode(self, call: Call) -> Payload:  # noqa: ARG002 - a Formatter's signature
        return wire.Payload(self._body)

    def decode(self, body: bytes, call: Call) -> Reply:  # noqa: ARG002 - a Formatter's signature
        return Reply("", raw=body)
