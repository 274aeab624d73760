"""AzureMLBaseEndpoint: the fields that both model classes share, their defaults, and how a call is sent."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from ..core import wire
from ..core.client import ainvoke, invoke, prepare
from ..core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from ..core.errors import ConfigError, FormatterError, KeyNotFoundError
from ..core.http import recording
from ..core.http.exchange import HTTPResponse
from ..core.keys import DEFAULT_KEY, KeyRef
from ..core.messages import Message
from ..core.response import Response
from ..core.secret import Secret
from ..core.wire import default_for_url, wire_for
from .api_type import AzureMLEndpointApiType
from .arguments import KEY_VARIABLE, apply_defaults, check_names, is_placeholder, to_config_error
from .formatter_adapter import get_registered_name, to_wire_formatter
from .message_conversion import messages_from_wire
from .remedies import langchain_remedies

if TYPE_CHECKING:
    from .formatter_adapter import ToMessages

# Per-call kwargs that configure this client, and those that LangChain passes along for its own tracing.
_CALL_OPTIONS = ("timeout", "max_retries", "model")
_NOT_SENT = ("ls_structured_output_format", "structured_output_format")
_NO_KEY = ("", "none")
# A user's own client decides where it sends the request; the core still needs a URL to choose a route.
_PLACEHOLDER_URL = "https://localhost"


class AzureMLBaseEndpoint(BaseModel):
    """The fields that both model classes share: the endpoint, its key, its formatter and the model kwargs.

    Every field is optional when the object is made or saved. A call raises ConfigError for what is missing.
    """

    endpoint_url: str = ""
    """URL of the endpoint, with or without a route; default: the variable AZUREML_ENDPOINT_URL."""

    endpoint_api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    """dedicated or serverless; default: the variable AZUREML_ENDPOINT_API_TYPE, then the URL's type."""

    endpoint_api_key: SecretStr = Field(default=SecretStr(""), repr=False)
    """The key; default: the variable AZUREML_ENDPOINT_API_KEY. It is never saved, dumped or pickled."""

    key: str | None = None
    """A reference to the key in place of the key: "env:NAME", "keyring:SERVICE/NAME", "entra"; "none" sends no key."""

    deployment_name: str = ""
    """The deployment that every call goes to; default: the variable AZUREML_DEPLOYMENT_NAME."""

    timeout: float = DEFAULT_TIMEOUT
    """Seconds without data before a call gives up; default: the variable AZUREML_TIMEOUT, then 190."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An object whose `call(body=…, run_manager=…)` sends the request and returns the response's body. It replaces this
    package's transport: its retries, streaming and error messages do not apply."""

    max_retries: int = DEFAULT_MAX_RETRIES
    """Retries after a temporary failure."""

    content_formatter: Any = None
    """A content formatter: one of this package's, your own, or a registered name such as "mlflow"."""

    model_kwargs: dict[str, Any] | None = None
    """Parameters sent to the model with every call."""

    model: str | None = None
    """Name of the model, for routes that take it in the request body."""

    system: str | None = None
    """The system message of every call that has none of its own."""

    api_version: str | None = None
    """The api-version of the query; default: the documented one of the service."""

    extra_parameters: str | None = None
    """"error", "drop" or "pass-through": what an Inference API route does with unknown model kwargs."""

    name: str | None = None
    """A name for traces and error messages."""

    # hide_input_in_errors: a validation error would print all arguments, the key among them
    model_config = ConfigDict(protected_namespaces=(), arbitrary_types_allowed=True, hide_input_in_errors=True)

    def __init__(self, **kwargs: Any) -> None:
        """Check the arguments.

        Raises:
            ConfigError: An argument is unknown or invalid; one line without the values. It is a ValueError.
        """
        check_names(type(self), kwargs)
        try:
            super().__init__(**kwargs)
        except ValidationError as error:
            raise to_config_error(type(self).__name__, error) from None
        self._check()

    @model_validator(mode="before")
    @classmethod
    def _apply_defaults(cls, values: Any) -> Any:
        return apply_defaults(values) if isinstance(values, dict) else values

    def _check(self) -> None:
        """Raise ConfigError if fields contradict each other or the formatter does not suit the endpoint."""
        formatter = self._to_wire_formatter()
        options = {"endpoint_url": ""} if is_placeholder(self.endpoint_url) else {}
        config = self._config({}, formatter, **options)
        if formatter is not None:
            try:
                formatter.wire_for(config)
            except (ConfigError, FormatterError) as error:
                remedy = "Choose another content_formatter, endpoint_api_type or endpoint_url."
                raise ConfigError(error.cause, remedy=remedy, error_code=error.error_code) from None

    # ---- the core's config ----

    def to_config(self) -> LLMConfig:
        """Return the LLMConfig of this endpoint.

        A key that equals AZUREML_ENDPOINT_API_KEY becomes a reference to that variable.
        """
        return self._config(self.model_kwargs or {}, self._to_wire_formatter())

    def _to_wire_formatter(self, to_messages: ToMessages = messages_from_wire) -> wire.Formatter | None:
        return to_wire_formatter(self.content_formatter, to_messages, self.endpoint_api_type)

    def _config(self, model_kwargs: Mapping[str, Any], formatter: wire.Formatter | None, **options: Any) -> LLMConfig:
        fields = {
            "endpoint_url": self.endpoint_url,
            "endpoint_api_type": self.endpoint_api_type,
            "deployment_name": self.deployment_name,
            "key": self._key(),
            "system": self.system,
            "model": self.model,
            "api_version": self.api_version,
            "extra_parameters": self.extra_parameters,
            "timeout": self.timeout,
            "max_retries": self.max_retries,
            **options,
        }
        return LLMConfig(name=self.name or "", formatter=formatter or "", model_kwargs=model_kwargs, **fields)

    def _key(self) -> KeyRef | Secret | None:
        if self.key is not None:
            return KeyRef.parse(self.key) if self.key.strip() not in _NO_KEY else None
        given: Any = self.endpoint_api_key  # a str if it was assigned after construction
        literal = given.get_secret_value() if isinstance(given, SecretStr) else str(given or "")
        if literal and literal != os.environ.get(KEY_VARIABLE):
            return Secret(literal)
        return KeyRef.parse(DEFAULT_KEY)

    def _make_call_config(
        self, formatter: wire.Formatter | None, stop: Sequence[str] | None, kwargs: Mapping[str, Any]
    ) -> LLMConfig:
        """Return the config of one call. Its kwargs override this endpoint's, which do not change."""
        sent = {name: value for name, value in kwargs.items() if name not in _NOT_SENT}
        options = {name: sent.pop(name) for name in _CALL_OPTIONS if name in sent}
        options = {name: value for name, value in options.items() if value is not None}
        sent = {**(self.model_kwargs or {}), **sent}
        if stop:
            sent["stop"] = [stop] if isinstance(stop, str) else list(stop)
        if self.http_client is not None:
            options.setdefault("endpoint_url", self.endpoint_url or _PLACEHOLDER_URL)
        elif not self.endpoint_url:
            raise ConfigError("No endpoint URL", remedy="Pass endpoint_url=…, or set AZUREML_ENDPOINT_URL.")
        config = self._config(sent, formatter, **options)
        if formatter is None and not default_for_url(config.endpoint_url):
            raise ConfigError(
                "No content_formatter: the wire format of /score differs from deployment to deployment",
                remedy="Pass content_formatter=…, such as CustomOpenAIContentFormatter() or GPT2ContentFormatter().",
            )
        return config

    # ---- sending ----

    @langchain_remedies()
    def _send(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        """Return the response, through the core's transport or the user's own client."""
        if self.http_client is not None:
            return self._send_through_client(config, prompt, run_manager)
        self._check_key(config)
        return invoke(config, prompt)

    async def _asend(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        if self.http_client is not None:
            return await asyncio.to_thread(self._send_through_client, config, prompt, run_manager)
        with langchain_remedies():
            self._check_key(config)
            return await ainvoke(config, prompt)

    @langchain_remedies()
    def _can_stream(self, config: LLMConfig) -> bool:
        """Return whether the response can be streamed; check the key if so, as `_send` does otherwise."""
        if self.http_client is not None or not wire_for(config).streams(config):
            return False
        self._check_key(config)
        return True

    def _send_through_client(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any) -> Response:
        prepared = prepare(config, prompt, with_key=False)
        options = {"timeout": config.timeout} if config.timeout != self.timeout else {}
        start = time.perf_counter()
        reply = self.http_client.call(body=prepared.request.body, run_manager=run_manager, **options)
        body = reply.encode() if isinstance(reply, str) else bytes(reply)
        return prepared.decode(HTTPResponse(200, {}, body), time.perf_counter() - start)

    def _check_key(self, config: LLMConfig) -> None:
        key = config.key
        if isinstance(key, KeyRef) and key.is_found() is False and not recording.is_replaying():
            raise KeyNotFoundError(
                f"No key: the environment variable {key.name} is not set",
                remedy='Set it, pass endpoint_api_key=…, or name where the key is, such as key="entra".',
            )

    # ---- LangChain's serialization, and pickle: neither holds the key ----

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True: LangChain's dumps and loads work, with the key as a secret's name."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The constructor argument that is never written, and the variable to read it from."""
        return {"endpoint_api_key": KEY_VARIABLE}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The registered name of the formatter, if it has one, so that it can be loaded again."""
        name = get_registered_name(self.content_formatter)
        return {"content_formatter": name} if name else {}

    def __getstate__(self) -> dict[Any, Any]:
        """Return the state without the key, which the environment or `key` provides when it is loaded."""
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "endpoint_api_key": SecretStr("")}}
