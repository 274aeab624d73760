"""Secrets of Databricks: by `dbutils` in a Databricks notebook, by databricks-sdk elsewhere."""

from __future__ import annotations

import importlib
import sys
from base64 import b64decode
from typing import TYPE_CHECKING

from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.install_hint import package_command
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from typing import Any

    from azml_magics.core.key_sources import DatabricksSecret


def fetch(source: DatabricksSecret, endpoint_url: str, refused: Secret | None) -> Secret:  # noqa: ARG001 - a fetcher's arguments
    """Return the secret SCOPE/KEY of the workspace.

    Raises:
        KeyNotFoundError: It cannot be read, or databricks-sdk is needed and not installed.
    """
    scope, _, name = source.name.partition("/")
    dbutils = _find_dbutils()
    try:
        key = Secret(dbutils.secrets.get(scope, name) if dbutils is not None else _read_with_sdk(scope, name))
    except KeyNotFoundError:
        raise
    except Exception as error:
        raise KeyNotFoundError(
            f"Databricks does not give the secret {scope}/{name}: {one_line(str(error), 200)}",
            remedy="Check `databricks secrets list-secrets " + scope + "`, and that you may read that scope.",
            error_code="no-databricks-secret",
        ) from error
    if not key:
        raise KeyNotFoundError(f"The Databricks secret {scope}/{name} is empty", remedy="Give it a value.")
    return key


def _find_dbutils() -> Any:
    """The object that a Databricks notebook has, or None."""
    return getattr(sys.modules.get("__main__"), "dbutils", None)


def _read_with_sdk(scope: str, name: str) -> str:
    try:
        sdk = importlib.import_module("databricks.sdk")
    except ImportError:
        raise KeyNotFoundError(
            "databricks: references need a Databricks notebook, or databricks-sdk",
            remedy=f"Run {package_command('databricks-sdk')}.",
            error_code="databricks-sdk-missing",
        ) from None
    return b64decode(sdk.WorkspaceClient().secrets.get_secret(scope, name).value or "").decode()
