"""What goes wrong at the emulated control plane: roles that are missing, throttling, tokens, a proxy in between."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - a dataclass's annotations are read at run time
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass
class ControlPlaneFaults:
    """The faults of a control plane. They may be changed while it runs.

    Attributes:
        denied: Actions that the signed-in identity has no role for, such as "*/listKeys/action". An action may be
            followed by a scope: "Microsoft.CognitiveServices/accounts/deployments/read */accounts/contoso-secure".
        throttled: How many of the next calls of Resource Manager get 429.
        retry_after: Seconds that a 429 says to wait.
        revoked: How many of the next tokens that Resource Manager sees count as revoked: it responds with a claims
            challenge.
        html_proxy: The status of the HTML page that a proxy returns in place of Resource Manager; 0 for no proxy.
        latency: Seconds before Resource Manager responds.
        signed_out: Why the login and the managed identity give no token; "" if they do.
        token_lifetime: Seconds for which a token is valid.
        clock_skew: Seconds that the clock of the services is ahead of this machine's.
        token_tenant: The tenant that tokens are from; "" for the resources' own.
    """

    denied: Sequence[str] = ()
    throttled: int = 0
    retry_after: int = 1
    revoked: int = 0
    html_proxy: int = 0
    latency: float = 0.0
    signed_out: str = ""
    token_lifetime: int = 3600
    clock_skew: float = 0.0
    token_tenant: str = ""

    def denies(self, action: str, scope: str) -> bool:
        """Return whether the identity has no role with `action` at `scope`."""
        return any(fnmatchcase(action.lower(), denied.lower()) for denied in self.denied_at(scope))

    def denied_at(self, scope: str) -> list[str]:
        """Return the actions, with wildcards, that the identity has no role for at `scope`."""
        entries = [entry.partition(" ") for entry in self.denied]
        return [action for action, _, place in entries if fnmatchcase(scope.lower(), (place or "*").lower())]

    def take(self, name: str) -> bool:
        """Return whether the counted fault `name` ("throttled" or "revoked") applies now, and count it."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0
