"""The schema of the response: a pydantic class of the notebook by its name, a JSON file, or JSON that was pasted."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.core.paths import path_of
from azml_magics.core.prompt.schema import Schema
from azml_magics.core.text import one_line

from .kwargs import KwargValueError, parse_json
from .notebook_names import find_variable, names_of, variable_name

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_models(notebook: Mapping[str, Any]) -> list[str]:
    """Return the names of the notebook's pydantic classes; those that it only imported from pydantic are left out."""
    return names_of(notebook, _is_model)


def _is_model(value: Any) -> bool:
    if not isinstance(value, type) or not callable(getattr(value, "model_json_schema", None)):
        return False
    return value.__module__.partition(".")[0] != "pydantic"


def read_schema(text: str, notebook: Mapping[str, Any]) -> Schema | None:
    """Return the schema that the field names; None if it is empty.

    Args:
        text: `Opinion` or `$Opinion` for a variable, `opinion.json` for a file, or JSON.
        notebook: the notebook's variables.

    Raises:
        UsageError: if it is none of them; for JSON the message has the line and the column.
    """
    if not text.strip():
        return None
    if name := variable_name(text):
        return Schema.from_source(find_variable(name, notebook))
    if _is_file(text.strip()):
        return _parse(_read_file(text.strip()), f"The schema {text.strip()}")
    return _parse(text, "The schema")


def schema_words(text: str, notebook: Mapping[str, Any]) -> list[str]:
    """Return the words of a cell's line that say the schema; [] if there is none.

    Raises:
        UsageError: if the field does not hold a schema.
    """
    text = text.strip()
    schema = read_schema(text, notebook)
    if schema is None:
        return []
    if name := variable_name(text):
        return ["--schema", f"${name}"]
    return ["--schema", shlex.quote(text if _is_file(text) else json.dumps(schema.json_schema))]


def _is_file(text: str) -> bool:
    return text.endswith(".json") and "\n" not in text and "{" not in text


def _read_file(name: str) -> str:
    try:
        return path_of(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The schema {name} cannot be read: {one_line(str(error), 100)}", remedy="Check the path."
        ) from None


def _parse(text: str, what: str) -> Schema:
    try:
        value = parse_json(text)
    except KwargValueError as error:
        raise UsageError(f"{what} is {error}" if str(error).startswith("not ") else f"{what}: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{what} is not a JSON object", remedy="Begin it with a brace, or name a pydantic class.")
    return Schema.from_source(value)
