"""Defaults of constructor arguments: the environment, LangChain's standard names, and the URL."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal

from langchain_core.caches import BaseCache
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import BaseModel, SecretStr, ValidationError
from typing_extensions import TypedDict

from ..core import endpoints
from ..core.endpoints import Origin
from ..core.errors import ConfigError
from ..core.key_sources import TokenCredential
from ..core.secret import Secret
from ..core.text import did_you_mean, one_line
from .api_type import AzureMLEndpointApiType

KEY_VARIABLE = "AZUREML_ENDPOINT_API_KEY"
_VARIABLES = {
    "endpoint_url": "AZUREML_ENDPOINT_URL",
    "endpoint_api_type": "AZUREML_ENDPOINT_API_TYPE",
    "deployment_name": "AZUREML_DEPLOYMENT_NAME",
    "timeout": "AZUREML_TIMEOUT",
}
STANDARD_NAMES = {
    "api_key": "endpoint_api_key",
    "base_url": "endpoint_url",
    "model_name": "model",
    "default_headers": "headers",
}
"""LangChain's standard parameters -> our names."""
KWARG_FIELDS = ("temperature", "max_tokens", "stop")
"""LangChain's standard parameters of a model, which are model kwargs here."""
_PLACEHOLDER = re.compile(r"//[^/]*[<{]")


class EndpointArguments(TypedDict, total=False):
    """The constructor arguments of both model classes, as users write them.

    A type checker that reads the fields alone would refuse `endpoint_api_key="..."` and `temperature=0`.
    """

    endpoint_url: str
    """URL of the endpoint, with or without a route; default: the variable AZUREML_ENDPOINT_URL."""
    endpoint_api_type: AzureMLEndpointApiType | str
    """dedicated or serverless; default: the variable AZUREML_ENDPOINT_API_TYPE, then the URL's type."""
    endpoint_api_key: SecretStr | str | None
    """The key; default: the variable AZUREML_ENDPOINT_API_KEY. It is never saved, dumped or pickled."""
    key: str | None
    """A reference to the key in place of the key: "env:NAME", "keyring:SERVICE/NAME", "entra"; "none" sends no key."""
    deployment_name: str
    """The deployment that every call goes to; default: the variable AZUREML_DEPLOYMENT_NAME."""
    timeout: float
    """Seconds without data before a call gives up; default: the variable AZUREML_TIMEOUT, then 190."""
    http_client: Any
    """An httpx.Client that sends the requests, with its hooks, mounts, authentication and certificates. Retries,
    streaming and errors stay those of this package. Or an object whose `call(body=…, run_manager=…)` sends the request
    and returns the response's body; it replaces them."""
    http_async_client: Any
    """An httpx.AsyncClient for asynchronous calls. Without one, `http_client` serves them in threads."""
    credential: TokenCredential | None
    """A credential of azure-identity, synchronous or not, whose tokens take the place of the key."""
    azure_ad_token_provider: Callable[[], str | Awaitable[str]] | None
    """A function that returns such tokens, synchronous or not: `get_bearer_token_provider(credential, scope)`."""
    max_retries: int
    """Retries after a temporary failure."""
    content_formatter: Any
    """A content formatter: one of this package's, your own, or a registered name such as "mlflow"."""
    model_kwargs: dict[str, Any] | None
    """Parameters sent to the model with every call."""
    model: str | None
    """Name of the model, for routes that take it in the request body."""
    system: str | None
    """The system message of every call that has none of its own."""
    api_version: str | None
    """The api-version of the query; default: the documented one of the service."""
    extra_parameters: str | None
    """"error", "drop" or "pass-through": what an Inference API route does with unknown model kwargs."""
    total_timeout: float | None
    """Seconds that one request may take in all, however slowly its data comes."""
    headers: Mapping[str, Any] | None
    """Headers of every request; also as `default_headers`. A value may be a key reference such as "env:NAME"."""
    key_header: str
    """Name of the header that carries the key, for gateways that read another one than the endpoint's own."""
    verify: bool | str | None
    """A file or folder of CA certificates; False checks none; None trusts the operating system's."""
    proxy: str | None
    """URL of a proxy, or "none"; default: the environment's."""
    allow_http: bool
    """Whether the key may be sent over plain http, readable on its way."""
    # LangChain's standard names
    api_key: SecretStr | str | None
    """LangChain's name of `endpoint_api_key`."""
    base_url: str
    """LangChain's name of `endpoint_url`."""
    model_name: str
    """LangChain's name of `model`."""
    default_headers: Mapping[str, Any] | None
    """LangChain's name of `headers`."""
    temperature: float
    """How freely the model chooses its words; it goes into `model_kwargs`."""
    max_tokens: int
    """The most tokens that a response may have; it goes into `model_kwargs`."""
    stop: list[str]
    """Texts at which a response ends; they go into `model_kwargs`."""
    # fields of every LangChain model
    name: str | None
    """A name for traces and error messages."""
    cache: BaseCache | bool | None
    """LangChain's cache of responses; True uses the global one."""
    verbose: bool
    """Whether LangChain prints what it does."""
    callbacks: list[BaseCallbackHandler] | BaseCallbackManager | None
    """Called with what happens, such as new tokens."""
    tags: list[str] | None
    """Marks of this model's runs in traces."""
    metadata: dict[str, Any] | None
    """Facts of this model's runs in traces."""
    custom_get_token_ids: Callable[[str], list[int]] | None
    """The tokenizer for `get_num_tokens`."""
    rate_limiter: BaseRateLimiter | None
    """LangChain's own rate limiter; waits before each request."""


