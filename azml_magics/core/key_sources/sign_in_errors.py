"""Why no token came: what azure-identity and Entra ID report, as one line with the missing command or setting.

Sources: the AADSTS codes of the Entra ID documentation, and the messages of azure-identity's credentials.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import KeyNotFoundError
from ..text import one_line


class _SignInRule(NamedTuple):
    """What a failure looks like, and what to say of it; `{login}` is the command that signs in."""

    pattern: str
    cause: str
    remedy: str
    error_code: str


_CLOCK = "Set this machine's clock, then try again."
_RULES = (
    _SignInRule(
        r"AADSTS(90002|900023|50059|700054)\b|tenant '[^']*' not found|double check your tenant",
        "there is no such tenant{tenant}",
        "Check the tenant (AZURE_TENANT_ID, or tenant=TENANT in the reference); "
        "`az account show --query tenantId` prints the one of your sign-in.",
        "wrong-tenant",
    ),
    _SignInRule(
        r"AADSTS(50020|90072|500011|65001|16003)\b|isn't configured to acquire tokens for tenant",
        "this sign-in has no access in the tenant{tenant}",
        "Sign in to the right tenant: {login}, or name it in the reference: entra:tenant=TENANT.",
        "wrong-tenant",
    ),
    _SignInRule(
        r"AADSTS(700016|7000229)\b",
        "the application (AZURE_CLIENT_ID) is unknown in the tenant (AZURE_TENANT_ID)",
        "Check both variables: they belong to one app registration.",
        "wrong-tenant",
    ),
    _SignInRule(
        r"AADSTS7000215\b",
        "the client secret (AZURE_CLIENT_SECRET) is wrong",
        "Set it to the secret's value, which is not its id.",
        "sign-in-refused",
    ),
    _SignInRule(
        r"AADSTS(7000222|700082|700084|70043|70008|50173|50132)\b",
        "the sign-in or the client secret has expired",
        "Sign in again with {login}, or make a new client secret.",
        "sign-in-expired",
    ),
    _SignInRule(
        r"AADSTS(700024|500133|50013)\b|not within its valid time range",
        "the clock of this machine and that of the login disagree",
        _CLOCK,
        "clock-skew",
    ),
    _SignInRule(
        r"AADSTS(5007[6-9]|50158|53000|53001|53003|50005)\b|interaction_required|interaction is required",
        "the tenant demands more of this sign-in, such as a second factor",
        "Sign in again with {login}, or with entra:browser or entra:device.",
        "sign-in-interactive",
    ),
    _SignInRule(
        r"AADSTS70011\b",
        "the scope {scope} is not valid",
        "Write it as in https://ai.azure.com/.default.",
        "scope-invalid",
    ),
    _SignInRule(
        r"\AAzure CLI not found",
        "the Azure CLI (az) is not installed, or not on PATH",
        "Install it and run {login}, or use entra:device.",
        "no-azure-cli",
    ),
    _SignInRule(
        r"az login|Please run 'az login'",
        "nobody is signed in to the Azure CLI",
        "Run {login}.",
        "not-signed-in",
    ),
    _SignInRule(
        r"No User Assigned or Delegated Managed Identity|Identity not found",
        "the managed identity is not assigned to this machine",
        "Set AZURE_CLIENT_ID to the client id of one that is (DEFAULT_IDENTITY_CLIENT_ID on compute instances).",
        "no-managed-identity",
    ),
)
_NOBODY = _SignInRule(
    "",
    "nobody is signed in",
    "Run {login}, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or use entra:device.",
    "not-signed-in",
)
_OTHER = _SignInRule(
    "", "{said}", "Sign in with {login}, or name another way, such as entra:cli or entra:device.", "no-token"
)


def sign_in_error(error: Exception, *, source: str = "", tenant: str = "", scope: str = "") -> KeyNotFoundError:
    """Return the error for a token that did not come.

    Args:
        error: What the credential raised.
        source: The way to sign in, such as "cli"; "" for the first that works.
        tenant: The tenant that was asked for.
        scope: The scope that was asked for.
    """
    said = str(error)
    rule = next((rule for rule in _RULES if re.search(rule.pattern, said, re.IGNORECASE)), None)
    if rule is None:
        rule = _NOBODY if "EnvironmentCredential authentication unavailable" in said else _OTHER
    facts = {
        "login": f"`az login --tenant {tenant}`" if tenant else "`az login`",
        "tenant": f" {tenant}" if tenant else "",
        "scope": scope,
        "source": source,
        "said": one_line(said, 200),
    }
    return KeyNotFoundError(
        f"No Entra ID token: {rule.cause.format_map(facts)}",
        remedy=rule.remedy.format_map(facts),
        error_code=rule.error_code,
        facts=facts,
    )
