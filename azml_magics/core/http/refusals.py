"""What a refusal means, by status, error code, message and kind of endpoint: beyond the status alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import ModelError
from .refusal_rules import RULES, SCORING_TIMEOUT, Explanation

if TYPE_CHECKING:
    from collections.abc import Iterator

_ML_ROLE = "AzureML Data Scientist (it contains the action onlineEndpoints/score/action)"
_FOUNDRY_ROLE = "Foundry User or Cognitive Services OpenAI User"
_SERVER_ERROR = 500
_SCORING_FAILED = "An unexpected error occurred in scoring script"  # azmlinfsrv
_SCORING = Explanation(
    kind=ModelError,
    cause="The scoring script failed on this input",
    remedy="Check that the formatter and this input fit the deployment; its logs name the reason "
    "(az ml online-deployment get-logs).",
    error_code="scoring-failed",
)


@dataclass(frozen=True)
class Refusal:
    """What a server said when it refused a request.

    Attributes:
        status: The status; the container's own behind a 424 that names it.
        codes: Error codes and types in the body.
        message: The message in the body.
        headers: By lower-case name.
        url: Where the request went; "" if unknown.
        param: The parameter that the body names, or "".
    """

    status: int
    codes: frozenset[str] = frozenset()
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    param: str = ""


def explain(refusal: Refusal) -> tuple[Explanation, dict[str, Any]] | None:
    """Return the explanation of the first rule that fits a refusal, and the facts; None if no rule does."""
    if is_scoring_failure(refusal):
        return _SCORING, {}
    for rule in RULES:
        found = rule.match(refusal.status, refusal.codes, refusal.message)
        if found is not None:
            facts = dict(_facts(refusal, found))
            then = rule.then
            return then._replace(cause=then.cause.format(**facts), remedy=then.remedy.format(**facts)), facts
    return None


def is_scoring_failure(refusal: Refusal) -> bool:
    """Whether the scoring script received the input and raised, so that a repeat would fail alike.

    The server marks a script that took too long, and one that returned another status itself, in the same way.
    """
    if refusal.status != _SERVER_ERROR or SCORING_TIMEOUT in refusal.message:
        return False
    failed = refusal.headers.get("x-ms-run-function-failed", "").strip().lower() == "true"
    return failed or _SCORING_FAILED in refusal.message


def _facts(refusal: Refusal, found: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield what a remedy may name."""
    yield "param", found.get("param") or found.get("name") or refusal.param or "a parameter"
    is_chat = found.get("operation", "chatCompletion").lower().startswith("chat")
    yield "formatter", "openai-responses" if is_chat else "openai-chat"
    limit = re.search(r"(?:length is|limit of|less than|<=|size \(|>) ?([\d,]+)", refusal.message)
    yield "limit", f": the model takes {limit[1]}" if limit else ""
    yield "quota", _quota(refusal, found.get("what", ""))
    service = endpoints.service_of(refusal.url)
    own = endpoints.entra_scope(refusal.url)
    scope = _scope_in(refusal.message) or own
    yield "scope", scope
    yield "reference", "entra" if scope == own else f"entra:{scope}"
    role = _ML_ROLE if service.resource == "ml" else _FOUNDRY_ROLE
    yield "role", role
    yield "rights", f"your role ({role.partition(' (')[0]})" if service.title else "your rights"
    # A managed online endpoint says the same of a token without a role as of a wrong key.
    yield "or_role", f", and that a token's identity has the role {role}" if service.kind == "managed" else ""
    yield "models", f"{endpoints.base_of(refusal.url)}/models" if refusal.url else "…/models"


def _scope_in(message: str) -> str:
    audience = re.search(r"audience is incorrect \((https://[^)\s/]+)/?\)", message)
    return f"{audience[1]}/.default" if audience else ""


def _quota(refusal: Refusal, what: str) -> str:
    """Return what was used up, as "10,000 tokens": by the message, or else by which count is at 0."""
    left = {unit: refusal.headers.get(f"x-ratelimit-remaining-{unit}", "") for unit in ("tokens", "requests")}
    spent = [unit for unit, count in left.items() if count.strip() == "0"]
    if not what and len(spent) != 1:
        return "requests or tokens"
    unit = ("tokens" if what == "token" else "requests") if what else spent[0]
    limit = refusal.headers.get(f"x-ratelimit-limit-{unit}", "")
    return f"{int(limit):,} {unit}" if limit.isdecimal() and len(limit) < 12 else unit  # noqa: PLR2004 - a length
