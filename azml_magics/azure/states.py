"""What the states of resources mean for a user who wants to send a prompt. Pure data."""

from __future__ import annotations

_READY = {"", "succeeded", "updating", "scaling", "online", "running"}
_REASONS = {
    "accepted": "it is being created",
    "creating": "it is being created",
    "provisioning": "it is being created",
    "failed": "its creation failed",
    "creationfailed": "its creation failed",
    "canceled": "its creation was cancelled",
    "deleting": "it is being deleted",
    "deletionfailed": "its deletion failed",
    "disabled": "it is switched off",
    "suspended": "it is suspended",
    "suspending": "it is being suspended",
    "reinstating": "it is being reinstated",
}


def explain_state(state: str) -> str:
    """Return why a resource in this state takes no prompts; "" if it does."""
    word = state.lower()
    return "" if word in _READY else _REASONS.get(word, "it is not ready")
