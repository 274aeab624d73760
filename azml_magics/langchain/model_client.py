"""ModelClient: what a model's `http_client` reads as, so that `llm.http_client.call(body)` works with any client."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import SecretStr

from .endpoint_client import AzureMLEndpointClient

_OF_THE_MODEL = ("endpoint_url", "deployment_name", "timeout")


class Model(Protocol):
    """What ModelClient needs of a model."""

    endpoint_api_key: SecretStr
    client: Any

    def send_body(self, body: bytes, timeout: float | None = None) -> bytes:
        """Send a request body and return the response body."""


class ModelClient(AzureMLEndpointClient):
    """What a model's `http_client` reads as, unless it is an object with a `call` of its own.

    Its URL, key, deployment and timeout are the model's, to be read and assigned. If the model was given an httpx
    client, `call` sends through it, this object has all its other attributes, and is an instance of its class.

    Attributes:
        given: The httpx client, or None.
    """

    def __init__(self, model: Model) -> None:
        self.__dict__["_model"] = model  # not the base's constructor: the model has its attributes
        self.__dict__["given"] = model.client

    @property
    def endpoint_api_key(self) -> str:
        """The key itself. Assign another one to renew it."""
        key = self._model.endpoint_api_key
        return key.get_secret_value() if isinstance(key, SecretStr) else str(key)

    @endpoint_api_key.setter
    def endpoint_api_key(self, key: str) -> None:
        self._model.endpoint_api_key = SecretStr(key)

    def call(self, body: bytes, run_manager: Any = None, **kwargs: Any) -> bytes:  # noqa: ARG002 - LangChain's signature
        """Send a request as the model does, with its retries; see AzureMLEndpointClient.call."""
        model: Model = self._model
        return model.send_body(body, timeout=kwargs.get("timeout"))

    @property  # type: ignore[misc] # for isinstance(), as unittest.mock does it
    def __class__(self) -> type:
        return type(self) if self.given is None else type(self.given)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_THE_MODEL:
            return getattr(self._model, name)
        if name.startswith("__") or self.given is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.given, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "endpoint_api_key":
            object.__setattr__(self, name, value)
        else:
            setattr(self._model if name in _OF_THE_MODEL else self.given, name, value)
