"""What a schema adds to rows: every answer is asked for as JSON of it, checked, and laid out in columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.client import invoke
from ..core.errors import BadRequestError, SchemaError
from ..core.prompt import schema as schemas
from .records import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from .records import Kind

WHOLE = "parsed"  # the only column of a schema that names no fields: a list, a number, an object of any names
_KINDS: dict[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_REMEDY = "Its text is kept; --retry-failed asks the failed rows of a journal once more."


class Extraction:
    """The objects of a schema, one a row.

    columns: one for every field of the schema - a model's attributes, a JSON schema's properties -, or WHOLE alone.
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
        """(config, messages) that ask for it, in the way that the endpoint has taken so far."""
        return self.schema.asked(config, messages, by_instruction=self._by_instruction)

    def ask(self, config: LLMConfig, messages: Sequence[Message]) -> Response:
        """The answer, not read yet. A server that wants no `response_format` is asked by instruction from then on."""
        try:
            return invoke(*self.request(config, messages))
        except BadRequestError as error:
            if not schemas.is_refused(error):
                raise
        self._by_instruction = True
        return invoke(*self.request(config, messages))

    def read(self, response: Response) -> tuple[Response, SchemaError | None]:
        """The answer with its object in `parsed`, or as it is beside what is wrong with it."""
        try:
            return replace(response, parsed=self.schema.read(response, _REMEDY), format="json"), None
        except SchemaError as error:
            error.add_context(config=response.config)
            return response, error.with_traceback(None)

    def values(self, parsed: Any) -> tuple[Any, ...]:
        """What stands in the columns, as JSON has it; None for what is not there."""
        plain = _plain(parsed)
        if not self._names:
            return (plain,)
        held: Mapping[str, Any] = plain if isinstance(plain, dict) else {}
        return tuple(held.get(name) for name in self._names)


def _fields(schema: Schema) -> dict[str, Any]:
    """Name of a column -> the JSON schema of what stands in it. Empty where it is not of an object with known names."""
    top = _referred(schema.json_schema, schema.json_schema)
    if not isinstance(top, dict) or top.get("type") != "object":
        return {}
    properties: dict[str, Any] = top.get("properties") or {}
    fields = getattr(schema.model, "model_fields", None)
    if fields is None or "root" in fields:  # "root": a RootModel, whose only field is no name of its own
        return properties
    aliases = {name: field.validation_alias for name, field in fields.items()}
    return {name: properties.get(alias if isinstance(alias, str) else name) for name, alias in aliases.items()}


def _plain(parsed: Any) -> Any:
    """JSON of a model's object; anything else as it is."""
    if not callable(getattr(parsed, "model_dump", None)):
        return parsed
    try:
        return parsed.model_dump(mode="json", warnings=False)
    except Exception:  # noqa: BLE001 - a serialiser of the person's own, or a value that JSON has no form for
        return dict(parsed)


def _kind(part: Any, whole: Mapping[str, Any]) -> Kind:
    """The one type that a part of the JSON schema `whole` allows beside null; "any" where there are several."""
    types = set(_types(part, whole, depth=0)) - {"null"}
    return _KINDS.get(types.pop(), "any") if len(types) == 1 else "any"


def _types(part: Any, whole: Mapping[str, Any], depth: int) -> Iterator[str]:
    part = _referred(part, whole)
    if not isinstance(part, dict) or depth > 8:  # noqa: PLR2004 - a schema may refer to itself
        yield "anything"
        return
    inner = part.get("anyOf") or part.get("oneOf") or part.get("allOf") or []
    for each in inner:
        yield from _types(each, whole, depth + 1)
    if not inner:
        named = part.get("type", "anything")
        yield from [named] if isinstance(named, str) else named


def _referred(part: Any, whole: Mapping[str, Any]) -> Any:
    """What the part refers to among the schema's `$defs`; None where that is not there.

    Beside a title, pydantic before 2.9 refers in an `allOf` of one.
    """
    if isinstance(part, dict) and "$ref" not in part and len(part.get("allOf") or ()) == 1:
        part = part["allOf"][0]
    reference = part.get("$ref") if isinstance(part, dict) else None
    return part if reference is None else (whole.get("$defs") or {}).get(str(reference).rpartition("/")[2])
