"""Failures that a server reports inside a 200, in a body or in a stream, and texts that are missing from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import (
    BadRequestError,
    EndpointError,
    ModelError,
    RateLimitError,
    ResponseFormatError,
    ServiceUnavailableError,
)
from ..text import one_line
from .error_parts import make_filter_error, parse_error_verdicts
from .json_body import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..response import Response

_NOTHING: tuple[Any, ...] = ({}, None, "null", [None], [{}])  # bodies of a failure
_MAX_DETAIL = 300  # characters of the server's message
_MAX_SHOWN = 120  # characters of a body in a message
# The codes of the Responses API and the types of Anthropic's Messages API that have a class of their own.
_KINDS: Mapping[str, type[EndpointError]] = {
    "rate_limit_exceeded": RateLimitError,
    "rate_limit_error": RateLimitError,
    "overloaded_error": ServiceUnavailableError,
    "server_error": ServiceUnavailableError,
    "api_error": ServiceUnavailableError,
    "invalid_prompt": BadRequestError,
    "invalid_request_error": BadRequestError,
}
_REMEDIES: Mapping[type[EndpointError], str] = {
    RateLimitError: "Wait, lower the concurrency, or raise the deployment's quota.",
    ServiceUnavailableError: "Try again; check the service's status if it happens again.",
    BadRequestError: "Check the prompt and the model kwargs.",
}


def raise_for_failure(value: Any) -> None:
    """Raise the failure that a decoded body reports, if it reports one.

    `{}` comes from the curated images, `null` and `[null]` from scoring scripts, an error object from vLLM, TGI and
    scoring scripts.

    Raises:
        ModelError: The model server failed.
        ContentFilterError: The content filter stopped the request or the response.
    """
    if value in _NOTHING:
        raise ModelError(
            f"The deployment returned status 200 with {as_text(value)}: its model server failed, "
            "or its content-safety filter blocked the request",
            remedy="Look at the deployment's logs; check that the formatter matches the deployment.",
            error_code="empty-object",
            status=200,
        )
    if isinstance(value, dict) and (value.get("error") or str(value.get("object")) == "error"):
        raise make_embedded_error(value)


def make_embedded_error(value: dict[str, Any]) -> EndpointError:
    """Return the error for an error object inside a 200, in a body or in an event."""
    error = value.get("error") or value
    detail, code, status = as_text(error), "", None
    if isinstance(error, dict):
        detail = as_text(error.get("message") or error.get("body") or error.get("detail") or error)
        code = str(error.get("code") or error.get("type") or "")
        status = error.get("status_code") or error.get("status") or error.get("code")
    if "exception" in value:
        detail = f"{detail}: {as_text(value['exception'])}"
    shown = one_line(detail, _MAX_DETAIL)
    if code == "content_filter" or "ResponsibleAIPolicyViolation" in detail:
        return make_filter_error(parse_error_verdicts(value), f"(200): {shown}", status=200)
    kind = _KINDS.get(code, ModelError)
    return kind(
        f"The deployment returned status 200 with an error inside: {shown}",
        remedy=_REMEDIES.get(kind, "Look at the deployment's logs, and at the model kwargs and prompt length."),
        status=200,
        inner_status=status if isinstance(status, int) else None,
    )


def is_filtered(finish_reason: str | None) -> bool:
    """Return whether a finish reason says that the content filter stopped the text.

    It is "content_filter" on the Inference API and "content_filter_error" in Llama's own routes.
    """
    return bool(finish_reason and finish_reason.startswith("content_filter"))


def raise_if_filtered(finish_reason: str | None, response: Response | None = None) -> None:
    """Raise ContentFilterError if the finish reason is the content filter's; the error keeps the `response`."""
    if not is_filtered(finish_reason):
        return
    end = f"(finish reason {finish_reason})"
    error = make_filter_error(response.filters if response else (), end, source="completion", status=200)
    error.response = response
    raise error


def make_empty_text_error() -> ModelError:
    """Return the error for an empty text without a finish reason."""
    return ModelError(
        "The deployment returned an empty text: the model wrote nothing, or the content-safety filter withheld it",
        remedy="Rephrase the prompt or raise max_new_tokens; look at the deployment's logs.",
        status=200,
    )


def make_missing_text_error(value: Any) -> EndpointError | ResponseFormatError:
    """Return the error for decoded JSON that has no text at the places of the wire format.

    It is the failure that the JSON reports, under `detail` or as `message` and `code`, or else shows its beginning.
    """
    if is_error_object(value):
        return make_embedded_error(value)
    if _holds_vectors(value):
        return ResponseFormatError(
            "The endpoint returned numbers: this deployment has an embeddings model, which takes no prompt",
            remedy="Use the formatter embeddings, or a deployment with a chat model.",
            error_code="embeddings-model",
        )
    if _holds_ranking(value):
        return ResponseFormatError(
            "The endpoint returned a ranking: this deployment has a rerank model, which takes no prompt",
            remedy="Use a deployment with a chat model.",
            error_code="no-text",
        )
    return ResponseFormatError(
        f"The response has no text that this formatter can find: {one_line(as_text(value), _MAX_SHOWN)}",
        remedy="Choose the formatter of this deployment, or register one of your own: azml_magics.register_formatter.",
        error_code="no-text",
    )


def is_vector(value: Any) -> bool:
    """Return whether JSON is a list of numbers."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in value)
    )


def _holds_vectors(value: Any) -> bool:
    """Return whether JSON is what embeddings models return, on /score or on OpenAI routes."""
    data = value.get("data") if isinstance(value, dict) else value
    first = data[0] if isinstance(data, list) and data else None
    return is_vector(first) or (isinstance(first, dict) and "embedding" in first)


def _holds_ranking(value: Any) -> bool:
    """Return whether JSON is what rerank models return."""
    results = value.get("results") if isinstance(value, dict) else None
    return isinstance(results, list) and any(isinstance(each, dict) and "relevance_score" in each for each in results)


def is_error_object(value: Any) -> bool:
    """Return whether JSON without a text reports a failure: `{"detail": …}`, or `{"message": …, "code": …}`."""
    if not isinstance(value, dict):
        return False
    has_code = any(isinstance(value.get(name), (str, int)) for name in ("code", "status", "statusCode"))
    return bool(value.get("detail")) or (isinstance(value.get("message"), str) and has_code)


def is_nothing(text: str) -> bool:
    """Return whether a text of /score says that the model server failed: Python's None, or JSON's null."""
    return text.strip() in {"None", "null", "[null]", "{}", "[None]"}


def make_nothing_error(text: str) -> ModelError:
    """Return the error for a text that says that the model server failed."""
    return ModelError(
        f"The deployment returned {text.strip()!r}, which is how its model server reports a failure",
        remedy="The prompt may be longer than the model's context; look at the deployment's logs.",
        status=200,
    )
