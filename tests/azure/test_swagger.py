"""Which dialect a swagger.json tells of; and that the embedded endpoint's deployments speak what theirs tell."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.azure.swagger import Finding, findings
from azml_magics.core import wire
from azml_magics.core.client import fetch, invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.secret import Secret
from azml_magics.emulator.deployments import DEPLOYMENTS
from azml_magics.pytest_plugin import KEY

TEXTS = {"type": "array", "items": {"type": "string"}}
TURN = {"role": "user", "content": "I am going to Paris, what should I see?"}


def swagger_2(service_input):
    """As Microsoft's scoring server writes it."""
    body = {"name": "serviceInputPayload", "in": "body", "schema": {"$ref": "#/definitions/ServiceInput"}}
    return {
        "swagger": "2.0",
        "info": {"title": "ML service", "version": "1.0"},
        "paths": {
            "/": {"get": {"operationId": "ServiceHealthCheck"}},
            "/score": {"post": {"operationId": "RunMLService", "parameters": [body]}},
            "/swagger.json": {"get": {"parameters": [{"name": "version", "in": "query", "type": "integer"}]}},
        },
        "definitions": {"ServiceInput": service_input, "ErrorResponse": {"type": "object"}},
    }


def openapi(service_input, path="/score"):
    """The same for ?version=3."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceInput"}}}
    return {
        "openapi": "3.0.3",
        "paths": {path: {"post": {"requestBody": {"content": content}}}},
        "components": {"schemas": {"ServiceInput": service_input}},
    }


def fastapi(*routes, example=None):
    """As the catalogue's images write it: /score has an example and no schema."""
    media = {"examples": {"example": {"value": example}}} if example else {"schema": {}}
    body = {"post": {"requestBody": {"content": {"application/json": media}}}}
    return {"openapi": "3.1.0", "paths": {"/": {"get": {}}, "/info": {"get": {}}, **dict.fromkeys(routes, body)}}


def shown(example):
    return {"type": "object", "example": example}


def first(document):
    found = findings(document)
    return (found[0].formatter, found[0].route) if found else None


# ---- what /score takes


@pytest.mark.parametrize(
    ("example", "formatter"),
    [
        ({"inputs": {"input_string": ["My name is John and I am"]}, "parameters": {"max_new_tokens": 16}}, "gpt2"),
        ({"input_data": {"input_string": ["hello"], "parameters": {"max_new_tokens": 10}}}, "openai"),
        ({"input_data": {"input_string": ["Explain fission."]}, "parameters": {}}, "dolly"),
        ({"input_data": {"input_string": ["My name is John"]}}, "dolly"),
        ({"input_data": {"input_string": [TURN], "parameters": {"temperature": 0.6}}}, "openai-chat"),
        ({"input_data": ["sample string"], "params": {"max_new_tokens": 100}}, "mlflow"),
        ({"input_data": ["sample string"]}, "mlflow"),
        ({"input_data": "sample string"}, "mlflow"),
        ({"input_data": {"columns": ["input_string"], "index": [0], "data": [["a"]]}}, "mlflow(column=input_string)"),
        (
            {"input_data": {"columns": ["input_string"], "index": [0, 1], "data": ["a", "b"]}},
            "mlflow(column=input_string)",
        ),
        ({"inputs": ["My name is Julien and I like to"], "parameters": {}}, "hf"),
        ({"inputs": "My name is Julien and I like to"}, "hf-plain"),
        ({"question": "What is Azure ML?", "chat_history": []}, "promptflow"),
        # tables are no language model's business
        ({"input_data": {"columns": [0, 1], "index": [0], "data": [[0.03, 0.05]]}}, ""),
        ({"input_data": [[1, 2], [3, 4]]}, ""),
        ({"input_data": [{"age": 5}]}, ""),
        ({"data": [[1, 2]]}, ""),
        ({"Inputs": {"data": [{"age": 5}]}, "GlobalParameters": 1.0}, ""),
    ],
)
def test_example_tells_the_formatter_in_every_version(example, formatter):
    for document in (swagger_2(shown(example)), openapi(shown(example)), fastapi("/score", example=example)):
        (found,) = findings(document)
        assert (found.formatter, found.route) == (formatter, "/score")
        assert found.reason.startswith("its example ")
        assert found.example == example