class ChatArguments(EndpointArguments, total=False):
    """The constructor arguments of AzureMLChatOnlineEndpoint."""

    streaming: bool
    """Whether invoke streams as well, for callbacks that take tokens."""
    disable_streaming: bool | Literal["tool_calling"]
    """Whether stream waits for the whole response: always, or with tools."""
    output_version: str | None
    """The form of the content of messages, such as "v1"."""


def apply_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Return the constructor arguments with defaults.

    Args:
        values: The arguments as given; None means not given.

    Returns:
        The arguments under our names. What is missing comes from the AZUREML_* variables, and the endpoint type from
        the URL.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for standard, ours in STANDARD_NAMES.items():
        if standard in given:
            given.setdefault(ours, given.pop(standard))
    kwargs = {name: given.pop(name) for name in KWARG_FIELDS if name in given}
    kwargs = {name: value for name, value in kwargs.items() if value != []}
    if kwargs:
        given["model_kwargs"] = {**given.get("model_kwargs", {}), **kwargs}
    for name, variable in _VARIABLES.items():
        text = os.environ.get(variable, "").strip()
        if text and (name not in given or (name == "endpoint_url" and not given[name])):
            given[name] = text
    if "key" not in given:
        given["endpoint_api_key"] = given.get("endpoint_api_key") or os.environ.get(KEY_VARIABLE, "")
    url = str(given.get("endpoint_url", "")).strip()
    given["endpoint_url"] = url.removesuffix("/")
    given["endpoint_api_type"] = _resolve_api_type(given.get("endpoint_api_type"), url)
    return given


def _resolve_api_type(given: Any, url: str) -> str:
    text = str(getattr(given, "value", given) or "").strip().lower()
    if text or is_placeholder(url) or not Origin.of(url):
        return text or "dedicated"
    return endpoints.api_type_of(url)


def is_placeholder(url: str) -> bool:
    """Return whether `url` is one that documentation shows, such as https://<your-endpoint>.<your_region>.…/score.

    langchain-community makes models with it, and so do its tests. A call cannot be sent to it.
    """
    return bool(_PLACEHOLDER.search(url))


def check_names(owner: type[BaseModel], given: Iterable[str]) -> None:
    """Check the names of constructor arguments.

    Args:
        owner: The class of the model.
        given: The names.

    Raises:
        ConfigError: One of them is unknown; it would have no effect.
    """
    fields = owner.model_fields
    known = {*fields, *STANDARD_NAMES, *(field.alias for field in fields.values() if field.alias)}
    for name in () if owner.model_config.get("extra") == "allow" else given:
        if name not in known:
            hint = did_you_mean(name, known).strip() or "See its fields for the names."
            raise ConfigError(
                f"{owner.__name__} has no argument {name!r}",
                remedy=f"{hint} Pass parameters of the model in model_kwargs={{{name!r}: …}}.",
                error_code="unknown-argument",
            )


def without_secrets(headers: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return headers as they may be written: key references by their text, keys left out."""
    return {name: str(value) for name, value in (headers or {}).items() if not isinstance(value, Secret)} or None


def to_config_error(owner: str, error: ValidationError) -> ConfigError:
    """Return pydantic's report as a ConfigError in one line, without the values: one of them may be a key."""
    problems = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ConfigError(f"{owner} cannot be made: {one_line('; '.join(problems), 400)}", remedy="Check its arguments.")
