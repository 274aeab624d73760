"""Remedies in the notebook's words: options, verbs and variables. One table, from an error's code to its remedy.

A remedy is a template over the error's facts (`str.format`). Codes that are not here keep the error's own remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from azml_magics.core.errors import AzmlError, Interrupted, remedy_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.compare.comparison import Batch
    from azml_magics.rows.failures import Retry

REMEDIES: Mapping[str, str] = {
    "api-version": "Set one that it knows with --api-version, or use a --url that needs none, such as /openai/v1.",
    "authentication": "Check that the key belongs to this endpoint and has not been regenerated or expired{or_role} "
    "(%azureml test).",
    "body-not-text": "Use --as python.",
    "chat-kwarg": "{param} belongs to chat routes, and this request went elsewhere: remove it, or give "
    "--url the deployment's /v1/chat/completions.",
    "certificate-self-signed": "If it is your server, name its certificate (a PEM file) with --verify FILE or in "
    "SSL_CERT_FILE.",
    "certificate-untrusted": "If your company's network inspects TLS, or the server has a CA of its own, name the CA "
    "file with --verify FILE or in SSL_CERT_FILE.",
    "config-not-kept": "Set XDG_CONFIG_HOME to a folder that you can write to, or write a file of your own: "
    "%azureml export {param} FILE.json.",
    "config-without-url": "%azureml save {param} --url URL gives it one.",
    "custom-formatter-api-type": "Add the type to its supported_api_types, or set --type.",
    "embeddings-model": "Use -f embeddings, or a deployment with a chat model (--deployment).",
    "empty-object": "Look at the deployment's logs; check that the formatter matches the deployment (%azureml test).",
    "empty-sweep": "Write --sweep temperature=0,0.5,1.",
    "entra-only": "A Foundry project accepts no key: use --key entra.",
    "evaluation-failed": "The evaluation is shown above; -o NAME keeps it.",
    "flow-output": "Name it in the formatter, such as -f promptflow(output=NAME).",
    "formatter-api-type": "Choose another formatter with -f, such as openai-chat or openai, or set --type.",
    "formatter-not-importable": "Use --as curl, or make it a class at the top level of a module that "
    "needs no arguments.",
    "formatter-raised": "Fix the formatter; %azureml last shows what the endpoint sent.",
    "formatter-route": "Its routes are {routes}: choose another formatter with -f or another --url.",
    "formatter-without-name": 'Register it first: azml_magics.register_formatter("my-name", formatter), '
    "then save with -f my-name.",
    "gateway-key-missing": "Name that header, often Ocp-Apim-Subscription-Key or api-key: --key-header NAME, or put "
    "another key into it: --header NAME=env:VARIABLE.",
    "header-key-not-found": "Provide it, or name another source: --header {param}=env:NAME (--header {param}=none "
    "leaves the header out).",
    "interrupted": "%azureml last shows what had arrived.",
    "key-in-kwargs": "Name the endpoint's key with --key, or write where to find this one: {param}=env:NAME.",
    "key-in-url": "Write where to find it, {param}=env:NAME{hint}.",
    "key-in-memory": "Name a reference first, %azureml save {param} --key env:NAME, or store the key: "
    "%azureml key set keyring:SERVICE/NAME.",
    "key-over-http": "Use https://, --key none if the server needs no key, or --allow-http if you trust the network.",
    "key-auth-disabled": "Use --key entra.",
    "key-prompt-impossible": "Use --key env:NAME or --key keyring:SERVICE/NAME.",
    "key-variable-not-set": "Set it before starting Jupyter, or here with "
    "`import os, getpass; os.environ['{param}'] = getpass.getpass()`, "
    "or name another source: --key ask, --key keyring:SERVICE/NAME, --key entra (--key none sends no key).",
    "keyring-empty": "Store it: %azureml key set {param}",
    "keyring-unreadable": "Unlock it, or use --key env:NAME or --key ask.",
    "no-keyring": "On a server there is often none: use --key env:NAME or --key ask; or install keyrings.alt, whose "
    "encrypted file is a keyring, and choose it with PYTHON_KEYRING_BACKEND.",
    "no-azure-cli": "Install it and run {login}, or use --key entra:device.",
    "not-signed-in": "Run {login} in a terminal, or use --key entra:device.",
    "no-token": "Sign in with {login}, or name another way, such as --key entra:cli or --key entra:device.",
    "sign-in-interactive": "Sign in again with {login}, or with --key entra:browser or --key entra:device.",
    "max-tokens-renamed": "Use -p max_completion_tokens=N in its place.",
    "no-config": "Run `%azureml demo` to try without an account, or `%azureml save NAME --url URL -f FORMATTER`.",
    "no-dask-client": "Make one, client = dask.distributed.Client(), and pass it with --dask-client $client.",
    "no-data": "Raise --timeout (now {timeout:g}), ask for fewer tokens, or stream. "
    "The request was not repeated: the model may still be working on it.",
    "no-deployment": "Give a deployment traffic, or name one with --deployment.",
    "no-endpoint-url": "Give one with --url, save a config with one, or set AZUREML_ENDPOINT_URL.",
    "no-formatter": "Choose one with -f: {known}.",
    "no-journal": "Name it with --journal.",
    "runnable-cluster": "Use a config, or send collected rows and leave out --dask-client.",
    "runnable-prompt": "Write one in the cell, with {NAME} where a value of the row belongs.",
    "runnable-variable": "Leave out the cell's body, and each row fills the variables; or rename a column.",
    "spark-max-tokens": "Leave out --max-tokens-total, or set --limit.",
    "spark-option": "Leave out --dask-client.",
    "spark-parallelism": "Set spark.default.parallelism to it, or leave out --rpm and --tpm.",
    "no-key-sent": "The request had no key: name one with --key, such as --key env:NAME or --key ask.",
    "no-key-typed": "Run the cell again and type it, or use --key env:NAME.",
    "no-langchain-embeddings": "Use --as python.",
    "no-sdk": "Use --as python, which has every formatter.",
    "no-sdk-model": "Name one with --model, or use --as python.",
    "other-sdk": "Use --as {sdk}.",
    "no-model": "This endpoint serves several models and the request names none: name the deployment with "
    "--deployment, or the model with --model.",
    "no-prompt": "Write one under %%azureml.",
    "no-such-deployment": "Check --deployment and --model. A new deployment takes up to five minutes.",
    "no-text": "Choose the formatter of this deployment with -f (`%azureml help formatters`), "
    "or register one of your own: azml_magics.register_formatter.",
    "not-a-cassette": "Check the path, or record to a new file with %azureml record FILE.",
    "not-a-config": "{hint} A saved config is what LangChain's AzureMLOnlineEndpoint.save() or "
    "`%azureml export` writes.",
    "not-acceptable": "Ask for the whole response with --no-stream.",
    "not-recorded": "Record it (%azureml record FILE), or end the replay (%azureml stop-recording).",
    "overwrite": "Choose another path, or -f to overwrite it.",
    "parameters-rejected": "Remove or correct the parameter it names (--dry-run shows the request).",
    "placeholder-url": "The URL looks like a placeholder: give the endpoint's own with --url.",
    "request-rejected": "Check the model kwargs and the formatter (--dry-run).",
    "row-schema": "Its text is kept; --retry-failed sends the failed rows of a journal again.",
    "schema": "It is kept in %azureml last; %azureml repair asks once more, saying what was wrong.",
    "sdk-embedded-key": "Use --as python.",
    "stream-event-not-json": "Try again, or with --no-stream.",
    "stream-interrupted": "What had arrived is kept (%azureml last). Try again, or raise the deployment's "
    "request_timeout_ms.",
    "text-only-formatter": "Use -f openai-chat with a deployment that takes images.",
    "proxy-authentication": "Put them into its URL, http://USER:PASSWORD@HOST:PORT, in HTTPS_PROXY or in a variable: "
    "--proxy env:NAME.",
    "proxy-timeout": "Check --proxy or HTTPS_PROXY; NO_PROXY names hosts that need none.",
    "proxy-unusable": "Check --proxy or HTTPS_PROXY; NO_PROXY names hosts that need none.",
    "undefined-column": "{hint} Name a column, define it (a cell takes --var {param}=…, map_rows variables), "
    "or write {{{{{param}}}}} for literal braces.",
    "undefined-variable": "{hint} Define it, pass --var {param}=…, write {{{{{param}}}}} for literal braces, "
    "or use -t none to send the prompt untouched.",
    "unknown-config": "{hint} {known} `%azureml save NAME --url URL` makes one.",
    "unknown-formatter": "{hint} {known} Register your own with azml_magics.register_formatter, or pass -f $object.",
    "unknown-subscription": "{hint} {known} If it is in another tenant, add --tenant.",
    "unknown-path": "{notice} Check --url.",
    "untrusted-config": "Check the file. If you trust it: %azureml trust {param}",
    "url-with-password": "Name the key with --key instead.",
    "variable-without-text": "Pass a text with --var {param}=….",
    "token-expired": "Get a new one: --key entra and --key aml-token renew theirs by themselves.",
    "token-tenant": "Sign in to the resource's tenant, or name it: --key entra:tenant=TENANT.",
    "wrong-audience": "This host takes tokens of the scope {scope}: --key {reference} requests one.",
    "workspace-file": "Download it again (the workspace's page in the studio: Download config file), or name the "
    "workspace with --workspace, --resource-group and --subscription.",
    "wrong-tenant": "Use --tenant {tenant}, or sign in with `az login --tenant {tenant}`.",
    "wrong-formatter": "It probably needs another formatter: try -f with another name. Check the model kwargs, too.",
    "wrong-wire": "Use -f {formatter}.",
}

FAILED_ROWS = "To send them again: failed = {selection}, then --each $failed."
FAILED_ROWS_UNNAMED = "To send them again: out = _.to_table(); failed = {selection}; then --each $failed."
FAILED_ROWS_JOURNAL = "The same cell with --retry-failed sends them again."

_Error = TypeVar("_Error", bound=AzmlError | Interrupted)
_Batch = TypeVar("_Batch", bound="Batch")


def with_notebook_remedy(error: _Error) -> _Error:
    """Replace the remedy of `error` by the notebook's, and return the error."""
    from azml_magics.display.cell_commands import as_cell_commands

    error.remedy = as_cell_commands(remedy_from(REMEDIES, error))
    return error


def notebook_line(error: AzmlError) -> str:
    """Return `error` as one line with the notebook's remedy."""
    return str(with_notebook_remedy(error))


def retry_line(retry: Retry, name: str | None) -> str:
    """Return how failed rows are sent again.

    Args:
        retry: What their run knows of it.
        name: The variable with the table; None if there is none.
    """
    if retry.has_journal:
        return FAILED_ROWS_JOURNAL
    return (FAILED_ROWS if name else FAILED_ROWS_UNNAMED).format(selection=retry.select_from(name or "out"))


def with_notebook_remedies(batch: _Batch) -> _Batch:
    """Replace the remedies of the errors in the rows of a batch, and return the batch."""
    for row in batch:
        if isinstance(row.error, AzmlError | Interrupted):
            with_notebook_remedy(row.error)
    return batch
