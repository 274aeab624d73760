"""AzureMLBaseEndpoint: how the fields of a model become a config of the core, and how a call is sent."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from .. import documents
from ..core import wire
from ..core.client import ainvoke, invoke, prepare
from ..core.config import LLMConfig
from ..core.errors import ConfigError, FormatterError, KeyNotFoundError, UsageError
from ..core.http import recording
from ..core.http.exchange import HTTPResponse
from ..core.key_sources import NO_KEY
from ..core.keys import DEFAULT_KEY, KeyRef
from ..core.messages import Message
from ..core.response import Response
from ..core.secret import Secret
from ..core.wire import default_for_url, wire_for
from .arguments import KEY_VARIABLE, is_placeholder
from .cache_identity import identify_client, identify_formatter
from .endpoint_fields import EndpointFields
from .formatter_adapter import to_wire_formatter
from .message_conversion import messages_from_wire
from .remedies import langchain_remedies

if TYPE_CHECKING:
    from .formatter_adapter import ToMessages

# Per-call kwargs that configure this client, and those that LangChain passes along for its own tracing.
_CALL_OPTIONS = ("timeout", "max_retries", "model")
_IDENTIFYING = ("endpoint_url", "endpoint_api_type", "model", "system", "api_version", "extra_parameters")
_NOT_SAVED = {*_IDENTIFYING, "content_formatter", "http_client"}
_RUNTIME = ("callbacks", "callback_manager", "cache", "rate_limiter", "http_client")
_NOT_SENT = ("ls_structured_output_format", "structured_output_format")
# A user's own client decides where it sends the request; the core still needs a URL to choose a route.
_PLACEHOLDER_URL = "https://localhost"


class AzureMLBaseEndpoint(EndpointFields):
    """What both model classes share: an endpoint, its key, its formatter and the model kwargs.

    Every field is optional when the object is made or saved. A call raises ConfigError for what is missing.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check()

    def _check(self) -> None:
        """Raise ConfigError if fields contradict each other or the formatter does not suit the endpoint."""
        try:
            formatter = self._to_wire_formatter()
        except UsageError as error:
            raise ConfigError(error.cause, remedy=error.remedy, error_code=error.error_code) from None
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

    @property
    def needs_langchain(self) -> bool:
        """Whether calls do more than `to_config` says: they use callbacks, a cache, a rate limiter or a client."""
        given = (getattr(self, name, None) for name in _RUNTIME)
        return type(self).__module__.split(".")[0] != __name__.split(".")[0] or any(
            each is not None and each != [] for each in given
        )

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
            "total_timeout": self.total_timeout,
            "headers": self.headers or {},
            "key_header": self.key_header,
            "verify": self.verify,
            "proxy": self.proxy,
            "allow_http": self.allow_http,
            **options,
        }
        return LLMConfig(name=self.name or "", formatter=formatter or "", model_kwargs=model_kwargs, **fields)

    def _key(self) -> KeyRef | Secret | None:
        if self.key is not None:
            return KeyRef.parse(self.key) if self.key.strip() not in ("", NO_KEY) else None
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

    # ---- LangChain's cache, and its files ----

    @property
    def _llm_type(self) -> str:
        return "azureml_endpoint"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What a response depends on, the key apart: LangChain caches, traces and prints a model under it."""
        params = {name: getattr(self, name) for name in _IDENTIFYING}
        params["endpoint_api_type"] = self.endpoint_api_type.value
        params["content_formatter"] = identify_formatter(self.content_formatter)
        if self.http_client is not None:
            params["http_client"] = identify_client(self.http_client)
        given = {name: value for name, value in params.items() if value not in (None, "")}
        return {"deployment_name": self.deployment_name, "model_kwargs": self.model_kwargs or {}, **given}

    def _dict_for_compat(self) -> dict[str, Any]:
        """Return the parameters under which LangChain caches and traces a call.

        LangChain's own method changes the process's warning filters during each call, because a subclass may override
        `dict()`. Threads that do this at the same time restore them in the wrong order.
        """
        if type(self).dict.__module__.startswith("langchain_core"):
            return {**self._identifying_params, "_type": self._llm_type}
        return dict(getattr(super(), "_dict_for_compat", self.dict)())  # langchain-core 0.3 calls dict() alone

    def save(self, file_path: Path | str) -> None:
        """Write the document that `load_llm` and LangChain's own read: deployment and model kwargs, without the key.

        Args:
            file_path: Path of a .json or .yaml file; missing folders are made.
        """
        path = Path(file_path)
        params = {name: value for name, value in self._dict_for_compat().items() if name not in _NOT_SAVED}
        text = documents.dumps(params, path.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
