"""Which dialect a deployment speaks, read off its swagger.json. Pure: fetching it is for the caller.

A swagger is a hint, not proof - a scoring script may ship a wrong one - so every finding says what it rests on. The
rules follow what azureml-inference-server-http, Azure ML's MLflow image and the curated foundation-model images serve.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_DEEPEST = 12  # references to references
_DEEPEST_SIGN = 4  # input_data -> input_string -> a turn -> its role
# The names that tell a dialect; the rest of a schema, which may refer to itself many times over, is not walked.
_TELLING = (
    *("input_data", "inputs", "input_string", "parameters", "params", "columns", "data", "role"),
    *("question", "context", "chat_history", "Inputs"),
)


@dataclass(frozen=True)
class Finding:
    """A dialect that the deployment seems to speak.

    formatter: its registry name, "" where the swagger does not tell. route: the path it is spoken on, as the server
    spells it without a Kubernetes prefix. because: the sign, in words. example: the request that the swagger shows,
    None where it shows none.
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
    path = path.rstrip("/")
    for route in ("/v1/chat/completions", "/chat/completions", "/v1/completions", "/completions"):
        if path.endswith(route):
            return route
    return "/" + path.rpartition("/")[2]


def _scoring(document: dict[str, Any]) -> Finding | None:
    """What /score takes, from the example of its input or, without one, from the schema."""
    schema = _input_schema(document)
    example = _example(schema, document)
    if isinstance(example, dict):
        found = _by_sign(example)
        if found is not None:
            return Finding(found.formatter, "/score", f"its example {found.because}", example)
    found = _by_sign(_skeleton(schema, document))
    return found and Finding(found.formatter, "/score", f"its schema {found.because}")


def _by_sign(request: Any) -> Finding | None:
    """The dialect that a request is written in, by its keys and the kinds of their values."""
    if not isinstance(request, dict):
        return None
    if "input_data" in request:
        return _by_input_data(request["input_data"], with_params="params" in request)
    inputs = request.get("inputs")
    if isinstance(inputs, dict) and "input_string" in inputs:
        return Finding("gpt2", "/score", "has inputs.input_string")
    if isinstance(inputs, list) and _are_texts(inputs):
        return Finding("hf", "/score", "has inputs as a list")
    if isinstance(inputs, str):
        return Finding("hf-plain", "/score", "has inputs as a text")
    if "chat_history" in request or ("question" in request and "context" not in request):
        return Finding("promptflow", "/score", "has a question, as prompt flows have")
    if {"data", "Inputs"} & set(request):
        return _TABLE
    return None


_TABLE = Finding("", "/score", "is a table: this is hardly a language model")


def _by_input_data(given: Any, *, with_params: bool) -> Finding | None:
    if isinstance(given, dict) and "input_string" in given:
        return _by_input_string(given["input_string"], with_parameters="parameters" in given)
    if isinstance(given, dict) and {"columns", "data"} <= set(given):
        first = given["data"]
        while isinstance(first, list) and first:
            first = first[0]
        if isinstance(first, int | float):
            return _TABLE
        return Finding("mlflow", "/score", "has a pandas table in input_data")
    if isinstance(given, str) or (isinstance(given, list) and _are_texts(given)):
        return Finding("mlflow", "/score", "has input_data as a list of texts")
    if isinstance(given, list) and given and not with_params:
        return _TABLE  # records or tensors
    return Finding("mlflow", "/score", "has input_data with params beside it") if with_params else None


def _by_input_string(given: Any, *, with_parameters: bool) -> Finding | None:
    if isinstance(given, dict):
        return None
    if isinstance(given, list) and any(isinstance(turn, dict) for turn in given):
        return Finding("openai-chat", "/score", "has messages in input_data.input_string")
    if with_parameters:
        return Finding("openai", "/score", "has input_data.input_string with parameters in it")
    return Finding("dolly", "/score", "has input_data.input_string")


def _are_texts(values: list[Any]) -> bool:
    """Whether they are texts, or may be: a schema's skeleton has None for what it does not tell."""
    return bool(values) and all(value is None or isinstance(value, str) for value in values)


def _skeleton(schema: Any, document: dict[str, Any], depth: int = 0) -> Any:
    """A value of the schema's shape, as far as it tells: zeros, empty texts, lists of one; None where it does not."""
    schema = _resolved(schema, document)
    kind = schema.get("type")
    if depth > _DEEPEST_SIGN:
        return None
    if kind in ("number", "integer", "boolean"):
        return 0
    if kind == "array":
        return [_skeleton(schema.get("items"), document, depth + 1)]
    if kind == "string":
        return ""
    properties = _dict(schema.get("properties"))
    if kind != "object" and not properties:
        return None
    return {name: _skeleton(properties[name], document, depth + 1) for name in _TELLING if name in properties}


def _input_schema(document: dict[str, Any]) -> dict[str, Any]:
    """The schema of the body of POST /score, in either version's place."""
    for path, operations in _dict(document.get("paths")).items():
        if not path.rstrip("/").endswith("/score"):
            continue
        post = _dict(_dict(operations).get("post"))
        for parameter in _list(post.get("parameters")):
            if _dict(parameter).get("in") == "body":
                return _resolved(_dict(parameter).get("schema"), document)
        if "requestBody" in post:
            return _media_schema(_resolved(post["requestBody"], document), document)
    definitions = _dict(document.get("definitions")) or _dict(_dict(document.get("components")).get("schemas"))
    return _resolved(definitions.get("ServiceInput"), document)


def _media_schema(body: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema of an OpenAPI request body, with the example that stands beside it."""
    kinds = _dict(body.get("content"))
    media = _dict(next((kinds[name] for name in kinds if "json" in name), next(iter(kinds.values()), None)))
    examples = [_resolved(value, document).get("value") for value in _dict(media.get("examples")).values()]
    example = media.get("example", next((value for value in examples if value is not None), None))
    schema = _resolved(media.get("schema"), document)
    return {**schema, "example": example} if example is not None else schema


def _example(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """The example of a schema: its own (as JSON or as its text), or its properties' put together; None without one."""
    example = schema.get("example") or next(iter(_list(schema.get("examples"))), None)
    if isinstance(example, str):
        try:
            example = json.loads(example)
        except (ValueError, RecursionError):
            return None
    if example:
        return example
    parts = {name: _resolved(value, document) for name, value in _dict(schema.get("properties")).items()}
    return {name: part["example"] for name, part in parts.items() if part.get("example") is not None} or None


def _resolved(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself: `$ref`s within the document followed, and of alternatives the first that is not null."""
    for _ in range(_DEEPEST):
        schema = _dict(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            schema = document
            for part in reference[2:].split("/"):
                schema = _dict(schema).get(part.replace("~1", "/").replace("~0", "~"))
            continue
        choices = [
            choice
            for name in ("allOf", "anyOf", "oneOf")
            for choice in _list(schema.get(name))
            if isinstance(choice, dict)
        ]
        chosen = next((choice for choice in choices if choice.get("type") != "null"), None)
        if chosen is None or "type" in schema or "properties" in schema:
            break
        schema = {**chosen, **{name: schema[name] for name in ("example", "examples") if name in schema}}
    return _dict(schema)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
