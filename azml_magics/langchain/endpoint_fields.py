"""EndpointFields: the fields that both model classes share, their defaults, and how they are saved without the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from ..core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from ..core.embedded_keys import check_kwargs, check_query
from ..core.headers import as_headers
from ..core.hidden_arguments import hide_arguments
from ..core.key_sources import NO_KEY
from ..core.keys import KeyRef
from .api_type import AzureMLEndpointApiType
from .arguments import KEY_VARIABLE, KWARG_FIELDS, apply_defaults, check_names, to_config_error, without_secrets
from .clients import has_call
from .formatter_adapter import get_registered_name
from .json_schema import FieldsOfJson
from .model_client import ModelClient

_GENERATOR_POSITION = 3  # of schema_generator among the arguments of pydantic's model_json_schema
_CHECKED = ("endpoint_api_key", "key", "headers", "endpoint_url", "model_kwargs")  # what may hold a key


def _check_assigned(name: str, value: Any) -> Any:
    """Return what an attribute keeps of an assigned value: a key only as a secret, as the constructor does.

    Raises:
        ConfigError: It holds a key where a reference belongs, or cannot be used.
    """
    if name == "endpoint_api_key":
        return value if isinstance(value, SecretStr) else SecretStr(str(value or ""))
    if name == "headers":
        return as_headers(value) or None
    if name == "key" and isinstance(value, str) and value.strip() not in ("", NO_KEY):
        KeyRef.parse(value)
    elif name == "endpoint_url" and isinstance(value, str):
        check_query(value)
    elif name == "model_kwargs" and isinstance(value, Mapping):
        check_kwargs(value)
    return value


class EndpointFields(BaseModel):
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

    http_client: Any = Field(default=None, exclude=True, repr=False, validate_default=True)
    """An httpx.Client that sends the requests, with its hooks, mounts, authentication and certificates. Retries,
    streaming and errors stay those of this package. Or an object whose `call(body=…, run_manager=…)` sends the request
    and returns the response's body; it replaces them.

    It reads as an object that has `call` whatever was given: see ModelClient. `client` is what was given."""

    client: Any = Field(default=None, exclude=True, repr=False)
    """What `http_client` was given."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An httpx.AsyncClient for asynchronous calls. Without one, `http_client` serves them in threads."""

    credential: Any = Field(default=None, exclude=True, repr=False)
    """A credential of azure-identity, synchronous or not, whose tokens take the place of the key."""

    azure_ad_token_provider: Any = Field(default=None, exclude=True, repr=False)
    """A function that returns such tokens, synchronous or not: `get_bearer_token_provider(credential, scope)`."""

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

    total_timeout: float | None = None
    """Seconds that one request may take in all, however slowly its data comes."""

    headers: dict[str, Any] | None = Field(default=None, repr=False)
    """Headers of every request; also as `default_headers`. A value may be a key reference such as "env:NAME"."""

    key_header: str = ""
    """Name of the header that carries the key, for gateways that read another one than the endpoint's own."""

    verify: bool | str | None = None
    """A file or folder of CA certificates; False checks none; None trusts the operating system's."""

    proxy: str | None = None
    """URL of a proxy, or "none"; default: the environment's."""

    allow_http: bool = False
    """Whether the key may be sent over plain http, readable on its way."""

    temperature: float | None = Field(default=None, exclude=True, repr=False)
    """`model_kwargs["temperature"]`, to be read, assigned and made configurable."""

    max_tokens: int | None = Field(default=None, exclude=True, repr=False)
    """`model_kwargs["max_tokens"]`, likewise."""

    stop: list[str] | None = Field(default=None, exclude=True, repr=False)
    """`model_kwargs["stop"]`, likewise."""

    name: str | None = None
    """A name for traces and error messages."""

    _file: str = PrivateAttr(default="")  # the file that the model was made from, which the user may have to trust

    # hide_input_in_errors: a validation error would print all arguments, the key among them
    model_config = ConfigDict(
        protected_namespaces=(),
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # the texts below the fields, for the JSON schema and editors
    )

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
        for name in KWARG_FIELDS:  # they live in model_kwargs alone, so that there are no two values to disagree
            del self.__dict__[name]
        self.http_client = self.__dict__.pop("http_client") or self.client

    if not TYPE_CHECKING:  # a type checker must not take it for the type of every attribute

        def __getattr__(self, name: str) -> Any:
            if name in KWARG_FIELDS:
                return (self.model_kwargs or {}).get(name)
            if name == "http_client":
                return self.client if has_call(self.client) else ModelClient(self)
            return super().__getattr__(name)

    @hide_arguments
    def __setattr__(self, name: str, value: Any) -> None:
        if name in KWARG_FIELDS:
            kwargs = {**(self.model_kwargs or {}), name: value}
            name, value = "model_kwargs", {key: each for key, each in kwargs.items() if each is not None}
        elif name == "http_client":
            name, value = "client", value.given if isinstance(value, ModelClient) else value
        elif name in _CHECKED:
            value = _check_assigned(name, value)
        super().__setattr__(name, value)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON schema of the constructor's arguments, each with what it is for.

        Arguments that JSON cannot hold, such as callbacks, are left out.

        Args:
            *args: Those of pydantic's method: by_alias, ref_template, schema_generator, mode.
            **kwargs: Likewise, by name.
        """
        if len(args) < _GENERATOR_POSITION:
            kwargs.setdefault("schema_generator", FieldsOfJson)
        return super().model_json_schema(*args, **kwargs)

    @field_validator("headers")
    @classmethod
    def _hide_keys(cls, headers: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return as_headers(headers) or None

    @field_serializer("headers")
    def _without_keys(self, headers: Mapping[str, Any] | None) -> Mapping[str, str] | None:
        return without_secrets(headers)

    @model_validator(mode="before")
    @classmethod
    def _apply_defaults(cls, values: Any) -> Any:
        return apply_defaults(values) if isinstance(values, dict) else values

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; pydantic's own would store those that live elsewhere in vain."""
        moved = (*KWARG_FIELDS, "http_client")
        copied = super().model_copy(
            update={name: value for name, value in (update or {}).items() if name not in moved}, deep=deep
        )
        for name in moved:
            if name in (update or {}):
                setattr(copied, name, (update or {})[name])
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that uses the same clients, which cannot be copied."""
        shared = (self.client, self.http_async_client, self.credential, self.azure_ad_token_provider)
        return super().__deepcopy__({**(memo or {}), **{id(each): each for each in shared}})

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
        """What is written in other words: the formatter by its registered name, the headers without keys."""
        name = get_registered_name(self.content_formatter)
        headers = without_secrets(self.headers)
        return {**({"content_formatter": name} if name else {}), **({"headers": headers} if self.headers else {})}

    def __getstate__(self) -> dict[Any, Any]:
        """Return the state without the key, which the environment or `key` provides when it is loaded.

        Raises:
            TypeError: The model has an httpx client or a credential, which exists in this process alone.
        """
        if self.http_async_client is not None or not (self.client is None or has_call(self.client)):
            raise TypeError("A model with an httpx client cannot be pickled: make it in the process that uses it.")
        if self.credential is not None or self.azure_ad_token_provider is not None:
            raise TypeError(
                'A model with a credential cannot be pickled: use key="entra", or make it where it is used.'
            )
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "endpoint_api_key": SecretStr("")}}
