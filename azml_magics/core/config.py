"""LLMConfig: what to call and how, frozen, checked when made, with per-call overrides that never stick."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence  # noqa: TC003 - get_type_hints() needs them
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from . import endpoints
from .config_values import read_api_type, read_kwargs, read_mapping, read_seconds, read_verify
from .embedded_keys import check_kwargs, check_query, references_in, references_in_query
from .errors import ConfigError
from .headers import HeaderValue, as_headers, check_name, is_secret, merge_headers
from .hidden_arguments import hide_arguments, hide_constructor_arguments
from .key_sources import NO_KEY, CredentialKey, KeySource, TokenCredential
from .keys import DEFAULT_KEY, KeyRef, key_source
from .messages import Message  # noqa: TC001 - get_type_hints() needs it
from .pricing import PriceSource, read_price
from .proxy_url import check_proxy
from .response import Response  # noqa: TC001 - get_type_hints() needs it
from .secret import Secret
from .text import did_you_mean

# Longer than the longest a managed endpoint works on one request (request_timeout_ms: at most 180 s).
DEFAULT_TIMEOUT: Final = 190.0
DEFAULT_MAX_RETRIES: Final = 2
EXTRA_PARAMETERS: Final = ("error", "drop", "pass-through")
_TEXTS: Final = ("name", "endpoint_url", "deployment_name", "key_header", "file")
_TEXTS_OR_NONE: Final = ("system", "model", "api_version", "proxy")


class Unset(enum.Enum):
    """The type of UNSET, which tells "not given" from None."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return self.value


UNSET: Final = Unset.UNSET


