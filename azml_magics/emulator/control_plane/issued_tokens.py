"""Access tokens of the emulated tenant: JSON Web Tokens with the claims of Entra ID, signed for this process only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from azml_magics.emulator.control_plane.faults import ControlPlaneFaults

TENANT = "c0a70500-0000-4000-8000-000000000001"
OBJECT_ID = "0b1ec700-0000-4000-8000-000000000002"
CLIENT_ID = "c11e4700-0000-4000-8000-000000000003"
"""The application of the service principal, and of App Service's identity."""
COMPUTE_CLIENT_ID = "c11e4700-0000-4000-8000-000000000004"
"""The identity that a compute instance of Azure ML has."""

Problem = Literal["missing", "invalid", "expired", "audience", "tenant", "revoked"]


@dataclass(frozen=True)
class IssuedToken:
    """A token and the time at which it expires, in seconds since 1970."""

    text: str
    expires_on: int


class Tokens:
    """Issues tokens and reads them."""

    def __init__(self, faults: ControlPlaneFaults) -> None:
        self._faults = faults
        self._secret = secrets.token_bytes(32)
        self._numbers = count(1)
        self._revoked: set[str] = set()

    def issue(
        self, audience: str, client_id: str = CLIENT_ID, *, lifetime: int | None = None, **claims: Any
    ) -> IssuedToken:
        """Return a token for `audience`."""
        now = int(time.time())
        expires_on = now + (self._faults.token_lifetime if lifetime is None else lifetime)
        tenant = self._faults.token_tenant or TENANT
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": now,
            "nbf": now,
            "exp": expires_on,
            "appid": client_id,
            "oid": OBJECT_ID,
            "tid": tenant,
            "uti": f"token-{next(self._numbers)}",
            "ver": "1.0",
            **claims,
        }
        unsigned = f"{_encode({'typ': 'JWT', 'alg': 'HS256'})}.{_encode(claims)}"
        return IssuedToken(f"{unsigned}.{self._sign(unsigned)}", expires_on)

    def find_problem(self, token: str, audiences: Collection[str]) -> Problem | None:
        """Return why `token` is not accepted for one of `audiences`, or None if it is."""
        if not token:
            return "missing"
        claims = self.read(token)
        if claims is None:
            return "invalid"
        if claims["exp"] <= time.time() + self._faults.clock_skew:
            return "expired"
        if str(claims["aud"]).rstrip("/") not in audiences:
            return "audience"
        if claims["tid"] != TENANT:
            return "tenant"
        return "revoked" if claims["uti"] in self._revoked else None

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that was issued here, or None."""
        unsigned, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(unsigned).encode(), signature.encode()):
            return None
        payload = unsigned.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def revoke(self, token: str) -> None:
        """Refuse a token from now on."""
        claims = self.read(token)
        if claims is not None:
            self._revoked.add(claims["uti"])

    def derive_key(self, resource_id: str, number: int) -> str:
        """Return the first or second key of a resource: the same one as long as this process runs."""
        text = f"{resource_id.lower()} {number}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def _sign(self, text: str) -> str:
        return _base64(hmac.new(self._secret, text.encode(), hashlib.sha256).digest())


def make_id_token(client_id: str, issuer: str, name: str) -> str:
    """Return an ID token of the user who signed in; clients of the device code flow read it."""
    now = int(time.time())
    claims = {
        "aud": client_id,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "sub": OBJECT_ID,
        "oid": OBJECT_ID,
        "tid": TENANT,
        "preferred_username": name,
        "ver": "2.0",
    }
    return f"{_encode({'typ': 'JWT', 'alg': 'none'})}.{_encode(claims)}."


def make_client_info() -> str:
    """Return the client_info of the user who signed in."""
    return _encode({"uid": OBJECT_ID, "utid": TENANT})


def _encode(data: dict[str, Any]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
