"""The columns that a Runnable's outputs make: those of the object that it says it returns."""

from __future__ import annotations

from typing import Any

from ..core.prompt.schema import Schema

_RAW_FIELDS = {"raw", "parsed", "parsing_error"}  # of with_structured_output(include_raw=True)


def output_schema(runnable: Any) -> Schema | None:
    """Return the schema of the objects that a Runnable returns; None if it returns texts or messages.

    One that says nothing of its outputs gets the schema of anything, which makes one column, `parsed`.
    """
    try:
        whole: dict[str, Any] = runnable.get_output_jsonschema()
    except Exception:  # noqa: BLE001 - an output without a JSON schema: known when it comes
        return Schema("output", {})
    fields = whole.get("properties") or {}
    if fields.keys() >= _RAW_FIELDS:
        whole = _part(whole, fields["parsed"])
        fields = whole.get("properties") or {}
    if whole.get("type") == "string" or "oneOf" in whole or "anyOf" in whole:
        return None
    if "messages" in fields:  # an agent: its last message is the text
        found = fields.get("structured_response")
        return None if found is None else Schema("output", _part(whole, found))
    if whole.get("type") == "object" and fields.keys() >= {"content", "type"}:
        return None
    return Schema("output", whole)


def _part(whole: dict[str, Any], part: Any) -> dict[str, Any]:
    """A part of a schema as a schema of its own, with the definitions that it may refer to."""
    definitions = whole.get("$defs") or {}
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        part = definitions.get(part["$ref"].rpartition("/")[2])
    return {"$defs": definitions, **part} if isinstance(part, dict) else {}
