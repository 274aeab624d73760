"""Why no token came: what azure-identity reports, in one line, with the missing command or setting."""

from __future__ import annotations

from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.text import one_line

_SIGN_IN = "Sign in with `az login`, or give the kernel a managed identity or AZURE_CLIENT_ID and its secret."


def sign_in_error(error: Exception, source: str, tenant: str, scope: str) -> KeyNotFoundError:  # noqa: ARG001
    """Return the error for a token that did not come."""
    return KeyNotFoundError(f"No Entra ID token: {one_line(str(error), 200)}", remedy=_SIGN_IN)
