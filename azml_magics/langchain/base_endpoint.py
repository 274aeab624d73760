"""AzureMLBaseEndpoint: how a model sends its calls, and what LangChain caches and saves it by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from .. import documents
from ..core.client import AsyncClient, AsyncResponseStream, Client, ResponseStream, prepare
from ..core.config import LLMConfig
from ..core.errors import ConfigError, KeyNotFoundError
from ..core.http.exchange import HTTPResponse
from ..core.key_sources import token_source
from ..core.keys import KeyRef
from ..core.messages import Message
from ..core.paths import write_private
from ..core.response import Response
from ..core.tracing import without_spans
from ..core.version import __version__
from ..core.wire import wire_for
from .cache_identity import identify_client, identify_formatter
from .clients import Clients, Tokens, has_call
from .endpoint_client import send_body
from .endpoint_config import EndpointConfig
from .remedies import REMEDIES, langchain_remedies

_IDENTIFYING = ("endpoint_url", "endpoint_api_type", "model", "system", "api_version", "extra_parameters")
_NOT_SAVED = {*_IDENTIFYING, "content_formatter", "http_client", "call"}
_TOKENS = ("credential", "azure_ad_token_provider")
_KEYS = ("key", "endpoint_api_key", "api_key")
_RUNTIME = ("callbacks", "callback_manager", "cache", "rate_limiter", "client", "http_async_client", *_TOKENS)


class AzureMLBaseEndpoint(EndpointConfig):
    """What both model classes share: an endpoint, its key, its formatter and the model kwargs.

    Every field is optional when the object is made or saved. A call raises ConfigError for what is missing.
    """

    _clients: Clients = PrivateAttr(default_factory=Clients)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with langchain_remedies():
            if self.http_async_client is not None:
                self._async_client()
            if self.client is not None and not has_call(self.client):
                self._sync_client()
        self._check_network()
        self._check_tokens(kwargs)

    def _check_tokens(self, given: Mapping[str, Any]) -> None:
        """Raise ConfigError if the tokens are none, or if a key was given beside them."""
        with langchain_remedies():
            tokens = token_source(self.credential, self.azure_ad_token_provider)
        names = [name for name in (*_TOKENS, *_KEYS) if given.get(name)]
        if tokens is not None and len(names) > 1:
            raise ConfigError(
                f"{' and '.join(names)} are both given, and only one of them can be sent",
                remedy="Leave one of them out.",
                error_code="two-credentials",
            )

    def _check_network(self) -> None:
        """Raise ConfigError for settings of connections that the user's own client makes."""
        given = [name for name in ("verify", "proxy") if getattr(self, name) is not None]
        if given and (self.client is not None or self.http_async_client is not None):
            raise ConfigError(
                f"{' and '.join(given)} would have no effect: the http_client makes the connections",
                remedy=REMEDIES["http-client-network"],
                error_code="http-client-network",
            )

    def model_post_init(self, context: Any, /) -> None:
        """Make the private attributes, as pydantic does, and what LangChain's own classes make here."""
        super().model_post_init(context)
        if add_version := getattr(self, "_add_version", None):  # langchain-core 1.x puts versions into traces
            add_version("azml-magics", __version__)

    @property
    def needs_langchain(self) -> bool:
        """Whether calls do more than `to_config` says: they use callbacks, a cache, a rate limiter or a client."""
        given = (getattr(self, name, None) for name in _RUNTIME)
        return type(self).__module__.split(".")[0] != __name__.split(".")[0] or any(
            each is not None and each != [] for each in given
        )

    @langchain_remedies()
    def _send(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        """Return the response, through the core's client or the user's own object with `call`."""
        if has_call(self.client):
            return self._send_through_call(config, prompt, run_manager)
        client = self._sync_client()
        self._check_key(config, client)
        with without_spans():
            return client.invoke(config, prompt)

    async def _asend(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any = None) -> Response:
        if self._runs_in_threads:
            return await asyncio.to_thread(self._send, config, prompt, run_manager)
        with langchain_remedies():
            client = self._async_client()
            self._check_key(config, client)
            with without_spans():
                return await client.invoke(config, prompt)

    def _open_stream(self, config: LLMConfig, prompt: str | Sequence[Message]) -> ResponseStream:
        client = self._sync_client()
        self._check_key(config, client)
        with without_spans():
            return client.stream(config, prompt)

    def _open_astream(self, config: LLMConfig, prompt: str | Sequence[Message]) -> AsyncResponseStream:
        client = self._async_client()
        self._check_key(config, client)
        with without_spans():
            return client.stream(config, prompt)

    @langchain_remedies()
    def _can_stream(self, config: LLMConfig) -> bool:
        """Return whether the response can be streamed."""
        return not has_call(self.client) and wire_for(config).streams(config)

    @property
    def _runs_in_threads(self) -> bool:
        """Whether asynchronous calls run in threads: a synchronous client was given, and no other one can send them."""
        can_send = self.http_async_client is not None and bool(self.endpoint_url)
        return self.client is not None and not can_send

    @property
    def _tokens(self) -> Tokens:
        return self.credential, self.azure_ad_token_provider

    def _sync_client(self) -> Client:
        return self._clients.sync(self.client, self.http_async_client, self._tokens)

    def _async_client(self) -> AsyncClient:
        return self._clients.asynchronous(self.http_async_client, self._tokens)

    def send_body(self, body: bytes, timeout: float | None = None) -> bytes:
        """Send a request body as it is and return the response body.

        Args:
            body: The request body.
            timeout: Seconds without data before giving up, in place of this endpoint's.

        Raises:
            AzmlError: The call failed.
        """
        config = self.to_config()
        config = config.merged(
            endpoint_url=wire_for(config).url(config, stream=False) if config.formatter else config.endpoint_url,
            endpoint_api_type=config.endpoint_api_type,
            timeout=timeout or config.timeout,
        )
        return send_body(self._sync_client(), config, body)

    def _send_through_call(self, config: LLMConfig, prompt: str | Sequence[Message], run_manager: Any) -> Response:
        prepared = prepare(config, prompt, with_key=False)
        options = {"timeout": config.timeout} if config.timeout != self.timeout else {}
        start = time.perf_counter()
        reply = self.client.call(body=prepared.request.body, run_manager=run_manager, **options)
        body = reply.encode() if isinstance(reply, str) else bytes(reply)
        return prepared.decode(HTTPResponse(200, {}, body), time.perf_counter() - start)

    def _check_key(self, config: LLMConfig, client: Client | AsyncClient) -> None:
        key = config.key
        if self._tokens != (None, None) or client.is_replaying:
            return
        if isinstance(key, KeyRef) and key.is_found() is False:
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
        if has_call(self.client):
            params["http_client"] = identify_client(self.client)
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
        write_private(path, text.encode())