@pytest.mark.parametrize(
    ("properties", "formatter"),
    [
        ({"inputs": {"type": "object", "properties": {"input_string": TEXTS}}}, "gpt2"),
        (
            {"input_data": {"type": "object", "properties": {"input_string": TEXTS, "parameters": {"type": "object"}}}},
            "openai",
        ),
        ({"input_data": {"type": "object", "properties": {"input_string": TEXTS}}}, "dolly"),
        (
            {
                "input_data": {
                    "properties": {"input_string": {"type": "array", "items": {"$ref": "#/definitions/Turn"}}}
                }
            },
            "openai-chat",
        ),
        ({"input_data": TEXTS, "params": {"type": "object"}}, "mlflow"),
        ({"input_data": {"type": "array"}}, "mlflow"),
        ({"inputs": TEXTS, "parameters": {"type": "object"}}, "hf"),
        ({"inputs": {"type": "string"}}, "hf-plain"),
        ({"inputs": {"anyOf": [{"type": "null"}, {"type": "string"}]}}, "hf-plain"),
        ({"question": {"type": "string"}, "chat_history": {"type": "array"}}, "promptflow"),
        ({"input_data": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}}, ""),
        (
            {
                "input_data": {
                    "type": "object",
                    "properties": {
                        "columns": TEXTS,
                        "data": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                    },
                }
            },
            "",
        ),
    ],
)
def test_schema_tells_the_formatter_without_example(properties, formatter):
    document = swagger_2({"type": "object", "properties": properties})
    document["definitions"]["Turn"] = {"type": "object", "properties": {"role": {"type": "string"}}}
    (found,) = findings(document)
    assert (found.formatter, found.reason.split()[:2], found.example) == (formatter, ["its", "schema"], None)


def test_example_as_text_or_at_its_property():
    assert first(swagger_2(shown(json.dumps({"inputs": ["a"]})))) == ("hf", "/score")
    apart = {"type": "object", "properties": {"input_data": {**TEXTS, "example": ["a"]}, "params": {"example": {}}}}
    assert findings(swagger_2(apart))[0].example == {"input_data": ["a"], "params": {}}
    in_3_1 = {"type": "object", "examples": [{"inputs": "a"}]}
    assert first(openapi(in_3_1)) == ("hf-plain", "/score")


@pytest.mark.parametrize(
    "service_input",
    [
        {"type": "object", "example": {}},  # a run() without a schema
        {},
        shown({"text": "?"}),
        shown({"input_data": {"question": "What's my name?", "context": "My name is John"}}),
        shown({"question": "What's my name?", "context": "My name is John"}),
        shown({"inputs": {"question": ["Who?"], "context": ["I"]}}),
        shown("no JSON {"),
        shown(["a"]),
    ],
)
def test_unknown_schema_gives_no_finding(service_input):
    assert findings(swagger_2(service_input)) == []


# ---- routes


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (("/v1/chat/completions", "/chat/completions"), ["/v1/chat/completions", "/chat/completions"]),
        (("/completions", "/v1/completions"), ["/v1/completions", "/completions"]),
        (("/chat/completions/",), ["/chat/completions"]),
        (("/generate", "/generate_stream"), ["/generate"]),
        (("/api/v1/endpoint/mine/v1/chat/completions",), ["/v1/chat/completions"]),
        (("/predict",), []),
    ],
)
def test_routes_tell_the_formatter_by_their_end(routes, expected):
    assert [found.route for found in findings(fastapi(*routes))] == expected


def test_catalogue_chat_image_gives_routes_then_score():
    example = {"input_data": {"input_string": [TURN], "parameters": {"max_new_tokens": 200}}}
    found = findings(fastapi("/score", "/v1/chat/completions", "/chat/completions", example=example))
    assert [finding.formatter for finding in found] == ["openai-chat"] * 3
    assert found[0].reason == "it has the path /v1/chat/completions"
    assert found[2] == Finding("openai-chat", "/score", "its example has messages in input_data.input_string", example)


