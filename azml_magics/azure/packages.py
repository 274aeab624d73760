"""Packages of the extra `azure`, imported when first needed."""

from __future__ import annotations

import importlib
from typing import Any

from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.install_hint import install_command


def import_extra(module: str) -> Any:
    """Return a module of a package that comes with the extra `azure`.

    Raises:
        KeyNotFoundError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise KeyNotFoundError(
            "This kind of key reference needs the azure extra",
            remedy=f"Run {install_command('azure')}.",
            error_code="azure-extra-missing",
        ) from None
