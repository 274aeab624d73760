"""Every known error response becomes one exception: its class, line, context and remedy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    ModelError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from azml_magics.core.http.error_headers import inner_status, request_id, retry_after
from azml_magics.core.http.status_errors import status_error

from .test_error_body import JSON

AZML = {"x-request-id": "1c7f", "azureml-model-deployment": "blue"}


def inner(status: int | str, reason: str = "model_error") -> dict[str, str]:
    return {**AZML, "ms-azureml-model-error-statuscode": str(status), "ms-azureml-model-error-reason": reason}


# (sender, status, headers, body, class, part of the line, part of the remedy)
KNOWN_ERRORS = [
    (
        "Foundry: content filter",
        400,
        {},
        {
            "error": {
                "code": "content_filter",
                "message": "The response was filtered due to the prompt triggering Microsoft's content policy.",
                "type": None,
                "param": "prompt",
                "status": 400,
            }
        },
        ContentFilterError,
        "The content filter stopped the prompt (400): The response was filtered due to",
        "Rephrase",
    ),
    (
        "Azure OpenAI: content filter",
        400,
        {},
        {
            "error": {
                "message": "filtered",
                "code": None,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {"jailbreak": {"filtered": True}},
                },
            }
        },
        ContentFilterError,
        "The content filter stopped the prompt for jailbreak (400): filtered",
        "prompt shield",
    ),
    (
        "Inference API: content filter at the top",
        400,
        {},
        {"status": 400, "code": "content_filter", "message": "The response was filtered", "param": "messages"},
        ContentFilterError,
        "The response was filtered",
        "Rephrase",
    ),
    (
        "curated image: content safety",
        400,
        {},
        {"error": {"code": "Bad Request", "message": "request input violates azure ai content safety setting."}},
        ContentFilterError,
        "violates azure ai content safety setting",
        "Rephrase",
    ),
    (
        "curated image behind the front door: content safety",
        424,
        inner(400),
        {"error": {"code": "Bad Request", "message": '{"error": {"code": "content_filter", "message": "filtered"}}'}},
        ContentFilterError,
        "(424, 400 inside): filtered",
        "Rephrase",
    ),
    (
        "serverless: a parameter",
        422,
        {},
        {
            "status": 422,
            "code": "parameter_not_supported",
            "detail": {"loc": ["body", "response_format"], "input": "json_object"},
            "message": "One of the parameters contain invalid values.",
        },
        BadRequestError,
        "One of the parameters contain invalid values: body.response_format: not 'json_object'",
        "parameter",
    ),
    (
        "serverless: a list of them",
        422,
        {},
        {"detail": [{"loc": ["body", "n"], "input": 2}, {"loc": ["body", "m"], "input": 3}], "message": "Invalid."},
        BadRequestError,
        "Invalid: body.n: not 2; body.m: not 3",
        "parameter",
    ),
    (
        "FastAPI: extra parameters",
        400,
        {},
        {"detail": "Extra parameters ['n'] are not allowed when extra-parameters is not set or set to be 'error'."},
        BadRequestError,
        "Extra parameters ['n'] are not allowed",
        "model kwargs",
    ),
    ("FastAPI: no route", 404, {}, {"detail": "Not Found"}, NotFoundError, "no such route (404): Not Found", "path"),
    (
        "FastAPI: validation",
        422,
        {},
        {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": {}}]},
        BadRequestError,
        "body.messages: Field required",
        "parameter",
    ),
    (
        "curated image: validation",
        422,
        {},
        {
            "error": {
                "code": "Invalid input",
                "status": 422,
                "message": "invalid input error",
                "details": [
                    {"type": "int_parsing", "loc": ["body", "max_tokens"], "msg": "Input should be a valid integer"}
                ],
            }
        },
        BadRequestError,
        "invalid input error: body.max_tokens: Input should be a valid integer",
        "parameter",
    ),
    (
        "curated image: the model's words within its own",
        400,
        {},
        {
            "error": {
                "code": "Bad Request",
                "message": '{"error":{"code":400,"message":"request (4010 tokens) exceeds the available context size"}}',
                "status": 400,
            }
        },
        BadRequestError,
        "longer than the model's context (400): request (4010 tokens) exceeds the available context size",
        "Shorten the prompt",
    ),
    (
        "azmlinfsrv behind the front door",
        424,
        {**inner(500), "x-ms-server-version": "azmlinfsrv/1.5.1"},
        {"message": "An unexpected error occurred in scoring script. Check the logs for more info."},
        ModelError,
        "The scoring script failed on this input (424, 500 inside): An unexpected error occurred in scoring script",
        "formatter",
    ),
    (
        "azmlinfsrv, reached directly",
        415,
        {},
        {"message": "Expects Content-Type to be application/json"},
        BadRequestError,
        "does not accept this content type (415)",
        "content_type",
    ),
    ("azmlinfsrv: an id too long", 431, {}, {"message": "too long"}, BadRequestError, "header of the request", "key"),
    (
        "prompt flow",
        400,
        {},
        {"error": {"code": "UserError", "message": "Missing input 'question'"}},
        BadRequestError,
        "Missing input 'question'",
        "formatter",
    ),
    (
        "vLLM of old",
        400,
        {},
        {"object": "error", "message": "maximum context length", "type": "BadRequestError", "param": None, "code": 400},
        BadRequestError,
        "maximum context length",
        "",
    ),
    (
        "vLLM of today",
        404,
        {},
        {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}},
        NotFoundError,
        "The model `x` does not exist",
        "",
    ),
    (
        "TGI",
        422,
        {},
        {"error": "Input validation error: `inputs` must have less than 1024 tokens", "error_type": "validation"},
        BadRequestError,
        "must have less than 1024 tokens",
        "",
    ),
    (
        "TGI overloaded",
        429,
        {},
        {"error": "Model is overloaded", "error_type": "overloaded"},
        RateLimitError,
        "overloaded",
        "Wait",
    ),
    (
        "Cognitive Services: key",
        401,
        {"apim-request-id": "ap-1"},
        {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}},
        AuthenticationError,
        "did not accept the key (401): Access denied due to invalid subscription key",
        "key belongs to this endpoint",
    ),
    (
        "API Management: key",
        401,
        {},
        {"statusCode": 401, "message": "Access denied due to missing subscription key."},
        AuthenticationError,
        "The gateway found no key in the header that it reads (401): Access denied due to missing subscription key",
        "key_header",
    ),
    (
        "API Management: quota",
        403,
        {},
        {"statusCode": 403, "message": "Out of call volume quota."},
        PermissionDeniedError,
        "The quota of calls is used up (403): Out of call volume quota",
        "Wait as long as it says",
    ),
    (
        "API Management: rate",
        429,
        {},
        {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 26 seconds."},
        RateLimitError,
        "Too many requests or tokens (429): Rate limit is exceeded",
        "concurrency",
    ),
    (
        "front door: no instance",
        424,
        inner(503, "model_not_ready"),
        "no healthy upstream",
        ServiceUnavailableError,
        "no instance ready (424, 503 inside): no healthy upstream",
        "ten minutes",
    ),
    (
        "front door: no instance, no headers",
        424,
        {},
        "no healthy upstream",
        ServiceUnavailableError,
        "no instance ready",
        "",
    ),
    (
        "front door: too few instances",
        424,
        inner(0, "too_few_model_instance"),
        "",
        ServiceUnavailableError,
        "no instance ready (424)",
        "",
    ),
    (
        "front door: too many pending, an empty body",
        424,
        inner("", "too_many_pending_request"),
        "",
        RateLimitError,
        "too many pending requests (424)",
        "max_concurrent_requests_per_instance",
    ),
    ("front door: the container's 429", 424, inner(429), {"message": "slow down"}, RateLimitError, "slow down", ""),
    (
        "front door: the container's 404",
        424,
        inner(404),
        {"detail": "Not Found"},
        NotFoundError,
        "has no such route",
        "path",
    ),
    (
        "front door: the container's 400",
        424,
        inner(400),
        {"message": "A value is not provided for the 'input_data' parameter."},
        BadRequestError,
        "rejected the request (424, 400 inside)",
        "formatter",
    ),
    (
        "front door: the container's 422",
        424,
        inner(422),
        {"detail": "x"},
        BadRequestError,
        "rejected the request",
        "another formatter",
    ),
    ("front door: the container's 504", 424, inner(504), "", APITimeoutError, "took longer", "request_timeout_ms"),
    ("front door: without a word", 424, {}, "", ModelError, "scoring script failed (424)", "logs"),
    (
        "front door: no traffic",
        404,
        {},
        "Specified traffic group could not be found",
        NotFoundError,
        "has no deployment with traffic, or none of that name (404)",
        "deployment_name",
    ),
    (
        "Envoy: timeout",
        408,
        AZML,
        "upstream request timeout",
        APITimeoutError,
        "(408): upstream request timeout",
        "180,000",
    ),
    ("Kubernetes: timeout", 504, {}, "", APITimeoutError, "took longer than the endpoint waits (504)", "timeout"),
    (
        "too large",
        413,
        {},
        "",
        BadRequestError,
        "The request of 12,345 bytes is too large for the endpoint (413)",
        "Shorten",
    ),
    (
        "gunicorn: a crash",
        500,
        {},
        "<html><title>Internal Server Error</title><p>x",
        ServiceUnavailableError,
        "an HTML page, 'Internal Server Error'",
        "logs",
    ),
    (
        "a proxy's page without a title",
        503,
        {},
        "<html><body><h1>Service\n is away</h1>",
        ServiceUnavailableError,
        "'Service is away'",
        "",
    ),
    (
        "foundation-model-serve: vLLM away",
        502,
        {},
        {"error": "Downstream unavailable"},
        ServiceUnavailableError,
        "crashed or is not running (502): Downstream unavailable",
        "",
    ),
    (
        "Inference API with x-ms-error-code",
        404,
        {"x-ms-error-code": "ResourceNotFound"},
        {
            "error": {
                "code": "ResourceNotFound",
                "message": "No deployment",
                "details": [],
                "target": None,
                "innererror": None,
            }
        },
        NotFoundError,
        "No deployment",
        "",
    ),
    ("a code and no message", 400, {}, {"error": {"code": "BadModel"}}, BadRequestError, "(400): BadModel", ""),
    ("wrong method", 405, {}, {"detail": "Method Not Allowed"}, BadRequestError, "does not accept POST", ""),
    (
        "a redirect",
        302,
        {"location": "https://login.example.com/?token=abc"},
        "",
        NotFoundError,
        "redirects elsewhere",
        "final URL",
    ),
    ("a teapot", 418, {}, "short and stout", BadRequestError, "unusual status (418): short and stout", ""),
    ("an unknown failure", 599, {}, "", ServiceUnavailableError, "unusual status (599)", ""),
    ("another success", 204, {}, "", BadRequestError, "unusual status (204)", ""),
]


@pytest.mark.parametrize(
    ("who", "status", "headers", "body", "kind", "said", "remedy"),
    KNOWN_ERRORS,
    ids=[refusal[0] for refusal in KNOWN_ERRORS],
)
def test_known_errors_have_class_cause_and_remedy(who, status, headers, body, kind, said, remedy):  # noqa: PLR0917 - a column each
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()
    error = status_error(status, headers, raw, request_bytes=12_345)
    line = str(error.add_context(config="prod"))
    assert type(error) is kind
    assert said in line
    assert remedy in error.remedy
    assert error.remedy
    assert "config 'prod'" in line
    assert "\n" not in line
    assert (error.status, error.body) == (status, raw.decode())


MANAGED = "https://n.eastus.inference.ml.azure.com/score"
FOUNDRY = "https://r.services.ai.azure.com/openai/v1/chat/completions"
PROJECT = "https://r.services.ai.azure.com/api/projects/p/openai/v1/responses"
CLAUDE = "https://r.services.ai.azure.com/anthropic/v1/messages"
GATEWAY = "https://llm.example.com/v1/chat/completions"
DATED = "https://r.openai.azure.com/openai/deployments/d/chat/completions"


def error_of(message: str, code: str | None = None, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "code": code, **more}}


def operation(name: str, model: str) -> dict[str, object]:
    return error_of(
        f"The {name} operation does not work with the specified model, {model}. Please choose different model.",
        "OperationNotSupported",
    )


# (url, status, headers, body, class, error code, part of the line)
REFUSALS = [
    (
        FOUNDRY,
        400,
        {},
        error_of(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "unsupported_parameter",
            param="max_tokens",
        ),
        BadRequestError,
        "max-tokens-renamed",
        "Use max_completion_tokens in its place",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of(
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) is supported.",
            "unsupported_value",
            param="temperature",
        ),
        BadRequestError,
        "parameter-unsupported",
        "Remove temperature",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of("Unsupported parameter: 'temperature' is not supported with this model.", None, param="temperature"),
        BadRequestError,
        "parameter-unsupported",
        "Remove temperature",
    ),
    (
        CLAUDE,
        400,
        {},
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "top_p: Extra inputs are not permitted"},
        },
        BadRequestError,
        "parameter-unsupported",
        "Remove top_p",
    ),
    (FOUNDRY, 400, {}, operation("chatCompletion", "gpt-5-codex"), BadRequestError, "wrong-wire", "openai-responses"),
    (FOUNDRY, 400, {}, operation("responses", "phi-4"), BadRequestError, "wrong-wire", "formatter openai-chat"),
    (
        FOUNDRY,
        400,
        {},
        operation("chatCompletion", "text-embedding-3-small"),
        BadRequestError,
        "embeddings-model",
        "Use the formatter embeddings",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of("Function tools with reasoning_effort are not supported. Use /v1/responses or set it to 'none'."),
        BadRequestError,
        "wrong-wire",
        "openai-responses",
    ),
    (
        GATEWAY,
        404,
        {},
        error_of("This model is only supported in v1/responses and not in v1/chat/completions."),
        BadRequestError,
        "wrong-wire",
        "openai-responses",
    ),
    (
        MANAGED,
        424,
        inner(400),
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000.",
        },
        BadRequestError,
        "prompt-too-long",
        "ask for fewer tokens: the model takes 4096.",
    ),
    (
        GATEWAY,
        422,
        {},
        {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"},
        BadRequestError,
        "prompt-too-long",
        "the model takes 1024",
    ),
    (
        CLAUDE,
        400,
        {},
        error_of("prompt is too long: 210000 tokens > 200000 maximum"),
        BadRequestError,
        "prompt-too-long",
        "the model takes 200000",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of("Your input exceeds the context window of this model.", "context_length_exceeded"),
        BadRequestError,
        "prompt-too-long",
        "ask for fewer tokens.",
    ),
    (
        DATED,
        400,
        {},
        error_of("API version not supported", "BadRequest"),
        BadRequestError,
        "api-version",
        "api_version",
    ),
    (
        DATED,
        404,
        {},
        error_of("The API deployment for this resource does not exist.", "DeploymentNotFound"),
        NotFoundError,
        "no-such-deployment",
        "takes up to five minutes",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of("Unknown model: gpt-7", "unknown_model"),
        NotFoundError,
        "no-such-model",
        "GET https://r.services.ai.azure.com/openai/v1/models lists them",
    ),
    (
        GATEWAY,
        404,
        {},
        {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
        NotFoundError,
        "no-such-model",
        "GET https://llm.example.com/v1/models",
    ),
    (
        GATEWAY,
        400,
        {},
        error_of("Invalid model name passed in model=x. Call `/v1/models` to view available models."),
        NotFoundError,
        "no-such-model",
        "Check the model's name",
    ),
    (DATED, 410, {}, error_of("gone", "model_deprecated"), NotFoundError, "model-retired", "Deploy its successor"),
    (
        PROJECT,
        401,
        {},
        error_of(
            "Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired.",
            "Unauthorized",
        ),
        AuthenticationError,
        "wrong-audience",
        "scope https://ai.azure.com/.default",
    ),
    (
        MANAGED,
        401,
        {},
        error_of("The token has the wrong audience."),
        AuthenticationError,
        "wrong-audience",
        "scope https://ml.azure.com/.default",
    ),
    (
        FOUNDRY,
        401,
        {},
        error_of("Principal does not have access to API/Operation.", "PermissionDenied"),
        PermissionDeniedError,
        "role-missing",
        "Foundry User or Cognitive Services OpenAI User",
    ),
    (
        FOUNDRY,
        403,
        {},
        error_of("The principal lacks the required data action Microsoft.CognitiveServices/x", "PermissionDenied"),
        PermissionDeniedError,
        "role-missing",
        "Owner is not enough",
    ),
    (
        MANAGED,
        403,
        {},
        error_of("The client does not have authorization to perform action", "AuthorizationFailed"),
        PermissionDeniedError,
        "role-missing",
        "AzureML Data Scientist",
    ),
    (
        FOUNDRY,
        401,
        {},
        error_of("Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), …"),
        AuthenticationError,
        "wrong-audience",
        "the key reference entra:https://cognitiveservices.azure.com/.default requests one",
    ),
    (
        FOUNDRY,
        400,
        {},
        error_of("Tenant provided in token does not match resource token tenant."),
        AuthenticationError,
        "token-tenant",
        "entra:tenant=TENANT",
    ),
    (
        MANAGED,
        401,
        {},
        error_of("The access token is from the wrong issuer. It must match the tenant x."),
        AuthenticationError,
        "token-tenant",
        "Sign in to the resource's tenant",
    ),
    (MANAGED, 401, {}, error_of("The token has expired"), AuthenticationError, "token-expired", "entra and aml-token"),
    (
        MANAGED,
        401,
        {},
        "",
        AuthenticationError,
        "authentication",
        "has not been regenerated or expired, and that a token's identity has the role AzureML Data Scientist",
    ),
    (FOUNDRY, 401, {}, "", AuthenticationError, "authentication", "has not been regenerated or expired."),
    (FOUNDRY, 403, {}, "", PermissionDeniedError, "permission-denied", "your role (Foundry User or Cognitive Services"),
    (MANAGED, 403, {}, "", PermissionDeniedError, "permission-denied", "your role (AzureML Data Scientist)"),
    (GATEWAY, 403, {}, "", PermissionDeniedError, "permission-denied", "Check your rights and whether"),
    (
        MANAGED,
        403,
        {},
        error_of("The identity does not have permissions for …/onlineEndpoints/score/action actions."),
        PermissionDeniedError,
        "role-missing",
        "it contains the action onlineEndpoints/score/action",
    ),
    (
        MANAGED,
        403,
        {},
        error_of("The request was blocked: the endpoint has public_network_access disabled."),
        PermissionDeniedError,
        "network-blocked",
        "virtual network",
    ),
    (
        FOUNDRY,
        403,
        {},
        error_of("Key based authentication is disabled for this resource.", "AuthenticationTypeDisabled"),
        PermissionDeniedError,
        "key-auth-disabled",
        "Use the key reference entra",
    ),
    (
        GATEWAY,
        403,
        {},
        {"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 12:00:30."},
        PermissionDeniedError,
        "quota-exceeded",
        "Wait as long as it says",
    ),
    (
        FOUNDRY,
        403,
        {},
        error_of("Access denied due to Virtual Network/Firewall rules.", "AccessDenied"),
        PermissionDeniedError,
        "network-blocked",
        "virtual network",
    ),
    (
        FOUNDRY,
        403,
        {},
        error_of("Public access is disabled. Please configure private endpoint."),
        PermissionDeniedError,
        "network-blocked",
        "",
    ),
    (
        FOUNDRY,
        403,
        {},
        "<html><title>403 Forbidden</title>",
        PermissionDeniedError,
        "network-blocked",
        "an HTML page, '403 Forbidden'",
    ),
    (
        FOUNDRY,
        429,
        {"x-ratelimit-limit-tokens": "10000", "x-ratelimit-remaining-tokens": "0", "retry-after": "26"},
        error_of("Your requests to gpt-5 have exceeded the token rate limit.", "RateLimitReached"),
        RateLimitError,
        "quota-per-minute",
        "The quota of 10,000 tokens a minute is used up (429)",
    ),
    (
        FOUNDRY,
        429,
        {},
        error_of("Requests to the ChatCompletions operation have exceeded call rate limit.", "429"),
        RateLimitError,
        "quota-per-minute",
        "The quota of requests a minute is used up",
    ),
    (
        FOUNDRY,
        429,
        {
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-remaining-tokens": "70",
            "x-ratelimit-limit-requests": "9",
        },
        error_of("Slow down.", "RateLimitReached"),
        RateLimitError,
        "quota-per-minute",
        "The quota of 9 requests a minute is used up",
    ),
    (
        FOUNDRY,
        429,
        {},
        error_of("Slow down.", "RateLimitReached"),
        RateLimitError,
        "quota-per-minute",
        "The quota of requests or tokens a minute is used up",
    ),
    (
        FOUNDRY,
        429,
        {},
        error_of("We're currently experiencing high demand.", "NoCapacity"),
        RateLimitError,
        "no-capacity",
        "another region",
    ),
    (
        MANAGED,
        500,
        {"x-ms-run-function-failed": "true"},
        "list index out of range",
        ModelError,
        "scoring-failed",
        "The scoring script failed on this input (500): list index out of range",
    ),
    (
        CLAUDE,
        529,
        {},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ServiceUnavailableError,
        "overloaded",
        "The model is overloaded (529)",
    ),
    (MANAGED, 424, inner(406), "", BadRequestError, "not-acceptable", "the whole response"),
    (GATEWAY, 406, {}, "", BadRequestError, "not-acceptable", "the whole response"),
    (CLAUDE, 402, {}, error_of("billing"), PermissionDeniedError, "no-credit", "billing"),
]


@pytest.mark.parametrize(
    ("url", "status", "headers", "body", "kind", "code", "said"),
    REFUSALS,
    ids=[f"{refusal[1]}-{refusal[5]}-{number}" for number, refusal in enumerate(REFUSALS)],
)
def test_refusal_is_explained_by_status_code_and_endpoint(url, status, headers, body, kind, code, said):  # noqa: PLR0917 - a column each
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()
    error = status_error(status, headers, raw, url=url)
    assert (type(error), error.error_code) == (kind, code)
    assert said in str(error)
    assert "{" not in str(error)
    assert "\n" not in str(error)


def test_filter_error_names_the_categories_and_keeps_the_verdicts():
    filters = {"violence": {"filtered": True, "severity": "high"}, "hate": {"filtered": False, "severity": "safe"}}
    body = error_of("filtered", "content_filter", innererror={"content_filter_result": filters})
    error = status_error(400, {}, json.dumps(body).encode())
    assert isinstance(error, ContentFilterError)
    assert str(error).startswith("The content filter stopped the prompt for violence (high) (400): filtered.")
    assert [(each.category, each.filtered) for each in error.filters] == [("violence", True), ("hate", False)]


def test_filter_error_of_a_response_says_so():
    body = error_of(
        "filtered",
        "content_filter",
        content_filters=[
            {
                "source_type": "completion",
                "content_filter_results": {"protected_material_text": {"filtered": True, "detected": True}},
            }
        ],
    )
    error = status_error(400, {}, json.dumps(body).encode())
    assert "stopped the response for protected_material_text" in str(error)
    assert "content filter" in error.remedy


def test_error_names_config_deployment_and_request_id():
    line = str(status_error(424, inner(500), b"").add_context(config="prod"))
    assert "(config 'prod', deployment 'blue', request id 1c7f)" in line


@pytest.mark.parametrize(
    ("headers", "id_"),
    [
        ({"x-request-id": "a", "apim-request-id": "b"}, "a"),
        ({"apim-request-id": "b"}, "b"),
        ({"x-ms-request-id": "c"}, "c"),
        ({"x-request-id": ""}, ""),
        ({}, ""),
        ({"x-request-id": "x" * 200}, "x" * 79 + "…"),
    ],
)
def test_request_id_is_read_from_any_known_header(headers, id_):
    assert request_id(headers) == id_


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": " 7 "}, "", 7.0),
        ({"retry-after": "0"}, "", 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"x-ms-retry-after-ms": "250"}, "", 0.25),
        ({}, "Rate limit is exceeded. Try again in 26 seconds.", 26.0),
        ({}, "Please retry after 3 seconds.", 3.0),
        ({}, "Please retry after 200 milliseconds.", 0.2),
        ({}, "Out of call volume quota. Quota will be replenished in 12:00:30.", 43_230.0),
        ({"retry-after": "3"}, "Try again in 26 seconds.", 3.0),
        ({"retry-after": "Sun, 22 Nov 2026 08:33:40 GMT", "date": "Sun, 22 Nov 2026 08:33:25 GMT"}, "", 15.0),
        ({"retry-after": "Sun, 22 Nov 2026 08:33:20 GMT", "date": "Sun, 22 Nov 2026 08:33:25 GMT"}, "", 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 08:33:40 GMT"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-1"}, "", 0.0),
        ({"retry-after": "2, 2"}, "", 2.0),
        ({"retry-after": "2.5"}, "", 2.5),
        ({"retry-after": "2 s"}, "", 2.0),
        ({"retry-after": "999999"}, "", 86_400.0),
        ({"retry-after": "9" * 5000}, "", 86_400.0),
        ({"retry-after": "-" + "9" * 5000}, "", 0.0),
        ({"retry-after-ms": "9" * 400}, "", 86_400.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": "Mon, 01 Jan 0001 00:00:00 GMT"}, "", 86_400.0),
        *(
            ({"retry-after": text}, "", None)
            for text in ("nan", "inf", "1e400", "\x1e2", "²", "٣", "1_0", "0x10", "", "2x")
        ),
        ({}, "", None),
    ],
)
def test_retry_after_is_read_from_headers_or_message(headers, said, seconds):
    assert retry_after(headers, said) == seconds


WAITS = st.one_of(
    st.text(max_size=12),
    st.text("0123456789.,-+eE_ \t\x1e\x85\xa0²٣infas:", max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.floats().map(lambda value: f"{value:.0f}"),
    st.datetimes().map(lambda moment: f"{moment:%a, %d %b %Y %H:%M:%S} GMT"),
    st.from_regex(
        r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,6} \d{1,3}:\d{1,3}:\d{1,3} ([A-Z]{3}|[-+]\d{1,9})", fullmatch=True
    ),
    st.sampled_from(["9" * 5000, "1" + "0" * 309, "1e309", "\x1e2", "²", "-0", "1 Jan 0001 00:00:00 +9999"]),
)
WAIT_HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date"]), WAITS, max_size=4
)


@given(WAIT_HEADERS, st.one_of(st.text(max_size=20), WAITS.map(lambda wait: f"Try again in {wait} seconds")))
def test_any_retry_after_is_none_or_at_most_a_day(headers, said):
    seconds = retry_after(headers, said)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize(
    ("text", "status"), [("500", 500), ("", None), ("5xx", None), ("²", None), ("9" * 9999, None), ("-1", None)]
)
def test_inner_status_of_a_424(text, status):
    assert inner_status({"ms-azureml-model-error-statuscode": text}) == status


def test_huge_body_is_truncated():
    error = status_error(500, {}, b"x" * 1_000_000)
    assert len(error.body) == 64 * 1024
    assert len(str(error)) < 700


BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"message": json.dumps(value)}).encode()),
    st.binary(max_size=40),
    st.text("<>/titlehm \n", max_size=40).map(str.encode),
    st.sampled_from([b"[" * 50_000, b'{"a":' * 50_000, b"\xff" * 10, b'"' + b"\\" * 9]),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "retry-after",
            "retry-after-ms",
            "x-request-id",
            "ms-azureml-model-error-statuscode",
            "ms-azureml-model-error-reason",
            "azureml-model-deployment",
            "date",
        ]
    ),
    st.text(max_size=12),
)


@given(
    st.integers(100, 999).filter(lambda status: status != 200),
    HEADERS,
    BODIES,
    st.sampled_from(["", MANAGED, FOUNDRY, PROJECT, CLAUDE, GATEWAY, DATED]),
)
def test_any_response_gives_a_one_line_error(status, headers, body, url):
    error = status_error(status, headers, body, url=url)
    assert isinstance(error, EndpointError)
    assert len(str(error).splitlines()) == 1
    assert str(status) in str(error)
    assert error.remedy
    assert error.retry_after is None or error.retry_after >= 0


def test_script_that_took_too_long_is_a_timeout():
    headers = {"x-ms-run-function-failed": "True"}
    error = status_error(500, headers, b'{"message": "Scoring timeout after 300 ms"}')
    assert type(error) is APITimeoutError
    assert "took longer than its server waits (500): Scoring timeout after 300 ms" in error.cause


def test_status_that_a_script_returns_is_no_failure_of_the_script():
    error = status_error(503, {"x-ms-run-function-failed": "True"}, b'{"message": "not warm yet"}')
    assert type(error) is ServiceUnavailableError