@hide_constructor_arguments
@dataclass(frozen=True)
class LLMConfig:
    """An endpoint, and how to call it. It cannot be changed; `merged` returns a changed copy.

    Args:
        name: The session's name for it; "" if unnamed.
        endpoint_url: URL of the endpoint, with or without a route. A key in its query is a reference, such as
            `?code=env:NAME`.
        endpoint_api_type: "dedicated" (online endpoint, `/score`) or "serverless" (OpenAI-like); default: the URL's
            type. "realtime", LangChain's deprecated word for dedicated, is accepted.
        formatter: A registered name ("openai-chat", "gpt2", …) or a formatter object; "" uses the route's formatter.
        deployment_name: Pins one deployment (header azureml-model-deployment); on Foundry and /openai/v1 the model.
        key: A KeyRef or its text, such as "env:NAME"; a Secret or a credential of azure-identity, which stay in this
            process; None or "none" for no key.
        model_kwargs: Parameters that every call sends to the model. A key among them is a reference ("env:NAME").
        system: System message, or None.
        model: Name of the model, for routes that need it in the body.
        api_version: The query's api-version; default: the documented one of services that require one.
        extra_parameters: What an Inference API route does with kwargs that it does not know: "error", "drop" or
            "pass-through"; None passes them through if there are any.
        timeout: Seconds without data before giving up.
        max_retries: Retries after a temporary failure.
        total_timeout: Seconds that one request may take in all, however slowly its data comes; None for no limit.
        headers: Sent with every request, over those of the wire format. A value may be a key reference ("env:NAME" or
            a KeyRef), which is resolved when the request is sent; one that looks like a key stays in this process.
        key_header: Name of the header that carries the key, as it is, without "Bearer"; "" for the endpoint's own.
        verify: A file or folder of CA certificates; False checks none; None trusts the operating system's.
        proxy: URL of a proxy, "env:NAME" for a variable that holds it, or "none"; None for the environment's.
        allow_http: Whether the key may be sent over plain http, readable on its way.
        price: What a million tokens cost, as a Price or as "INPUT,OUTPUT" or "INPUT,OUTPUT,CACHED"; None if you do not
            know. It is never sent.
        extras: Keys of a loaded document that azml_magics does not use; saved again with it.
        file: The file that the config comes from, if another person may have written it. Its keys are sent once the
            user trusts it with them; see `trust`.

    Raises:
        ConfigError: A field has a wrong type or value.
    """

    name: str = ""
    endpoint_url: str = ""
    endpoint_api_type: str = ""
    formatter: Any = ""
    deployment_name: str = ""
    key: KeyRef | Secret | KeySource | TokenCredential | str | None = field(
        default_factory=lambda: KeyRef.parse(DEFAULT_KEY)
    )
    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    model: str | None = None
    api_version: str | None = None
    extra_parameters: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES
    total_timeout: float | None = None
    headers: Mapping[str, HeaderValue] = field(default_factory=dict)
    key_header: str = ""
    verify: bool | str | None = None
    proxy: str | None = None
    allow_http: bool = False
    price: PriceSource = None
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)
    file: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the dataclass is frozen; this is its constructor's last step
        _check_types(self)
        set_field(self, "endpoint_url", self.endpoint_url.strip())
        if self.endpoint_url:
            check_query(self.endpoint_url)
            endpoints.split(self.endpoint_url)
        set_field(self, "endpoint_api_type", read_api_type(self.endpoint_api_type, self.endpoint_url))
        set_field(self, "key", _key(self.key))
        kwargs = read_kwargs(self.model_kwargs)
        check_kwargs(kwargs)
        set_field(self, "model_kwargs", MappingProxyType(kwargs))
        set_field(self, "extras", MappingProxyType(dict(read_mapping("extras", self.extras))))
        set_field(self, "timeout", read_seconds("timeout", self.timeout))
        if self.total_timeout is not None:
            set_field(self, "total_timeout", read_seconds("total_timeout", self.total_timeout))
        set_field(self, "headers", MappingProxyType(merge_headers(as_headers(self.headers))))
        if self.key_header:
            check_name(self.key_header, "key_header")
        set_field(self, "verify", read_verify(self.verify))
        if self.proxy is not None:
            set_field(self, "proxy", check_proxy(self.proxy) or None)
        set_field(self, "price", read_price(self.price))
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int) or self.max_retries < 0:
            raise ConfigError(f"max_retries must be 0 or a positive integer, not {self.max_retries!r}")
        if self.extra_parameters not in (None, *EXTRA_PARAMETERS):
            raise ConfigError(
                f"extra_parameters must be one of {', '.join(EXTRA_PARAMETERS)}, not {self.extra_parameters!r}"
            )

    @cached_property
    def key_source(self) -> KeySource:
        """Where the key comes from."""
        assert not isinstance(self.key, str | TokenCredential)
        return key_source(self.key)

    @cached_property
    def header_sources(self) -> Mapping[str, KeySource]:
        """Where the keys in `headers` come from, by the header's name."""
        return {name: key_source(value) for name, value in self.headers.items() if not isinstance(value, str)}

    @cached_property
    def embedded_sources(self) -> Mapping[str, KeySource]:
        """Where the keys come from that the URL's query and the model kwargs refer to, by the reference."""
        references = (*references_in_query(self.endpoint_url), *references_in(self.model_kwargs))
        return {reference: key_source(KeyRef.parse(reference)) for reference in references}

    @cached_property
    def all_key_sources(self) -> tuple[KeySource, ...]:
        """Where the keys come from that requests carry, in whatever place; () without one."""
        own = () if self.key is None else (self.key_source,)
        return (*own, *self.header_sources.values(), *self.embedded_sources.values())

    @hide_arguments
    def merged(
        self,
        model_kwargs: Mapping[str, Any] | Unset = UNSET,
        headers: Mapping[str, Any] | Unset = UNSET,
        **changes: Any,
    ) -> LLMConfig:
        """Return a copy with some fields changed.

        Args:
            model_kwargs: Merged into this config's kwargs; a kwarg with the value UNSET is removed.
            headers: Merged into this config's headers; one with the value "none" is removed.
            changes: Other fields; a field with the value UNSET keeps its value.

        Raises:
            ConfigError: There is no such field, or a value is wrong.
        """
        given = {name: value for name, value in changes.items() if value is not UNSET}
        _check_names(given)
        if "endpoint_url" in given and "endpoint_api_type" not in given:
            given["endpoint_api_type"] = ""  # another URL may be of another type
        if model_kwargs is not UNSET:
            over = {**self.model_kwargs, **model_kwargs}
            given["model_kwargs"] = {key: value for key, value in over.items() if value is not UNSET}
        if headers is not UNSET:
            given["headers"] = merge_headers(self.headers, headers)
        return replace(self, **given)

    def as_target(
        self, prompt: str | Sequence[Message] = "{query}", send: Callable[..., Response] | None = None
    ) -> Callable[..., dict[str, Any]]:
        """Return a function that sends the prompt with a row's values, for other evaluation tools.

        azure-ai-evaluation takes it as `evaluate(target=...)`, MLflow as `mlflow.genai.evaluate(predict_fn=...)`. Its
        arguments are the prompt's variables, by which those tools find the columns.

        Args:
            prompt: A text or messages with `{column}`s.
            send: What sends a config and a prompt: the `invoke` of a Client; by default `azml_magics.invoke`.

        Returns:
            A function that returns a dict of `response`, `latency` (seconds) and the token counts.

        Raises:
            PromptError: The prompt has no variable.

        Examples:
            >>> ask = config.as_target("Glad or cross? {letter}")
            >>> ask(letter="Thank you!")["response"]
            'glad'
        """
        # The client is built on the config, which therefore cannot import it by name.
        make_target = import_module(".target", __package__).make_target
        target: Callable[..., dict[str, Any]] = make_target(self, prompt, send)
        return target

    def __reduce__(self) -> tuple[Any, ...]:
        state = {f.name: getattr(self, f.name) for f in fields(self)}
        state |= {name: dict(state[name]) for name in ("model_kwargs", "headers", "extras")}
        return _rebuild, (state,)

    def __hash__(self) -> int:
        return hash((self.name, self.endpoint_url, self.deployment_name, str(self.formatter)))


