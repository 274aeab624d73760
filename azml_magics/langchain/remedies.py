"""Remedies in the words of the LangChain classes: their constructor arguments. One table, from code to remedy.

A remedy is a template over the error's facts (`str.format`). Codes that are not here keep the error's own remedy.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import AzmlError, Interrupted, remedy_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REMEDIES: Mapping[str, str] = {
    "api-version": "Pass one that it knows as api_version=…, or an endpoint_url that needs none, such as /openai/v1.",
    "authentication": "Check that endpoint_api_key belongs to this endpoint and has not been regenerated or "
    "expired{or_role}.",
    "certificate-self-signed": "If it is your server, pass verify=FILE with its certificate (a PEM file), "
    "or set SSL_CERT_FILE.",
    "certificate-untrusted": "If your company's network inspects TLS, or the server has a CA of its own, "
    "pass verify=FILE with the CA, or set SSL_CERT_FILE.",
    "chat-kwarg": "{param} belongs to chat routes, and this request went elsewhere: remove it, or pass the "
    "deployment's /v1/chat/completions as endpoint_url=….",
    "embeddings-model": "Pass deployment_name=… of a chat model.",
    "entra-only": 'A Foundry project accepts no key: pass key="entra".',
    "flow-output": 'Name it in the formatter, such as content_formatter="promptflow(output=NAME)".',
    "formatter-api-type": "Pass another content_formatter or endpoint_api_type.",
    "formatter-route": "Its routes are {routes}. Pass another content_formatter or endpoint_url.",
    "gateway-key-missing": "Name that header, often Ocp-Apim-Subscription-Key or api-key: "
    "pass key_header=…, or another key in headers=….",
    "http-client-kind": "Pass an httpx.Client as http_client, and an httpx.AsyncClient as http_async_client.",
    "http-client-network": "Leave out verify and proxy, and set them on the httpx client.",
    "key-auth-disabled": 'Pass key="entra".',
    "key-in-kwargs": "Pass the endpoint's key as endpoint_api_key=…, or write where to find this one, env:NAME.",
    "key-over-http": 'Use https://, key="none" if the server needs no key, '
    "or allow_http=True if you trust the network.",
    "key-variable-not-set": 'Set it, pass endpoint_api_key=…, or name where the key is, such as key="entra".',
    "max-tokens-renamed": "Pass max_completion_tokens in model_kwargs in its place.",
    "no-audio": 'Use a deployment that takes audio, with content_formatter="openai-chat".',
    "no-data": "Pass a larger timeout=…, request fewer tokens, or stream. "
    "It was not sent again: the model may still be working on it.",
    "no-deployment": "Give a deployment traffic, or pass deployment_name=….",
    "no-endpoint-url": "Pass endpoint_url=…, or set AZUREML_ENDPOINT_URL.",
    "no-formatter": "Pass content_formatter=…, such as CustomOpenAIContentFormatter() or GPT2ContentFormatter().",
    "no-key-sent": "The request had no key: pass endpoint_api_key=….",
    "no-model": "This endpoint serves several models and the request names none: pass deployment_name=… or model=….",
    "no-such-deployment": "Check deployment_name and model. A new deployment takes up to five minutes.",
    "no-text": "Pass the content_formatter of this deployment, or write one of your own.",
    "placeholder-url": "The URL looks like a placeholder: pass the endpoint's own as endpoint_url=….",
    "proxy-timeout": "Check proxy=… or HTTPS_PROXY; NO_PROXY names hosts that need none.",
    "proxy-unusable": "Check proxy=… or HTTPS_PROXY; NO_PROXY names hosts that need none.",
    "quota-per-minute": "Wait, lower max_concurrency, or raise the deployment's quota.",
    "request-rejected": "Check model_kwargs and content_formatter.",
    "stream-event-not-json": "Try again, or with streaming=False.",
    "text-only-formatter": "Use CustomOpenAIChatContentFormatter with a deployment that takes images.",
    "total-timeout": "Pass a larger total_timeout=….",
    "unknown-formatter": "{hint} {known} Register your own with azml_magics.register_formatter, or pass the object.",
    "untrusted-config": "Check the file. If you trust it, call azml_magics.trust(model), or name the file in "
    "AZML_TRUSTED_FILES.",
    "url-with-password": "Pass the key as endpoint_api_key=….",
    "token-expired": 'Pass key="entra" or key="aml-token": they renew their tokens by themselves.',
    "token-tenant": 'Sign in to the resource\'s tenant, or name it: key="entra:tenant=TENANT".',
    "wrong-audience": 'This host takes tokens of the scope {scope}: key="{reference}" requests one.',
    "wrong-formatter": "Its formatter is probably another one: pass another content_formatter, and check model_kwargs.",
    "wrong-wire": 'Pass content_formatter="{formatter}".',
}


@contextmanager
def langchain_remedies() -> Iterator[None]:
    """Give the errors that leave this block the remedies of the LangChain classes."""
    try:
        yield
    except (AzmlError, Interrupted) as error:
        error.remedy = remedy_from(REMEDIES, error)
        raise
