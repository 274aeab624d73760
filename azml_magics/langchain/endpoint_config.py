"""EndpointConfig: how the fields of a model become a config of the core."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ..core import wire
from ..core.config import LLMConfig
from ..core.embedded_keys import check_kwargs
from ..core.errors import ConfigError, FormatterError, UsageError
from ..core.key_sources import NO_KEY
from ..core.keys import DEFAULT_KEY, KeyRef
from ..core.secret import Secret
from ..core.wire import default_for_url
from .arguments import KEY_VARIABLE, is_placeholder
from .call_arguments import split_call_arguments
from .clients import has_call
from .endpoint_fields import EndpointFields
from .formatter_adapter import to_wire_formatter
from .message_conversion import messages_from_wire

if TYPE_CHECKING:
    from .formatter_adapter import ToMessages

# A user's own client decides where it sends the request; the core still needs a URL to choose a route.
_PLACEHOLDER_URL = "https://localhost"


class EndpointConfig(EndpointFields):
    """The fields, and the configs that they make."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check()

    def _check(self) -> None:
        """Raise ConfigError if fields contradict each other or the formatter does not suit the endpoint."""
        try:
            formatter = self._to_wire_formatter()
        except UsageError as error:
            raise ConfigError(error.cause, remedy=error.remedy, error_code=error.error_code) from None
        check_kwargs(self.model_kwargs or {})
        options = {"endpoint_url": ""} if is_placeholder(self.endpoint_url) else {}
        config = self._config({}, formatter, **options)
        if formatter is not None:
            try:
                formatter.wire_for(config)
            except (ConfigError, FormatterError) as error:
                remedy = "Choose another content_formatter, endpoint_api_type or endpoint_url."
                raise ConfigError(error.cause, remedy=remedy, error_code=error.error_code) from None

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
            "total_timeout": self.total_timeout,
            "headers": self.headers or {},
            "key_header": self.key_header,
            "verify": self.verify,
            "proxy": self.proxy,
            "allow_http": self.allow_http,
            "file": self._file,
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
        """Return the config of one call. Its kwargs override this endpoint's, which do not change.

        Raises:
            ConfigError: Something is missing, or a kwarg is a slip.
        """
        options, given = split_call_arguments(kwargs)
        sent = {**(self.model_kwargs or {}), **given}
        if stop:
            sent["stop"] = [stop] if isinstance(stop, str) else list(stop)
        if has_call(self.client):
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
