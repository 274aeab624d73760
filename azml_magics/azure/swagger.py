"""Read the formatter of a deployment from its swagger.json, which the caller has fetched.

A swagger document is a hint, not proof: a scoring script may ship a wrong one. So every finding has its reason. The
rules follow what azureml-inference-server-http, Azure ML's MLflow image and the curated foundation-model images serve.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_MAX_REFERENCES = 12  # references to references
_MAX_DEPTH = 4  # input_data -> input_string -> a turn -> its role
# The names that tell a format apart. The rest of a schema is not walked: it may refer to itself many times.
_KNOWN_NAMES = (
    *("input_data", "inputs", "input_string", "parameters", "params", "columns", "data", "role"),
    *("question", "context", "chat_history", "Inputs"),
)


@dataclass(frozen=True)
class Finding:
    """A formatter that the swagger document points to.

    Attributes:
        formatter: its registered name; "" if the document does not tell.
        route: the path of its requests, without a Kubernetes prefix.
        reason: what in the document points to it.
        example: the request that the document shows, or None.
    """

    formatter: str
    route: str
    reason: str
    example: Any = None


def findings(document: Any) -> list[Finding]:
    """Return what a swagger (2.0) or OpenAPI (3.x) document tells, the most certain first; empty if nothing."""
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
        scoring = _flow(document) or _scoring(document)
        if scoring is not None:
            found.append(scoring)
    return found


def _flow(document: dict[str, Any]) -> Finding | None:
    """Return the prompt flow that a document describes; it names the flow's chat input, history and output."""
    info = _dict(document.get("info"))
    if "x-flow-name" not in info and "x-chat-input" not in info:
        return None
    usual = {"input": ("question",), "history": ("chat_history",), "output": ("answer", "reply", "output")}
    named = {part: info.get(f"x-chat-{part}") for part in usual}
    own = [f"{part}={name}" for part, name in named.items() if _is_name(name) and name not in usual[part]]
    formatter = f"promptflow({','.join(own)})" if own else "promptflow"
    return Finding(formatter, "/score", "it describes a prompt flow")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _route(path: str) -> str:
    """Return the path without the prefix of Kubernetes endpoints."""
    path = path.rstrip("/")
    for route in ("/v1/chat/completions", "/chat/completions", "/v1/completions", "/completions"):
        if path.endswith(route):
            return route
    return "/" + path.rpartition("/")[2]


def _scoring(document: dict[str, Any]) -> Finding | None:
    """Return what /score accepts, from the example of its input or else from the schema."""
    schema = _input_schema(document)
    example = _example(schema, document)
    if isinstance(example, dict):
        found = _match_request(example)
        if found is not None:
            return Finding(found.formatter, "/score", f"its example {found.reason}", example)
    found = _match_request(_skeleton(schema, document))
    return found and Finding(found.formatter, "/score", f"its schema {found.reason}")


def _match_request(request: Any) -> Finding | None:
    """Return the format of a request, told by its keys and the types of their values."""
    if not isinstance(request, dict):
        return None
    if "input_data" in request:
        return _match_input_data(request["input_data"], with_params="params" in request)
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


_TABLE = Finding("", "/score", "is a table: this does not look like a language model")


def _match_input_data(given: Any, *, with_params: bool) -> Finding | None:
    if isinstance(given, dict) and "input_string" in given:
        return _match_input_string(given["input_string"], with_parameters="parameters" in given)
    if isinstance(given, dict) and {"columns", "data"} <= set(given):
        first = given["data"]
        while isinstance(first, list) and first:
            first = first[0]
        if isinstance(first, int | float):
            return _TABLE
        columns = given["columns"]
        is_one = isinstance(columns, list) and len(columns) == 1 and _is_name(columns[0])
        return Finding(f"mlflow(column={columns[0]})" if is_one else "mlflow", "/score", "has a table in input_data")
    if isinstance(given, str) or (isinstance(given, list) and _are_texts(given)):
        return Finding("mlflow", "/score", "has input_data as a list of texts")
    if isinstance(given, list) and given and not with_params:
        return _TABLE  # records or tensors
    return Finding("mlflow", "/score", "has input_data with params beside it") if with_params else None


def _match_input_string(given: Any, *, with_parameters: bool) -> Finding | None:
    if isinstance(given, dict):
        return None
    if isinstance(given, list) and any(isinstance(turn, dict) for turn in given):
        return Finding("openai-chat", "/score", "has messages in input_data.input_string")
    if with_parameters:
        return Finding("openai", "/score", "has input_data.input_string with parameters in it")
    return Finding("dolly", "/score", "has input_data.input_string")


def _are_texts(values: list[Any]) -> bool:
    """Return whether the values are texts, or may be: a schema's skeleton has None for unknown values."""
    return bool(values) and all(value is None or isinstance(value, str) for value in values)


def _skeleton(schema: Any, document: dict[str, Any], depth: int = 0) -> Any:
    """Return a value of the schema's shape: zeros, empty texts, lists with one item, and None for unknown values."""
    schema = _resolve(schema, document)
    kind = schema.get("type")
    if depth > _MAX_DEPTH:
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
    return {name: _skeleton(properties[name], document, depth + 1) for name in _KNOWN_NAMES if name in properties}


def _input_schema(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the body of POST /score, in a document of either version."""
    for path, operations in _dict(document.get("paths")).items():
        if not path.rstrip("/").endswith("/score"):
            continue
        post = _dict(_dict(operations).get("post"))
        for parameter in _list(post.get("parameters")):
            if _dict(parameter).get("in") == "body":
                return _resolve(_dict(parameter).get("schema"), document)
        if "requestBody" in post:
            return _media_schema(_resolve(post["requestBody"], document), document)
    definitions = _dict(document.get("definitions")) or _dict(_dict(document.get("components")).get("schemas"))
    return _resolve(definitions.get("ServiceInput"), document)


def _media_schema(body: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an OpenAPI request body, with the example beside it."""
    kinds = _dict(body.get("content"))
    media = _dict(next((kinds[name] for name in kinds if "json" in name), next(iter(kinds.values()), None)))
    examples = [_resolve(value, document).get("value") for value in _dict(media.get("examples")).values()]
    example = media.get("example", next((value for value in examples if value is not None), None))
    schema = _resolve(media.get("schema"), document)
    return {**schema, "example": example} if example is not None else schema


def _example(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Return a schema's example: its own (data or JSON text), or one made of its properties' examples; or None."""
    example = schema.get("example") or next(iter(_list(schema.get("examples"))), None)
    if isinstance(example, str):
        try:
            example = json.loads(example)
        except (ValueError, RecursionError):
            return None
    if example:
        return example
    parts = {name: _resolve(value, document) for name, value in _dict(schema.get("properties")).items()}
    return {name: part["example"] for name, part in parts.items() if part.get("example") is not None} or None


def _resolve(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with `$ref`s within the document followed, and the first alternative that is not null."""
    for _ in range(_MAX_REFERENCES):
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
