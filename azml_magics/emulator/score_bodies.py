"""The wire formats of /score, distinguished by the shape of the body alone."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeGuard


class ScoreBody(NamedTuple):
    """The content of a /score body.

    Attributes:
        shape: The name of the body's shape.
        prompts: The prompts, or the messages of a chat.
        parameters: The model kwargs.
    """

    shape: str
    prompts: list[Any]
    parameters: Any


def parse_score_body(data: dict[str, Any]) -> ScoreBody | None:
    """Return the content of a /score body, or None if no wire format has its shape."""
    if "input_data" in data:
        given, params = data["input_data"], data.get("params") or {}
        return _input_object(given, data, params) if isinstance(given, dict) else _input_list(given, params)
    return _inputs(data.get("inputs"), data.get("parameters") or {})


def _inputs(inputs: Any, parameters: Any) -> ScoreBody | None:
    """Hugging Face's `inputs`, and GPT-2's of June 2023."""
    if isinstance(inputs, str):
        return ScoreBody("hf-string", [inputs], parameters)
    if _strings(inputs):
        return ScoreBody("hf-list", inputs, parameters)
    prompts = inputs.get("input_string") if isinstance(inputs, dict) else None
    return ScoreBody("inputs-object", prompts, parameters) if _strings(prompts) else None


def _input_list(given: Any, params: Any) -> ScoreBody | None:
    """MLflow's `input_data`: a string, a list of strings, or a list of records."""
    if isinstance(given, str):
        return ScoreBody("string", [given], params)
    if _strings(given):
        return ScoreBody("list", given, params)
    if isinstance(given, list) and all(isinstance(row, dict) for row in given):
        return ScoreBody("records", [_first_text(row) for row in given], params)
    return None


def _input_object(given: dict[str, Any], data: dict[str, Any], params: Any) -> ScoreBody | None:
    """An object in `input_data`: pandas split, or `input_string` with its parameters in one of three places."""
    if isinstance(given.get("data"), list) and isinstance(given.get("columns"), list):
        return ScoreBody("split", [_first_text(row) for row in given["data"]], params)
    prompts = given.get("input_string")
    prompts = [prompts] if isinstance(prompts, str) else prompts
    if isinstance(prompts, list) and prompts and all(_is_message(message) for message in prompts):
        return ScoreBody("messages", prompts, given.get("parameters") or {})
    if not _strings(prompts):
        return None
    if "parameters" in given:
        return ScoreBody("strings-inside", prompts, given["parameters"] or {})
    if "parameters" in data:
        return ScoreBody("strings-beside", prompts, data["parameters"] or {})
    return ScoreBody("strings", prompts, params)


def _strings(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def _first_text(row: Any) -> str:
    """Return the first text of a table's row: a record, a list of cells, or the cell itself."""
    cells = list(row.values()) if isinstance(row, dict) else row if isinstance(row, list) else [row]
    return next((cell for cell in cells if isinstance(cell, str)), "")
