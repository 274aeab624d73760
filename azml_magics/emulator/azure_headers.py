"""The headers of Azure OpenAI and Foundry: what is left of the rate limits, the region, the deployment."""

from __future__ import annotations

REGION = "East US 2"
_REQUESTS = 250
_TOKENS = 250_000


def azure_headers(model: str, spent: int) -> dict[str, str]:
    """Return the headers of a response that took `spent` tokens; they do not depend on earlier requests."""
    return _limits(_REQUESTS - 1, _TOKENS - spent) | {
        "x-ms-region": REGION,
        "x-ms-deployment-name": model.encode("ascii", "replace").decode(),
    }


def exhausted_headers() -> dict[str, str]:
    """Return the headers of a 429: nothing is left."""
    return {**_limits(0, 0), "x-ms-region": REGION}


def _limits(requests: int, tokens: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(_REQUESTS),
        "x-ratelimit-remaining-requests": str(requests),
        "x-ratelimit-limit-tokens": str(_TOKENS),
        "x-ratelimit-remaining-tokens": str(max(0, tokens)),
    }
