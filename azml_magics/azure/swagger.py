"""Which dialect a deployment speaks, read off its swagger.json. Pure: fetching it is for the caller.

A swagger is a hint, not proof - a scoring script may ship a wrong one - so every finding says what it rests on. The
rules follow what azureml-inference-server-http, Azure ML's MLflow image and the curated foundation-model images serve.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_DEEPEST = 12


@dataclass(frozen=True)
class Finding:
    """A dialect that the deployment seems to speak.

    formatter: its registry name, "" where the swagger does not tell. route: the path it is spoken on, as the server
    spells it without a Kubernetes prefix. because: the sign, in words. example: the request that the swagger shows.
    """

    formatter: str
    route: str
    because: str
    example: Any = None


def findings(document: Any) -> list[Finding]:
    """What a swagger (2.0) or OpenAPI (3.x) document says, the most telling first; empty where it says nothing."""
    if not isinstance(document, dict):
        return []
    paths = document.get("paths")
    routes = {_route(path) for path in paths if isinstance(path, str)} if isinstance(paths, dict) else set()
    found = [
        Finding(formatter, route, f"it has the path {route}")
        for route, formatter in (
            ("/v1/chat/completions", "openai-chat"),
            ("/chat/completions", "openai-chat"),
            ("/v1/completions", "openai"),
            ("/completions", "openai"),
            ("/generate", "tgi"),
        )
        if route in routes
    ]
    if "/score" in routes or not routes:
        scoring = _scoring(document)
        if scoring is not None:
            found.append(scoring)
    return found


def _route(path: str) -> str:
    """The path without the prefix that Kubernetes endpoints put before it."""
    for route in ("/v1/chat/completions", "/chat/completions", "/v1/completions", "/completions"):
        if path.endswith(route):
            return route
    return "/" + path.rstrip("/").rpartition("/")[2]


def _scoring(document: dict[str, Any]) -> Finding | None:
    """What /score takes, from the example and the schema of its input."""
    schema = _input_schema(document)
    example = _example(schema, document)
    properties = {name: _resolved(value, document) for name, value in _dict(schema.get("properties")).items()}
    if isinstance(example, dict):
        by_example = _by_example(example, properties)
        if by_example is not None:
            return by_example
    return _by_schema(properties, document) if properties else None


def _by_example(example: dict[str, Any], properties: dict[str, Any]) -> Finding | None:
    given = example.get("input_data")
    if "input_data" in example:
        return _by_input_data(given, {**example, **properties})
    inputs = example.get("inputs")
    if isinstance(inputs, dict) and "input_string" in inputs:
        return Finding("gpt2", "/score", "its example has inputs.input_string", example)
    if isinstance(inputs, list):
        return Finding("hf", "/score", "its example has inputs as a list", example)
    if isinstance(inputs, str):
        return Finding("hf-plain", "/score", "its example has inputs as a text", example)
    if "question" in example or "chat_history" in example:
        return Finding("promptflow", "/score", "its example has a question", example)
    if {"data", "Inputs"} & set(example):
        return Finding("", "/score", "its example is a table: this is hardly a language model", example)
    return None


def _by_input_data(given: Any, example: dict[str, Any]) -> Finding | None:
    if isinstance(given, dict) and "input_string" in given:
        texts = given["input_string"]
        if isinstance(texts, list) and any(isinstance(turn, dict) and "role" in turn for turn in texts):
            return Finding("openai-chat", "/score", "its example has messages in input_data.input_string", example)
        if "parameters" in given:
            return Finding("openai", "/score", "its example has input_data.input_string with parameters in it", example)
        return Finding("dolly", "/score", "its example has input_data.input_string", example)
    if isinstance(given, dict) and {"columns", "data"} <= set(given):
        return Finding("mlflow", "/score", "its example is a pandas table in input_data", example)
    if isinstance(given, list | str):
        return Finding("mlflow", "/score", "its example has input_data as a list of texts", example)
    return None


def _by_schema(properties: dict[str, Any], document: dict[str, Any]) -> Finding | None:
    """The same signs in the schema alone, for a swagger without an example."""
    skeleton = {name: _skeleton(value, document) for name, value in properties.items()}
    found = _by_example(skeleton, properties)
    if found is None:
        return None
    return Finding(found.formatter, found.route, found.because.replace("its example", "its schema"), None)


def _skeleton(schema: Any, document: dict[str, Any], depth: int = 0) -> Any:
    """A value of the schema's shape: empty texts, one-item lists."""
    schema = _resolved(schema, document)
    if depth > _DEEPEST:
        return None
    kind = schema.get("type")
    if kind == "array":
        return [_skeleton(schema.get("items"), document, depth + 1)]
    if kind == "string":
        return ""
    return {name: _skeleton(value, document, depth + 1) for name, value in _dict(schema.get("properties")).items()}


def _input_schema(document: dict[str, Any]) -> dict[str, Any]:
    """The schema of the body of POST /score, in either version's place."""
    for path, operations in _dict(document.get("paths")).items():
        if not str(path).rstrip("/").endswith("/score"):
            continue
        post = _dict(_dict(operations).get("post"))
        for parameter in post.get("parameters") or ():
            if _dict(parameter).get("in") == "body":
                return _resolved(_dict(parameter).get("schema"), document)
        content = _dict(_dict(_resolved(post.get("requestBody"), document)).get("content"))
        media = _dict(content.get("application/json"))
        schema = _resolved(media.get("schema"), document)
        examples = [_dict(value).get("value") for value in _dict(media.get("examples")).values()]
        example = media.get("example", examples[0] if examples else None)
        return {**schema, "example": example} if example is not None else schema
    definitions = _dict(document.get("definitions")) or _dict(_dict(document.get("components")).get("schemas"))
    return _resolved(definitions.get("ServiceInput"), document)


def _example(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    example = schema.get("example")
    if example is None and isinstance(schema.get("examples"), list) and schema["examples"]:
        example = schema["examples"][0]
    if isinstance(example, str):
        try:
            example = json.loads(example)
        except ValueError:
            return None
    if example:
        return example
    parts = {name: _resolved(value, document) for name, value in _dict(schema.get("properties")).items()}
    with_example = {name: value["example"] for name, value in parts.items() if value.get("example") is not None}
    return with_example or None


def _resolved(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, `$ref`s within the document followed."""
    for _ in range(_DEEPEST):
        reference = _dict(schema).get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        schema = document
        for part in reference[2:].split("/"):
            schema = _dict(schema).get(part.replace("~1", "/").replace("~0", "~"))
    return _dict(schema)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
