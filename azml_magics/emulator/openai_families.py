"""What distinguishes the OpenAI-style routes, and the fields that all their responses share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest


@dataclass(frozen=True)
class RouteFamily:
    """What the routes of one service require, and how they stream.

    Attributes:
        strict: Unknown body keys are refused (the Inference API), and usage comes with the finish reason.
        needs_version: The query must have an api-version.
        needs_model: The body must name a model.
        prompt_filter: Azure's content filter and gateway stand before the model: verdicts, rate-limit headers.
    """

    strict: bool = False
    needs_version: bool = False
    needs_model: bool = False
    prompt_filter: bool = False


INFERENCE = RouteFamily(strict=True)
MODELS = RouteFamily(strict=True, needs_version=True, needs_model=True)
V1 = RouteFamily()
OPENAI_V1 = RouteFamily(needs_model=True, prompt_filter=True)
AZURE_OPENAI = RouteFamily(needs_version=True, prompt_filter=True)
DATED_RESPONSES = RouteFamily(needs_version=True, needs_model=True)


@dataclass(frozen=True)
class ResponseStamp:
    """The fields that every object of one response repeats."""

    id: str
    created: int
    model: str


def stamp_response(routed: RoutedRequest, body: dict[str, Any], prefix: str) -> ResponseStamp:
    """Return the stamp for a response.

    Args:
        routed: The request. Its id is the variable part of the response's id.
        body: Its body. The model is the body's, or else the path's, or else the deployment's.
        prefix: The first part of the response's id, "chatcmpl" or "cmpl".
    """
    model = body.get("model")
    name = model if isinstance(model, str) and model else routed.path_deployment or routed.deployment.model
    return ResponseStamp(f"{prefix}-{routed.request_id.replace('-', '')}", int(time.time()), name)


def count_usage(prompt: int, completion: int, reasoning: int = 0) -> dict[str, Any]:
    """Return the usage object for these token counts; reasoning tokens are part of the completion's."""
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage
