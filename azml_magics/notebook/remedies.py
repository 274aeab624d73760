"""Remedies in the notebook's words: options, verbs and variables. One table, from an error's code to its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from azml_magics.core.errors import AzmlError, Interrupted, remedy_from

if TYPE_CHECKING:
    from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    "formatter-without-name": 'Register it first: azml_magics.register_formatter("my-name", formatter), '
    "then save with -f my-name.",
    "interrupted": "%azureml last shows what had arrived.",
    "interrupted-empty": "",
    "not-a-cassette": "Check the path, or record to a new file with %azureml record FILE.",
    "not-a-config": "{hint} A saved config is what LangChain's AzureMLOnlineEndpoint.save() or `%azureml export` writes.",
    "not-recorded": "Record it (%azureml record FILE), or end the replay (%azureml stop-recording).",
    "overwrite": "Choose another path, or -f to overwrite it.",
    "undefined-column": "{hint} Name a column, define it (a cell takes --var {param}=…, map_rows variables), "
    "or write {{{{{param}}}}} for literal braces.",
    "undefined-variable": "{hint} Define it, pass --var {param}=…, write {{{{{param}}}}} for literal braces, "
    "or use -t none to send the prompt untouched.",
}

_Error = TypeVar("_Error", bound=AzmlError | Interrupted)


def with_notebook_remedy(error: _Error) -> _Error:
    """Replace the remedy of `error` by the notebook's, and return the error."""
    error.remedy = remedy_from(REMEDIES, error)
    return error
