"""swagger.json of a deployment in the style of the server that would run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.http_response import HttpResponse

if TYPE_CHECKING:
    from azml_magics.emulator.deployments import Deployment
    from azml_magics.emulator.routed_request import RoutedRequest

_TEXTS = {"type": "array", "items": {"type": "string"}}
_PARAMETERS = {
    "type": "object",
    "properties": {
        "max_new_tokens": {"type": "integer", "format": "int64"},
        "temperature": {"type": "number", "format": "double"},
    },
}
_EXAMPLE_PARAMETERS = {"max_new_tokens": 50, "temperature": 0.5}
_MESSAGES = [{"role": "user", "content": "I am going to Paris, what should I see?"}]


def _object(properties: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "example": example}


def _nested(example: Any, items: dict[str, Any]) -> dict[str, Any]:
    """`input_data` with `input_string` and `parameters` inside, as inference-schema writes it."""
    inner = {"input_string": {"type": "array", "items": items}, "parameters": _PARAMETERS}
    schema = {"type": "object", "required": ["input_string", "parameters"], "properties": inner}
    return _object({"input_data": schema}, {"input_data": {"input_string": example, "parameters": _EXAMPLE_PARAMETERS}})


_RECORDS = {
    "type": "array",
    "items": {"type": "object", "required": ["0"], "properties": {"0": {"type": "string"}}},
    "example": [{"0": "text"}],
}
_MESSAGE = {"type": "object", "properties": {"role": {"type": "string"}, "content": {"type": "string"}}}

_STRINGS = {"type": "object", "required": ["input_string"], "properties": {"input_string": _TEXTS}}

_INPUTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "inputs": (
        _object(
            {
                "inputs": {"type": "object", "required": ["input_string"], "properties": {"input_string": _TEXTS}},
                "parameters": _PARAMETERS,
            },
            {"inputs": {"input_string": ["My name is John and I am"]}, "parameters": {"max_new_tokens": 16}},
        ),
        _RECORDS,
    ),
    "strings": (
        _object({"input_data": _STRINGS}, {"input_data": {"input_string": ["My name is John and I am"]}}),
        _RECORDS,
    ),
    "dolly": (
        _object(
            {"input_data": _STRINGS, "parameters": _PARAMETERS},
            {"input_data": {"input_string": ["Explain nuclear fission."]}, "parameters": {"max_new_tokens": 100}},
        ),
        _RECORDS,
    ),
    "text": (_nested(["the meaning of life is"], {"type": "string"}), _RECORDS),
    "chat": (
        _nested(_MESSAGES, _MESSAGE),
        {"type": "object", "properties": {"output": {"type": "string"}}, "example": {"output": "text"}},
    ),
    "hf": (
        _object(
            {"inputs": _TEXTS, "parameters": _PARAMETERS},
            {"inputs": ["My name is Julien and I like to"], "parameters": _EXAMPLE_PARAMETERS},
        ),
        {"type": "array", "items": {"type": "object"}, "example": [{"0": {"generated_text": "text"}}]},
    ),
    "mlflow": (
        _object(
            {"input_data": _TEXTS, "params": _PARAMETERS},
            {
                "input_data": ["sample string"],
                "params": {"max_new_tokens": 100, "do_sample": True, "return_full_text": True},
            },
        ),
        {"type": "array", "items": {"type": "string"}, "example": ["text"]},
    ),
    "promptflow": (
        _object(
            {"question": {"type": "string"}, "chat_history": {"type": "array", "items": {"type": "object"}}},
            {"question": "What is Azure ML?", "chat_history": []},
        ),
        {"type": "object", "properties": {"answer": {"type": "string"}}},
    ),
    "": ({"type": "object", "example": {}}, {"type": "object", "example": {}}),
}

_FASTAPI_ROUTES = {
    "openai": ("/chat/completions", "/v1/chat/completions", "/completions", "/v1/completions"),
    "openai-chat": ("/score", "/chat/completions", "/v1/chat/completions"),
    "openai-completion": ("/score", "/completions", "/v1/completions"),
    "tgi": ("/generate", "/generate_stream"),
}


def swagger(routed: RoutedRequest) -> HttpResponse:
    """The document of the pinned deployment: Swagger 2.0 or, with ?version=3 and 3.1, OpenAPI."""
    deployment = routed.deployment
    if deployment.swagger in _FASTAPI_ROUTES:
        return HttpResponse.fastapi(_fastapi(deployment))
    version = routed.query.get("version", "2")
    if version not in ("2", "3", "3.1"):
        message = f"Swagger version [{version[:20]}] is not valid. Supported versions: [2, 3, 3.1]."
        return HttpResponse.flask({"message": message}, 404)
    return HttpResponse.flask(_azureml(deployment, version))


def _azureml(deployment: Deployment, version: str) -> dict[str, Any]:
    """As azureml-inference-server-http writes it; a user's `run` without a schema gives an empty object."""
    given, back = _INPUTS[deployment.swagger]
    at = "#/definitions/" if version == "2" else "#/components/schemas/"
    schemas = {
        "ServiceInput": given,
        "ServiceOutput": back,
        "ErrorResponse": {"type": "object", "properties": {"message": {"type": "string"}}},
    }
    info = {
        "title": "ML service",
        "description": "API specification for the Azure Machine Learning service ML service",
        "version": "1.0",
    }
    error = {"description": "The service failed to execute due to an error.", **_answer(at + "ErrorResponse", version)}
    done = {
        "description": "The service processed the input correctly and provided a result prediction, if applicable.",
        **_answer(at + "ServiceOutput", version),
    }
    run: dict[str, Any] = {
        "operationId": "RunMLService",
        "description": "Run web service's model and get the prediction output",
        "security": [{"Bearer": []}],
    }
    if version == "2":
        run["parameters"] = [
            {
                "name": "serviceInputPayload",
                "in": "body",
                "description": "The input payload for executing the real-time machine learning service.",
                "schema": {"$ref": at + "ServiceInput"},
            }
        ]
    else:
        run["requestBody"] = {"content": {"application/json": {"schema": {"$ref": at + "ServiceInput"}}}}
    run["responses"] = {"200": done, "default": error}
    health = {
        "operationId": "ServiceHealthCheck",
        "description": "Simple health check endpoint to ensure the service is up at any given point.",
        "responses": {"200": {"description": "Healthy"}, "default": error},
    }
    itself = {
        "operationId": "GetSwaggerSpec",
        "description": "Get the Swagger specification.",
        "responses": {"200": {"description": "The Swagger specification."}, "default": error},
    }
    paths = {"/": {"get": health}, "/score": {"post": run}, "/swagger.json": {"get": itself}}
    if version != "2":
        scheme = {"Bearer": {"type": "http", "scheme": "bearer"}}
        return {
            "openapi": "3.0.3" if version == "3" else "3.1.0",
            "info": info,
            "paths": paths,
            "components": {"securitySchemes": scheme, "schemas": schemas},
        }
    bearer = {
        "Bearer": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "description": "For example: Bearer abc123",
        }
    }
    return {
        "swagger": "2.0",
        "info": info,
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": bearer,
        "paths": paths,
        "definitions": schemas,
    }


def _answer(reference: str, version: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": reference}}
    return schema if version == "2" else {"content": {"application/json": schema}}


def _fastapi(deployment: Deployment) -> dict[str, Any]:
    """As the catalogue's images write it: only the routes of their task, and an example for /score."""
    title = "Text Generation Inference" if deployment.swagger == "tgi" else "AzureML Foundation Model Inference Server"
    paths: dict[str, Any] = {"/": {"get": {"summary": "Health"}}, "/info": {"get": {"summary": "Info"}}}
    for route in _FASTAPI_ROUTES[deployment.swagger]:
        content: dict[str, Any] = {"schema": {"type": "object"}}
        if route == "/score":
            example = _MESSAGES if deployment.swagger == "openai-chat" else ["the meaning of life is"]
            value = {"input_data": {"input_string": example, "parameters": _EXAMPLE_PARAMETERS}}
            content = {"examples": {"example": {"value": value}}}
        paths[route] = {
            "post": {"summary": route.strip("/"), "requestBody": {"content": {"application/json": content}}}
        }
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1.0.0"}, "paths": paths}