def test_kubernetes_prefix_is_ignored():
    assert first(openapi(shown({"inputs": ["a"]}), "/api/v1/endpoint/mine/score")) == ("hf", "/score")


def test_self_referring_schema_is_read_quickly():
    names = ["input_data", "inputs", "input_string", "parameters", *(f"p{i}" for i in range(300))]
    itself = {"type": "object", "properties": {name: {"$ref": "#/definitions/ServiceInput"} for name in names}}
    assert first(swagger_2(itself)) is None
    assert findings(swagger_2({"$ref": "#/definitions/ServiceInput"})) == []


# ---- documents from outside

ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        *("paths", "/score", "/completions", "post", "parameters", "in", "body", "schema", "requestBody", "content"),
        *("application/json", "examples", "example", "value", "definitions", "components", "schemas", "ServiceInput"),
        *("properties", "items", "type", "array", "object", "string", "$ref", "#/definitions/ServiceInput", "#/paths"),
        *("input_data", "inputs", "input_string", "columns", "data", "anyOf", "allOf", "{"),
    ]
)
ANY = st.recursive(ODD | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4))


def check(document):
    for found in findings(document):
        assert not found.formatter or found.formatter in wire.names()
        assert found.reason
        assert len(found.reason.splitlines()) == 1


@given(ANY)
def test_any_json_is_accepted(document):
    check(document)


@given(ANY, ANY)
def test_any_json_under_known_names_is_accepted(body, schema):
    check({"paths": {"/score": {"post": {"parameters": body}}}, "definitions": {"ServiceInput": schema}})
    check({"paths": {"/score": {"post": {"requestBody": body}}}, "components": {"schemas": {"ServiceInput": schema}}})
    check(swagger_2(schema))
    check(openapi(schema))


# ---- prompt flows


@pytest.mark.parametrize(
    ("info", "formatter"),
    [
        ({"x-flow-name": "f"}, "promptflow"),
        ({"x-chat-input": "question", "x-chat-history": "chat_history", "x-chat-output": "answer"}, "promptflow"),
        (
            {"x-chat-input": "query", "x-chat-history": "turns", "x-chat-output": "text"},
            "promptflow(input=query,history=turns,output=text)",
        ),
        ({"x-chat-input": "query", "x-chat-output": "a b"}, "promptflow(input=query)"),
        ({"x-chat-input": ["query"], "x-flow-name": 7}, "promptflow"),
    ],
)
def test_flow_names_its_inputs_and_outputs(info, formatter):
    assert first({**openapi({"type": "object"}), "info": info}) == (formatter, "/score")


# ---- the embedded endpoint


TEXT_DEPLOYMENTS = [name for name in DEPLOYMENTS if name not in ("blue", "embeddings")]


@pytest.mark.parametrize("version", ["", "?version=3", "?version=3.1"])
@pytest.mark.parametrize("deployment", TEXT_DEPLOYMENTS)
def test_first_finding_works_with_the_deployment(azml_endpoint, deployment, version):
    config = LLMConfig(
        endpoint_url=f"{azml_endpoint.url}/score", key=Secret(KEY), deployment_name=deployment, max_retries=0
    )
    found = findings(json.loads(fetch(config, f"{azml_endpoint.url}/swagger.json{version}")))[0]
    response = invoke(
        config.merged(endpoint_url=azml_endpoint.url + found.route, formatter=found.formatter), "Say hello."
    )
    assert response.text
    assert response.deployment == deployment


def test_deployment_without_schema_gives_no_finding(azml_endpoint):
    config = LLMConfig(endpoint_url=f"{azml_endpoint.url}/score", key=Secret(KEY), deployment_name="blue")
    assert findings(json.loads(fetch(config, f"{azml_endpoint.url}/swagger.json"))) == []
