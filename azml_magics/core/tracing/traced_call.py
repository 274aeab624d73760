"""One call as traces name it: its operation, provider, model and server, in the words of OpenTelemetry's conventions.

Source: the semantic conventions for generative AI, "inference" and "embeddings" spans.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..endpoints import Origin, service_of
from ..redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..secret import Secret
    from ..wire.base import Call, Wire

PROVIDER = "azureml"
"""The provider of endpoints for which the conventions have no name: those of Azure Machine Learning."""
_PROVIDERS: Mapping[str, str] = {
    "anthropic": "anthropic",
    "azure-openai": "azure.ai.openai",
    "openai-v1": "azure.ai.openai",
    "project": "azure.ai.openai",
    "inference-api": "azure.ai.inference",
    "serverless": "azure.ai.inference",
    "github-models": "azure.ai.inference",
}
_IN_PATH = re.compile(r"/(?:openai/deployments|managed-deployments|api/v1/endpoint)/([^/]+)", re.IGNORECASE)


@dataclass(frozen=True)
class TracedCall:
    """A call that begins.

    Attributes:
        call: Its config and messages, and whether it asks for a stream.
        wire: Its wire format.
        url: Where it goes, without keys.
        read_secrets: Returns the keys that no trace may show; more of them may be known when the call ends.
    """

    call: Call = field(repr=False)
    wire: Wire
    url: str
    read_secrets: Callable[[], tuple[Secret, ...]] = field(repr=False)

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """The model kwargs."""
        return self.call.config.model_kwargs

    @property
    def operation(self) -> str:
        """The name of the operation: "chat", "text_completion" or "embeddings"."""
        if self.wire.embeds:
            return "embeddings"
        return "chat" if self.wire.chat else "text_completion"

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return _PROVIDERS.get(service_of(self.call.config.endpoint_url).kind, PROVIDER)

    @property
    def model(self) -> str:
        """The model that is asked for, or its deployment; "" if only the endpoint knows."""
        config = self.call.config
        name = self.kwargs.get("model") or config.model or config.deployment_name
        if not name and (found := _IN_PATH.search(urlsplit(self.url).path)):
            name = unquote(found[1])
        return redact(str(name or ""), *self.read_secrets())

    @property
    def name(self) -> str:
        """The name of its span."""
        return f"{self.operation} {self.model}".rstrip()

    @property
    def server(self) -> Origin:
        """Where the request goes."""
        return Origin.of(self.url)
