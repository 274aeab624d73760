"""AzureMLBaseEndpoint: the fields that both model classes share, where they come from, and the call they make."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from ..core.call import prepare, read_answer
from ..core.client import ainvoke, invoke
from ..core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, LLMConfig
from ..core.errors import ConfigError, KeyNotFoundError
from ..core.http import recording
from ..core.http.retry import Answer
from ..core.keys import DEFAULT_KEY, KeyRef, Secret
from ..core.wire import formatter_for
from ..core.wire.chat import default_for_route
from .api_type import AzureMLEndpointApiType
from .arguments import KEY_VARIABLE, config_error, filled_in
from .formatter_adapter import name_of, wire_formatter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core import wire
    from ..core.messages import Message
    from ..core.response import Response

# Per-call kwargs that are this client's business, and those that LangChain passes along for its own tracing.
_CALL_OPTIONS = ("timeout", "max_retries", "model")
_NOT_SENT = ("stream", "ls_structured_output_format", "structured_output_format")
# Where a client of the person's own sends the request is its own business; the core wants a URL to choose a route.
_NOWHERE = "https://localhost"


class AzureMLBaseEndpoint(BaseModel):
    """An Azure ML endpoint: where it is, how to speak to it, and what goes along with every call.

    Nothing is needed to build or save one; a call says what is missing.
    """

    endpoint_url: str = ""
    """URL of the endpoint, any route or none; else the variable AZUREML_ENDPOINT_URL."""

    endpoint_api_type: AzureMLEndpointApiType = AzureMLEndpointApiType.dedicated
    """dedicated or serverless; else the variable AZUREML_ENDPOINT_API_TYPE, else what the URL says."""

    endpoint_api_key: SecretStr = Field(default=SecretStr(""), repr=False)
    """The key; else the variable AZUREML_ENDPOINT_API_KEY. It is never saved, dumped or pickled."""

    key: str | None = None
    """Where the key is, instead of the key: "env:NAME", "keyring:SERVICE/NAME", "entra"; "" sends none."""

    deployment_name: str = ""
    """Pins one deployment of the endpoint; else the variable AZUREML_DEPLOYMENT_NAME."""

    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for the next byte; else the variable AZUREML_TIMEOUT."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An object whose `call(body=…, run_manager=…)` sends the request and returns the reply's body; it stands in for
    this package's transport, whose retries, streaming and error messages then do not apply."""

    max_retries: int = DEFAULT_MAX_RETRIES
    """Tries after the first, for what the endpoint says is passing."""

    content_formatter: Any = None
    """A content formatter: one of this package's, your own, or a registered name such as "mlflow"."""

    model_kwargs: dict[str, Any] | None = None
    """What goes to the model with every call."""

    model: str | None = None
    """Name of the model, for routes that want it in the body."""

    system: str | None = None
    """A system message for every call that brings none."""

    api_version: str | None = None
    """The api-version of the query, where it is not the documented default."""

    extra_parameters: str | None = None
    """"error", "drop" or "pass-through": what an Inference API route does with kwargs that it does not know."""

    name: str | None = None
    """A name for traces and error messages."""

    # hide_input_in_errors: a validation error would print all arguments, the key among them
    model_config = ConfigDict(protected_namespaces=(), arbitrary_types_allowed=True, hide_input_in_errors=True)

    def __init__(self, **kwargs: Any) -> None:
        """Raise ConfigError, in one line, for arguments that do not fit; it is a ValueError."""
        try:
            super().__init__(**kwargs)
        except ValidationError as error:
            raise config_error(type(self).__name__, error) from None
        self._check()

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, values: Any) -> Any:
        return filled_in(values) if isinstance(values, dict) else values

    def _check(self) -> None:
        """ConfigError where the fields do not fit each other or the formatter does not fit the endpoint."""
        formatter = wire_formatter(self.content_formatter)
        config = self._config({}, formatter)
        if formatter is not None:
            try:
                formatter.check(config)
            except ConfigError as error:
                remedy = "Choose another content_formatter, endpoint_api_type or endpoint_url."
                raise ConfigError(error.cause, remedy=remedy) from None

    # ---- the core's config ----

    def to_config(self) -> LLMConfig:
        """This endpoint as the core's config; a key that the environment holds goes by reference."""
        return self._config(self.model_kwargs or {}, wire_formatter(self.content_formatter))

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
            return KeyRef.parse(self.key) if self.key else None
        given: Any = self.endpoint_api_key  # a text, where it was assigned later
        literal = given.get_secret_value() if isinstance(given, SecretStr) else str(given or "")
        if literal and literal != os.environ.get(KEY_VARIABLE):
            return Secret(literal)
        return KeyRef.parse(DEFAULT_KEY)

    def _for_call(
        self, formatter: wire.Formatter | None, stop: Sequence[str] | None, kwargs: Mapping[str, Any]
    ) -> LLMConfig:
        """The config of one call: per-call kwargs over this endpoint's, which stay as they are."""
        sent = {name: value for name, value in kwargs.items() if name not in _NOT_SENT}
        options = {name: sent.pop(name) for name in _CALL_OPTIONS if name in sent}
        options = {name: value for name, value in options.items() if value is not None}
        sent = {**(self.model_kwargs or {}), **sent}
        if stop:
            sent["stop"] = [stop] if isinstance(stop, str) else list(stop)
        if self.http_client is not None:
            options.setdefault("endpoint_url", self.endpoint_url or _NOWHERE)
        elif not self.endpoint_url:
            raise ConfigError("No endpoint URL", remedy="Pass endpoint_url=…, or set AZUREML_ENDPOINT_URL.")
        config = self._config(sent, formatter, **options)
        if formatter is None and not default_for_route(config.endpoint_url):
            raise ConfigError(
                "No content_formatter: /score speaks a different dialect on every deployment",
                remedy="Pass content_formatter=…, such as CustomOpenAIContentFormatter() or GPT2ContentFormatter().",
            )
        return config

    # ---- asking ----

    def _ask(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        """The answer, through the core's transport or the person's own client."""
        if self.http_client is not None:
            return self._through_client(config, prompt, run_manager)
        self._check_key(config)
        return invoke(config, prompt)

    async def _aask(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        if self.http_client is not None:
            return await asyncio.to_thread(self._through_client, config, prompt, run_manager)
        self._check_key(config)
        return await ainvoke(config, prompt)

    def _streams(self, config: LLMConfig) -> bool:
        """Whether the answer can come piece by piece; checks the key, as `_ask` does for the others."""
        if self.http_client is not None or not formatter_for(config).streams(config):
            return False
        self._check_key(config)
        return True

    def _through_client(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any) -> Response:
        prepared = prepare(config, prompt, with_key=False)
        options = {"timeout": config.timeout} if config.timeout != self.timeout else {}
        start = time.perf_counter()
        reply = self.http_client.call(body=prepared.request.body, run_manager=run_manager, **options)
        body = reply.encode() if isinstance(reply, str) else bytes(reply)
        return read_answer(prepared, Answer(200, {}, body), time.perf_counter() - start)

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
        """True: LangChain's dumps and loads work, with the key as a secret's name."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The constructor argument that is never written, and the variable that it is read from instead."""
        return {"endpoint_api_key": KEY_VARIABLE}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """A formatter of this package by its name, so that it can be loaded again."""
        name = name_of(self.content_formatter)
        return {"content_formatter": name} if name else {}

    def __getstate__(self) -> dict[Any, Any]:
        """What pickle keeps: everything but the key, which the environment or `key` gives again."""
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "endpoint_api_key": SecretStr("")}}
