"""Remedies in the panel's words: names of its fields and buttons. One table, from an error's code to its remedy.

A remedy is a template over the error's facts (`str.format`). Codes that are not here keep the error's own remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import AzmlError, Interrupted, remedy_from
from azml_magics.display.cell_commands import as_cell_commands

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRONG_KEY = "Check the key, and that it belongs to this endpoint."
_NO_KEY = "Set it before starting Jupyter, or type the key into the API key field."
_VARIABLE = "Type a value into its field, or define it in the notebook; {{{{{param}}}}} is literal."

REMEDIES: Mapping[str, str] = {
    "api-version": "Type one that it knows into API version, under Endpoint, or a URL that needs none, such as "
    "/openai/v1.",
    "authentication": _WRONG_KEY,
    "chat-kwarg": "{param} belongs to chat routes, and this request went elsewhere: remove it, or type the URL of the "
    "deployment's /v1/chat/completions.",
    "certificate-self-signed": "If it is your server, name its certificate (a PEM file) in SSL_CERT_FILE.",
    "certificate-untrusted": "If your company's network inspects TLS, or the server has a CA of its own, name the CA "
    "file in SSL_CERT_FILE.",
    "config-without-url": "Type its URL, under Endpoint.",
    "custom-formatter-api-type": "Choose another Type, under Endpoint.",
    "embeddings-model": "Type another Deployment, one with a chat model, under Endpoint.",
    "entra-only": "A Foundry project accepts no key: write entra as Key.",
    "flow-output": "Choose a Formatter that names the flow's output.",
    "formatter-api-type": "Choose another Formatter, such as openai-chat or openai, or another Type.",
    "formatter-route": "Its routes are {routes}. Choose another Formatter, or type another URL.",
    "formatter-without-name": "Register it in the notebook with azml_magics.register_formatter, and choose it as "
    "Formatter.",
    "gateway-key-missing": "The config has to name that header; often it is Ocp-Apim-Subscription-Key or api-key.",
    "interrupted": "The text received so far is kept.",
    "key-auth-disabled": "Write entra as Key.",
    "key-in-memory": "Write a reference as Key, such as env:NAME.",
    "key-not-found": _NO_KEY,
    "key-in-kwargs": "Type the endpoint's key into the API key field, or write where to find this one, env:NAME.",
    "key-in-url": "Write where to find it, env:NAME, in its place.",
    "key-over-http": "Type an https:// URL, or choose none as Key if the server needs no key.",
    "key-prompt-impossible": _NO_KEY,
    "key-refused": "Write env:NAME, keyring:SERVICE/NAME, entra, ask or none.",
    "key-variable-not-set": _NO_KEY,
    "keyring-unreadable": _NO_KEY,
    "max-tokens-renamed": "Use max_completion_tokens in its place.",
    "no-config": "Press New.",
    "no-data": "Raise the Timeout, under Endpoint, or request fewer tokens. "
    "It was not sent again: the model may still be working on it.",
    "no-deployment": "Give a deployment traffic, or type one into Deployment, under Endpoint.",
    "no-endpoint-url": "Type its URL, or choose a config.",
    "no-formatter": "Choose a Formatter.",
    "no-key-sent": "The request had no key: type it into the API key field.",
    "no-key-typed": "Type it into the API key field.",
    "no-model": "This endpoint serves several models and the request names none: type the Deployment or the Model, "
    "under Endpoint.",
    "no-prompt": "Type a prompt.",
    "no-such-deployment": "Check the Deployment or the Model, under Endpoint. "
    "A new deployment takes up to five minutes.",
    "overwrite": "Choose another path.",
    "placeholder-url": "The URL looks like a placeholder: type the endpoint's own.",
    "schema": "Press Repair to ask again, saying what is wrong with it.",
    "stream-interrupted": "The text received so far is kept. Run it again, or raise the "
    "deployment's request_timeout_ms.",
    "undefined-column": _VARIABLE,
    "undefined-variable": _VARIABLE,
    "unknown-path": "{notice} Check the URL.",
    "untrusted-config": "Check the file. If you trust it, press Trust, or run azml_magics.trust({param!r}) in a cell.",
    "url-with-password": "Name the key in the Key field instead.",
    "token-expired": "Write entra or aml-token as Key: they renew their tokens by themselves.",
    "token-tenant": "Sign in to the resource's tenant: az login --tenant, with its id.",
    "wrong-audience": "This host takes tokens of the scope {scope}: write {reference} as Key.",
    "wrong-wire": "Choose {formatter} as Formatter.",
}


def panel_remedy(error: AzmlError | Interrupted) -> str:
    """Return the remedy of `error` in the panel's words; "" if there is none."""
    return as_cell_commands(remedy_from(REMEDIES, error))
