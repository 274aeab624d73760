"""swagger.json of a deployment in the style of the server that would run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.promptflow_route import FLOWS, flow_document

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


def _input_data_schema(example: Any, items: dict[str, Any]) -> dict[str, Any]:
    """Return `input_data` with `input_string` and `parameters` inside, as inference-schema writes it."""
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
    "text": (_input_data_schema(["the meaning of life is"], {"type": "string"}), _RECORDS),
    "chat": (
        _input_data_schema(_MESSAGES, _MESSAGE),
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
    "": ({"type": "object", "example": {}}, {"type": "object", "example": {}}),
}

_FASTAPI_ROUTES = {
    "openai": ("/chat/completions", "/v1/chat/completions", "/completions", "/v1/completions"),
    "openai-chat": ("/score", "/chat/completions", "/v1/chat/completions"),
    "openai-completion": ("/score", "/completions", "/v1/completions"),
    "tgi": ("/generate", "/generate_stream"),
}


_INFO = {
    "title": "ML service",
    "description": "API specification for the Azure Machine Learning service ML service",
    "version": "1.0",
}
_ERROR = {"type": "object", "properties": {"message": {"type": "string"}}}
_BEARER_2 = {
    "Bearer": {"type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer abc123"}
}
_BEARER_3 = {"Bearer": {"type": "http", "scheme": "bearer"}}


def swagger(routed: RoutedRequest) -> HttpResponse:
    """Return the document of the deployment: Swagger 2.0 or, with ?version=3 and 3.1, OpenAPI."""
    deployment = routed.deployment
    if deployment.swagger in _FASTAPI_ROUTES:
        return HttpResponse.fastapi(_fastapi_document(deployment))
    if deployment.name in FLOWS:
        return HttpResponse.flask(flow_document(deployment.name))
    version = routed.query.get("version", "2")
    if version not in ("2", "3", "3.1"):
        message = f"Swagger version [{version[:20]}] is not valid. Supported versions: [2, 3, 3.1]."
        return HttpResponse.flask({"message": message}, 404)
    return HttpResponse.flask(_azureml_document(deployment, version))


def _azureml_document(deployment: Deployment, version: str) -> dict[str, Any]:
    """Return a document as azureml-inference-server-http writes it.

    A user's `run` without a schema gives an empty object.
    """
    given, returned = _INPUTS[deployment.swagger]
    schemas = {"ServiceInput": given, "ServiceOutput": returned, "ErrorResponse": _ERROR}
    if version == "2":
        return {
            "swagger": "2.0",
            "info": _INFO,
            "schemes": ["https"],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "securityDefinitions": _BEARER_2,
            "paths": _azureml_paths(version),
            "definitions": schemas,
        }
    return {
        "openapi": "3.0.3" if version == "3" else "3.1.0",
        "info": _INFO,
        "paths": _azureml_paths(version),
        "components": {"securitySchemes": _BEARER_3, "schemas": schemas},
    }


def _azureml_paths(version: str) -> dict[str, Any]:
    error = _describe("The service failed to execute due to an error.", "ErrorResponse", version)
    health = {
        "operationId": "ServiceHealthCheck",
        "description": "Simple health check endpoint to ensure the service is up at any given point.",
        "responses": {"200": {"description": "Healthy"}, "default": error},
    }
    document = {
        "operationId": "GetSwaggerSpec",
        "description": "Get the Swagger specification.",
        "responses": {"200": {"description": "The Swagger specification."}, "default": error},
    }
    return {
        "/": {"get": health},
        "/score": {"post": _score_operation(version, error)},
        "/swagger.json": {"get": document},
    }


def _score_operation(version: str, error: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": _reference("ServiceInput", version)}
    payload = {
        "name": "serviceInputPayload",
        "in": "body",
        "description": "The input payload for executing the real-time machine learning service.",
        "schema": schema,
    }
    done = "The service processed the input correctly and provided a result prediction, if applicable."
    return {
        "operationId": "RunMLService",
        "description": "Run web service's model and get the prediction output",
        "security": [{"Bearer": []}],
        **(
            {"parameters": [payload]}
            if version == "2"
            else {"requestBody": {"content": {"application/json": {"schema": schema}}}}
        ),
        "responses": {"200": _describe(done, "ServiceOutput", version), "default": error},
    }


def _reference(name: str, version: str) -> str:
    return f"#/{'definitions' if version == '2' else 'components/schemas'}/{name}"


def _describe(text: str, name: str, version: str) -> dict[str, Any]:
    """Return the description of a response with a schema of that name."""
    schema = {"schema": {"$ref": _reference(name, version)}}
    return {"description": text, **(schema if version == "2" else {"content": {"application/json": schema}})}


def _fastapi_document(deployment: Deployment) -> dict[str, Any]:
    """Return a document as the catalogue's images write it: the routes of their task, and an example for /score."""
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
