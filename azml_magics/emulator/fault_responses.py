"""Faults of the group "status": whole responses, byte for byte as the services write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.emulator.anthropic_request import ERROR_KINDS, messages_error
from azml_magics.emulator.azure_headers import exhausted_headers
from azml_magics.emulator.content_filters import filter_groups
from azml_magics.emulator.http_response import HttpResponse, fastapi_json, flask_json, model_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.faults import Fault

SCRIPT_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."
NO_TRAFFIC = "Specified traffic group could not be found"
FILTERED = (
    "The response was filtered due to the prompt triggering Microsoft's content management policy. "
    "Please modify your prompt and retry."
)
HTML = (
    "<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n"
    "    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n"
)


def fault_response(fault: Fault, path: str = "") -> HttpResponse:
    """Return the response of a fault of the group "status", in the words of the service that `path` belongs to."""
    response = _BUILDERS[fault.name](fault)
    if "/anthropic/" not in path or response.status not in ERROR_KINDS:
        return response
    kind, message = ERROR_KINDS[response.status]
    refused = messages_error(message, kind)
    refused.headers.update(response.headers)
    return refused


def unauthorized(style: str = "azure") -> HttpResponse:
    """Return a 401: the Cognitive Services body, API Management's with style "apim", an empty one with "empty".

    With style "audience" it is Foundry's for a token of another scope.
    """
    text = (
        "Access denied due to invalid subscription key or wrong API endpoint. "
        "Make sure to provide a valid key for an active subscription and use a correct regional API endpoint "
        "for your resource."
    )
    if style == "empty":
        return HttpResponse(401, content_type="text/plain")
    if style == "audience":
        text = "Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."
        return HttpResponse.flask({"error": {"code": "Unauthorized", "message": text}}, 401)
    data = {"statusCode": 401, "message": text} if style == "apim" else {"error": {"code": "401", "message": text}}
    return HttpResponse.flask(data, 401, headers={"www-authenticate": "Bearer"})


def extra_parameters(names: list[str]) -> HttpResponse:
    """Return the Inference API's 400 for body keys outside its schema (the catalogue image's server)."""
    return HttpResponse.fastapi(
        {
            "detail": f"Extra parameters {names} are not allowed when extra-parameters is not set "
            "or set to be 'error'. "
            "Set extra-parameters to 'pass-through' to pass to the model."
        },
        400,
    )


def _rate_limited(fault: Fault) -> HttpResponse:
    headers = {}
    seconds = fault.number("retry_after", -1)
    if seconds >= 0:
        headers["retry-after"] = f"{seconds:g}"
    milliseconds = fault.number("retry_after_ms", -1)
    if milliseconds >= 0:
        headers["retry-after-ms"] = f"{milliseconds:g}"
    wait = max(1, round(max(seconds, milliseconds / 1000)))
    style = fault.text("style", "apim")
    if style == "empty":
        return HttpResponse(429, content_type="text/plain", headers=headers)
    if style == "openai":
        message = (
            "Your requests to gpt-5-mini for gpt-5-mini in East US 2 have exceeded the token rate limit for your "
            f"current AIServices S0 pricing tier. Please retry after {wait} seconds."
        )
        error = {"error": {"code": "RateLimitReached", "message": message}}
        return HttpResponse.flask(error, 429, headers={**headers, **exhausted_headers()})
    return HttpResponse.flask(
        {"statusCode": 429, "message": f"Rate limit is exceeded. Try again in {wait} seconds."}, 429, headers=headers
    )


def _inner(fault: Fault) -> HttpResponse:
    status = int(fault.number("status", 500))
    message = fault.text("message", SCRIPT_FAILED)
    return model_error(HttpResponse.flask({"message": message}, status), fault.text("reason", "model_error"))


def _content_filter(fault: Fault) -> HttpResponse:
    style = fault.text("style", "api")
    if style == "flat":
        flat = {
            "status": 400,
            "code": "content_filter",
            "message": "The response was filtered",
            "param": "messages",
            "type": None,
        }
        return HttpResponse.flask(flat, 400)
    if style == "responses":
        message = FILTERED.replace("Microsoft's", "Azure OpenAI's")
        flat = {"message": message, "type": "invalid_request_error", "param": "prompt", "code": "content_filter"}
        return HttpResponse.fastapi({"error": {**flat, "content_filters": filter_groups(blocked=True)}}, 400)
    error = {"code": "content_filter", "message": FILTERED, "type": None, "param": "prompt", "status": 400}
    if style == "aoai":
        safe = {"filtered": False, "severity": "safe"}
        result = {
            "hate": safe, "jailbreak": {"filtered": True, "detected": True},
            "self_harm": safe, "sexual": safe, "violence": safe,
        }  # fmt: skip
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result}
        return HttpResponse.fastapi({"error": {**error, "innererror": inner}}, 400)
    return HttpResponse.flask({"error": error}, 400)


def _unprocessable(_: Fault) -> HttpResponse:
    return HttpResponse.flask(
        {
            "status": 422,
            "code": "parameter_not_supported",
            "detail": {"loc": ["body", "response_format"], "input": "json_object"},
            "message": "One of the parameters contain invalid values.",
        },
        422,
    )


def _big(fault: Fault) -> HttpResponse:
    line = "This sentence is repeated to make a large response. "
    text = line * (int(fault.number("size", 2_000_000)) // len(line) + 1)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "text": text, "finish_reason": "stop"}
    return HttpResponse(body=fastapi_json({"output": text, "object": "chat.completion", "choices": [choice]}))


def _long_id(_: Fault) -> HttpResponse:
    return HttpResponse.flask(
        {"message": "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters"}, 431
    )


def _error_string(_: Fault) -> HttpResponse:
    inner = flask_json({"error": "Error in processing request", "exception": "CUDA out of memory"}).decode()
    return HttpResponse.flask(inner)


def _not_found(fault: Fault) -> HttpResponse:
    if fault.text("style", "") != "openai":
        return HttpResponse.text(NO_TRAFFIC, 404)
    message = (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again."
    )
    return HttpResponse.flask({"error": {"code": "DeploymentNotFound", "message": message}}, 404)


def _overloaded(fault: Fault) -> HttpResponse:
    refused = messages_error("Overloaded", "overloaded_error")
    wait = fault.number("retry_after", -1)
    refused.headers.update({"retry-after": f"{wait:g}"} if wait >= 0 else {})
    return refused


def _unavailable(fault: Fault) -> HttpResponse:
    wait = fault.number("retry_after", -1)
    headers = {"retry-after": f"{wait:g}"} if wait >= 0 else {}
    return HttpResponse.text("no healthy upstream", 503, headers=headers)


_BUILDERS: dict[str, Callable[[Fault], HttpResponse]] = {
    "400": lambda f: HttpResponse.fastapi(
        {"detail": f.text("message", "The request body is not valid for this model.")}, 400
    ),
    "401": lambda f: unauthorized(f.text("style", "azure")),
    "403": lambda _: HttpResponse.flask(
        {"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 12:00:00."}, 403
    ),
    "404": _not_found,
    "405": lambda _: HttpResponse.fastapi({"detail": "Method Not Allowed"}, 405),
    "408": lambda _: HttpResponse.text("upstream request timeout", 408),
    "409": lambda _: HttpResponse.flask(
        {"error": {"code": "Conflict", "message": "Another operation is in progress."}}, 409
    ),
    "413": lambda _: HttpResponse.text("Payload Too Large", 413),
    "415": lambda _: HttpResponse.flask({"message": "Expects Content-Type to be application/json"}, 415),
    "422": _unprocessable,
    "424": _inner,
    "429": _rate_limited,
    "431": _long_id,
    "500": lambda _: HttpResponse.flask(
        {"error": {"code": "InternalServerError", "message": "Received 500 from a service request."}}, 500
    ),
    "502": lambda _: HttpResponse.fastapi({"error": "Downstream unavailable"}, 502),
    "503": _unavailable,
    "504": lambda _: HttpResponse.text("upstream request timeout", 504),
    "529": _overloaded,
    "script-failed": lambda _: HttpResponse.flask(
        {"message": SCRIPT_FAILED}, 500, headers={"x-ms-run-function-failed": "true"}
    ),
    "model-not-ready": lambda _: model_error(HttpResponse.text("no healthy upstream", 503), "model_not_ready"),
    "too-few-model-instance": lambda _: model_error(
        HttpResponse.text("no healthy upstream", 503), "too_few_model_instance"
    ),
    "too-many-pending-request": lambda _: model_error(HttpResponse.text("", 429), "too_many_pending_request"),
    "no-route": lambda _: model_error(HttpResponse.fastapi({"detail": "Not Found"}, 404)),
    "content-filter": _content_filter,
    "extra-parameters": lambda f: extra_parameters([f.text("name", "n")]),
    "html-error": lambda _: HttpResponse.text(HTML, 500, "text/html"),
    "html-200": lambda _: HttpResponse.text(
        "<!doctype html><html><title>Sign in</title><p>Sign in to continue.</p></html>", 200, "text/html"
    ),
    "empty": lambda _: HttpResponse(),
    "empty-object": lambda _: HttpResponse.fastapi({}),
    "null-output": lambda _: HttpResponse.fastapi(
        {"output": None, "error": {"status_code": 400, "body": "max_tokens is too large"}}
    ),
    "none-output": lambda _: HttpResponse.fastapi({"output": "None"}),
    "error-string": _error_string,
    "nan": lambda _: HttpResponse(body=b"[NaN]"),
    "other-format": lambda _: HttpResponse.flask([{"label": "NEUTRAL", "score": 0.65}]),
    "big": _big,
    "redirect": lambda f: HttpResponse(
        307,
        headers={"location": f.text("location", "http://elsewhere.invalid/score").encode("ascii", "replace").decode()},
    ),
    "dropped": lambda _: HttpResponse(ending="dropped"),
}
