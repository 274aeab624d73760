"""One token for the requests of many threads, and another one after a 401."""

from __future__ import annotations

import re
import threading
from base64 import b64decode
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.core.secret import Secret

_CLAIMS = re.compile(r'claims="([A-Za-z0-9+/_=-]+)"')


class GetToken(Protocol):
    """Returns a token for a scope, as `identity.get_token` does."""

    def __call__(self, scope: str, /, *, refresh: bool | Secret = False, claims: str = "") -> Secret:
        """Return a token; another one in place of `refresh`, which was refused, or one that meets a challenge."""
        ...


class SharedToken:
    """The token of all requests to one service. It is fetched once: the Azure CLI takes a second for each.

    Args:
        scope: Its scope.
        get_token: Returns tokens.
    """

    def __init__(self, scope: str, get_token: GetToken) -> None:
        self._scope, self._get_token = scope, get_token
        self._token: Secret | None = None
        self._lock = threading.Lock()

    def current(self) -> Secret:
        """Return the token.

        Raises:
            KeyNotFoundError: There is no sign-in.
        """
        with self._lock:
            if self._token is None:
                self._token = self._get_token(self._scope)
            return self._token

    def renew(self, refused: Secret, headers: Mapping[str, str]) -> Secret:
        """Return another token in place of one that was refused, unless another thread has fetched it already.

        Args:
            refused: The token that was refused.
            headers: The headers of the response, which may demand claims (continuous access evaluation).
        """
        claims = _claims_of(headers)
        with self._lock:
            if self._token is None or self._token == refused:
                if claims:
                    self._token = self._get_token(self._scope, claims=claims)
                else:
                    self._token = self._get_token(self._scope, refresh=refused)
            return self._token


def _claims_of(headers: Mapping[str, str]) -> str:
    """Return the claims that a 401 challenges the client for (continuous access evaluation); "" for none."""
    found = _CLAIMS.search(headers.get("www-authenticate", ""))
    if not found:
        return ""
    try:
        return b64decode(found[1].replace("-", "+").replace("_", "/") + "==").decode()
    except ValueError:
        return ""
