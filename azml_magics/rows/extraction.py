"""What a schema adds to rows: responses are requested as JSON, validated, and split into columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import BadRequestError, SchemaError
from ..core.prompt import schema as schemas
from .table_rows import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.client import Client
    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from .table_rows import Kind

WHOLE = "parsed"
"""The only column of a schema without named fields: a list, a number, an object with arbitrary names."""

_KINDS: dict[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_REMEDY = "Its text is kept. Run again with the journal and retry_failed to send the failed rows again."


class Extraction:
    """Reads one object of a schema from each response.

    Attributes:
        schema: A pydantic model or a JSON schema.
        columns: One for every attribute of the model or property of the JSON schema; WHOLE if it has none.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        whole = schema.json_schema
        fields = _fields(schema)
        self._names = tuple(fields)
        self.columns: tuple[Column, ...] = tuple(Column(name, _kind(part, whole)) for name, part in fields.items()) or (
            Column(WHOLE, _kind(whole, whole)),
        )
        self._by_instruction = False

    def request(self, config: LLMConfig, messages: Sequence[Message]) -> tuple[LLMConfig, list[Message]]:
        """Return the config and the messages that request JSON, in the way that the endpoint has accepted so far."""
        return self.schema.add_to(config, messages, by_instruction=self._by_instruction)

    def send(self, client: Client, config: LLMConfig, messages: Sequence[Message]) -> Response:
        """Return the response, not parsed. An instruction replaces `response_format` once it was rejected."""
        try:
            return client.invoke(*self.request(config, messages))
        except BadRequestError as error:
            if not schemas.is_response_format_refused(error):
                raise
        self._by_instruction = True
        return client.invoke(*self.request(config, messages))

    def parse(self, response: Response) -> tuple[Response, SchemaError | None]:
        """Return the response with its object in `parsed`; or unchanged, and why it does not match the schema."""
        try:
            return replace(response, parsed=self.schema.parse(response, _REMEDY, "row-schema"), format="json"), None
        except SchemaError as error:
            error.add_context(config=response.config)
            return response, error.with_traceback(None)

    def values(self, parsed: Any) -> tuple[Any, ...]:
        """Return the values of the columns as JSON data, None for what is absent."""
        plain = schemas.parsed_data(parsed)
        if not self._names:
            return (plain,)
        found: Mapping[str, Any] = plain if isinstance(plain, dict) else {}
        return tuple(found.get(name) for name in self._names)


def _fields(schema: Schema) -> dict[str, Any]:
    """Return the columns' names and the JSON schemas of their values; {} without an object with known names."""
    top = _dereference(schema.json_schema, schema.json_schema)
    if not isinstance(top, dict) or top.get("type") != "object":
        return {}
    properties: dict[str, Any] = top.get("properties") or {}
    fields = getattr(schema.model, "model_fields", None)
    if fields is None or "root" in fields:  # "root": a RootModel, whose only field has no name of its own
        return properties
    aliases = {name: field.validation_alias for name, field in fields.items()}
    return {name: properties.get(alias if isinstance(alias, str) else name) for name, alias in aliases.items()}


def _kind(part: Any, whole: Mapping[str, Any]) -> Kind:
    """Return the only type besides null that a part of the JSON schema `whole` allows; "any" if there are several."""
    types = set(_types(part, whole, depth=0)) - {"null"}
    return _KINDS.get(types.pop(), "any") if len(types) == 1 else "any"


def _types(part: Any, whole: Mapping[str, Any], depth: int) -> Iterator[str]:
    part = _dereference(part, whole)
    if not isinstance(part, dict) or depth > 8:  # noqa: PLR2004 - a schema may refer to itself
        yield "anything"
        return
    inner = part.get("anyOf") or part.get("oneOf") or part.get("allOf") or []
    for each in inner:
        yield from _types(each, whole, depth + 1)
    if not inner:
        named = part.get("type", "anything")
        yield from [named] if isinstance(named, str) else named


def _dereference(part: Any, whole: Mapping[str, Any]) -> Any:
    """Return what the part refers to in the schema's `$defs`; None if it is not there.

    pydantic before 2.9 puts a reference that has a title into an `allOf` of one.
    """
    if isinstance(part, dict) and "$ref" not in part and len(part.get("allOf") or ()) == 1:
        part = part["allOf"][0]
    reference = part.get("$ref") if isinstance(part, dict) else None
    return part if reference is None else (whole.get("$defs") or {}).get(str(reference).rpartition("/")[2])