def takes_key_elsewhere(config: LLMConfig, changed: LLMConfig, *, by_line: bool = False) -> bool:
    """Return whether `changed`, a copy of `config`, would send the same key to another host, in whatever header.

    This machine does not count as another host. Neither does a prompted key, which is typed for each host.

    Args:
        config: The config.
        changed: The copy.
        by_line: Whether the user named the copy's key for it, so that only the headers count.
    """
    home, there = (endpoints.Origin.of(each.endpoint_url) for each in (config, changed))
    if not home or not there or there.is_loopback or (home.host, home.port) == (there.host, there.port):
        return False
    same_key = config.key and config.key == changed.key and not config.key_source.is_prompted
    kwargs = set(references_in(config.model_kwargs)) & set(references_in(changed.model_kwargs))
    return bool((same_key and not by_line) or kwargs) or any(
        is_secret(value) and changed.headers.get(name) == value for name, value in config.headers.items()
    )


def _key(given: KeyRef | Secret | KeySource | TokenCredential | str | None) -> KeyRef | Secret | KeySource | None:
    if isinstance(given, TokenCredential):
        return CredentialKey(given)
    if not isinstance(given, str):
        return given
    return None if given.strip() == NO_KEY else KeyRef.parse(given)


def _rebuild(state: dict[str, Any]) -> LLMConfig:
    return LLMConfig(**state)


def _check_names(given: Mapping[str, Any]) -> None:
    known = [f.name for f in fields(LLMConfig)]
    for name in given:
        if name not in known:
            raise ConfigError(f"A config has no field {name!r}", remedy=did_you_mean(name, known).strip())


def _check_types(config: LLMConfig) -> None:
    """Raise ConfigError if a field has a wrong type, or a value that cannot be sent."""
    for name in (*_TEXTS, *_TEXTS_OR_NONE):
        value = getattr(config, name)
        if not (isinstance(value, str) or (value is None and name in _TEXTS_OR_NONE)):
            raise ConfigError(f"{name} must be a string, not {type(value).__name__}")
    if not isinstance(config.allow_http, bool):
        raise ConfigError(f"allow_http must be True or False, not {config.allow_http!r}")
    if not (config.deployment_name.isascii() and config.deployment_name.isprintable()):
        raise ConfigError(
            "deployment_name contains characters that HTTP headers do not allow", remedy="Copy it from the studio."
        )
    if not isinstance(config.key, KeyRef | Secret | KeySource | TokenCredential | str | None):
        raise ConfigError(
            f"key must be a key reference, not {type(config.key).__name__}", remedy="Write it as env:NAME, for example."
        )
